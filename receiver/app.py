"""The whole receiver, wired: what `python -m receiver` runs until it is told to stop."""

import asyncio
import signal

from receiver.aws import make_clients
from receiver.health import HealthServer, Readiness
from receiver.intake import Intake
from receiver.keys import ReferenceKey
from receiver.log import Log
from receiver.metrics import Metrics
from receiver.server import MllpServer
from receiver.settings import Settings
from receiver.store import Store

_FLUSH_SECONDS = 10.0


async def serve(settings: Settings, log: Log) -> None:
    """Serves until SIGTERM or SIGINT, then stops in order.

    Raises `SettingError` for a malformed reference key, `OSError` for a taken port, and boto's own
    errors when the key cannot be read: without it no message group can be made.
    """
    loop = asyncio.get_running_loop()
    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_stop.set)

    clients = make_clients(settings)
    secret = clients.secrets.get_secret_value(SecretId=settings.reference_key_secret)
    key = ReferenceKey.from_secret(secret["SecretString"])
    metrics = Metrics(settings.environment, log)
    intake = Intake(settings, Store(settings, clients), key, metrics, log)
    server = MllpServer(settings, intake, metrics, log)
    health = HealthServer(settings.mllp_host, settings.health_port, Readiness(server, intake))

    mllp_port, health_port = await server.start(), await health.start()
    log.info(
        "listening",
        host=settings.mllp_host,
        mllp_port=mllp_port,
        health_port=health_port,
        receiver=settings.receiver_id,
    )
    flushing = asyncio.create_task(_flush(metrics, server))
    await told_to_stop.wait()
    log.info("stopping")
    await server.stop()
    health.stop()
    flushing.cancel()
    intake.close()
    metrics.flush()
    log.info("stopped")


async def _flush(metrics: Metrics, server: MllpServer) -> None:
    while True:
        await asyncio.sleep(_FLUSH_SECONDS)
        metrics.count("OpenConnections", server.open_connections)
        metrics.flush()
