"""Builds the receiver's parts and runs them until SIGTERM or SIGINT."""

import asyncio
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from receiver.background import in_background
from receiver.errors import BackgroundTaskError
from receiver.intake.configuration import SenderConfiguration
from receiver.intake.intake import Intake
from receiver.intake.reference_key import ReferenceKey
from receiver.settings import ReceiverSettings
from receiver.storage.aws_client.calls import Aws, read_secret
from receiver.storage.store import Store
from receiver.telemetry.health import HealthServer, Readiness
from receiver.telemetry.log import Log, where
from receiver.telemetry.metrics import Metrics
from receiver.transport.server import MllpServer
from receiver.transport.tls import Tls

_FLUSH_SECONDS = 10.0


async def serve(
    settings: ReceiverSettings,
    log: Log,
    store_type: type[Store] = Store,
    intake_type: type[Intake] = Intake,
) -> None:
    """Serves until SIGTERM or SIGINT, then stops the parts in order.

    Benchmarks measure a part of the receiver with a subclass of `Store` or `Intake`. Raises `SettingError`
    for a secret that cannot be read, and for a malformed reference key, certificate or configuration
    document, `StoreUnavailableError` when S3 returns no document, `OSError` for a port in use, and
    `BackgroundTaskError` when a task that it cannot do without keeps failing.
    """
    loop = asyncio.get_running_loop()
    stop_signal = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_signal.set)

    secret = read_secret(settings.reference_key_secret, "ENS_REFERENCE_KEY_SECRET")
    key = ReferenceKey.from_secret(secret)
    metrics = Metrics(settings.environment, log)
    loop.set_exception_handler(lambda _, context: _report(log, metrics, context))
    tls = Tls(settings, metrics, log)
    tls.load()
    aws = Aws(settings)
    configuration = SenderConfiguration(settings, aws, metrics, log)
    await configuration.load()
    intake = intake_type(settings, store_type(settings, aws, key), key, metrics, log)
    broken = asyncio.Event()

    def give_up() -> None:
        broken.set()
        stop_signal.set()

    server = MllpServer(settings, intake, configuration, metrics, log, tls=tls, give_up=give_up)
    health = HealthServer(settings.mllp_host, settings.health_port, Readiness(server, intake))

    mllp_port, health_port = await server.start(), await health.start()
    log.info(
        "listening",
        host=settings.mllp_host,
        mllp_port=mllp_port,
        health_port=health_port,
        receiver=settings.receiver_id,
        tls=tls.context is not None,
    )

    def counted(metric: str) -> Callable[[], None]:
        return lambda: metrics.count(metric)

    failed = counted("TaskFailures")
    # Configuration and certificates are not vital: the receiver serves on with those in use, and a new
    # process could not start.
    tasks = [
        in_background("metrics", lambda: _flush(metrics, server, intake, tls), log, failed),
        in_background("TLS", tls.keep_fresh, log, counted("CertificateNotUsed")),
        in_background("credentials", aws.identity.keep_fresh, log, failed, give_up=give_up),
        in_background(
            "configuration", configuration.keep_fresh, log, counted("ConfigurationNotUsed")
        ),
    ]
    await stop_signal.wait()
    log.info("stopping")
    await server.stop()
    health.stop()
    for task in tasks:
        task.cancel()
    aws.close()
    intake.end()
    metrics.flush()
    log.info("stopped")
    if broken.is_set():
        raise BackgroundTaskError


async def _flush(metrics: Metrics, server: MllpServer, intake: Intake, tls: Tls) -> None:
    while True:
        await asyncio.sleep(_FLUSH_SECONDS)
        metrics.count("OpenConnections", server.open_connections)
        metrics.count("HeldBytes", server.shares.held_bytes)
        metrics.count("CertificatesExpiring", tls.expiring.count(datetime.now(UTC)))
        intake.report_rejected()
        metrics.flush()


def _report(log: Log, metrics: Metrics, context: dict[str, Any]) -> None:
    """Counts an uncaught exception and logs its position. asyncio's own report may quote message content."""
    metrics.count("TaskFailures")
    error = context.get("exception")
    log.error("uncaught exception in the event loop", error=where(error) if error else "")
