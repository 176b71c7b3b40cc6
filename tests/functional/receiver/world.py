"""A receiver on a real port, its sender, and AWS that fails or waits on command."""

import asyncio
import io
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

import uvloop

from hl7.mllp import Decoder, wrap
from receiver.intake.client_certificate import Attributes, CertificateBinding
from receiver.intake.configuration import SenderConfiguration
from receiver.intake.intake import Intake
from receiver.intake.reference_key import ReferenceKey
from receiver.intake.sender_table import SenderBinding
from receiver.settings import ReceiverSettings
from receiver.storage.aws_client.calls import Aws, AwsService, Call
from receiver.storage.aws_client.http import HttpResponse
from receiver.storage.store import Store
from receiver.telemetry.health import HealthServer, Readiness
from receiver.telemetry.log import Log
from receiver.telemetry.metrics import Metrics
from receiver.transport.server import MllpServer
from receiver.transport.tls import Tls
from tests.functional.receiver.certificates import SERVER

KEY = ReferenceKey("k1", b"secret of reference-key")


def adt(
    control_id: str = "NG-1",
    *,
    patient: str = "0042",
    kind: str = "ADT^A01^ADT_A01",
    time: str = "20261123091502",
    rest: str = "",
    more: bytes = b"",
) -> bytes:
    """An invented message of the configured sender `northgen`."""
    return (
        f"MSH|^~\\&|ADTSYS|NORTHGEN|HUB|ENS|{time}||{kind}|{control_id}|P|2.5.1{rest}\r"
        f"EVN||20261123091500\rPID|1||{patient}^^^NORTHGEN^MR||Quillfeather^Zeta||19580214|F\rPV1|1|I\r"
    ).encode() + more


class ErrorResponseError(Exception):
    """Raised by a fault: the service answers this instead."""

    def __init__(self, answer: HttpResponse) -> None:
        super().__init__()
        self.answer = answer


def error_of(
    service: str, code: str = "ServiceUnavailable", status: int = 503
) -> ErrorResponseError:
    """The error response of a service."""
    body = f"<Error><Code>{code}</Code></Error>".encode()
    return ErrorResponseError(HttpResponse(status, {}, body))


@dataclass(frozen=True)
class StoredThings:
    """boto3's clients, with which a test looks at what the receiver has stored."""

    s3: Any
    sqs: Any


class CallFaults:
    """The fault in a call of an operation, before it reaches AWS (`before`) or after it (`after`)."""

    def __init__(self) -> None:
        self.before: dict[str, Callable[[], None]] = {}
        self.after: dict[str, Callable[[], None]] = {}

    def install(self, service: AwsService) -> None:
        """Puts itself between the receiver and a service."""
        send = service.send

        async def meet(call: Call) -> HttpResponse:
            try:
                await self._meet(self.before, call)
                answer = await send(call)
                await self._meet(self.after, call)
            except ErrorResponseError as error:
                return error.answer
            return answer

        setattr(service, "send", meet)  # noqa: B010  mypy knows no assignment to a method

    async def _meet(self, plan: dict[str, Callable[[], None]], call: Call) -> None:
        action = plan.get(call.operation)
        if action is not None:
            await asyncio.to_thread(action)

    def fail(self, operation: str, error: Exception | None = None) -> None:
        """From now on the operation fails."""

        def fail() -> None:
            raise error or error_of(operation)

        self.before[operation] = fail

    def mend(self) -> None:
        """From now on everything works."""
        self.before.clear()
        self.after.clear()

    @contextmanager
    def hold(self, operation: str) -> Iterator[None]:
        """Inside the block, calls of the operation wait."""
        gate = threading.Event()

        def wait() -> None:
            gate.wait(10)

        self.before[operation] = wait
        try:
            yield
        finally:
            gate.set()
            del self.before[operation]


def settings_for_tests(bucket: str, queue_url: str, **limits: Any) -> ReceiverSettings:
    """Settings on free ports of the loopback, with the limits given."""
    ports = {"mllp_host": "127.0.0.1", "mllp_port": 0, "health_port": 0}
    limits = {"unknown_senders": "accept", **limits}
    return replace(
        ReceiverSettings(
            environment="test",
            vault_bucket=bucket,
            queue_url=queue_url,
            reference_key_secret="reference-key",
            configuration_bucket=bucket,
            configuration_key="configuration.json",
            receiver_id="r1",
        ),
        **{**ports, **limits},
    )


NORTHGEN = SenderBinding("northgen", "ADTSYS", "NORTHGEN")


def configuration_document(*senders: SenderBinding, environment: str = "test") -> bytes:
    """The configuration document with these senders."""
    entries = [
        {
            "name": sender.name,
            "sending_application": sender.sending_application,
            "sending_facility": sender.sending_facility,
            "networks": list(map(str, sender.networks)),
            "certificates": [_written(one) for one in sender.certificates],
            "trigger_events": sorted(sender.trigger_events),
        }
        for sender in senders
    ]
    return json.dumps({"version": 1, "environment": environment, "senders": entries}).encode()


def _written(binding: CertificateBinding) -> dict[str, Any]:
    """A binding as the configuration document holds it."""
    entry = {"issuer": dict(_pairs(binding.issuer)), "subject": dict(_pairs(binding.subject))}
    return {**entry, "dns_name": binding.dns_name}


def _pairs(name: Attributes) -> list[tuple[str, str]]:
    return [(kind, value) for kind, value, _ in name]


class ReceiverWorld:
    """A running receiver with its own event loop in a thread."""

    def __init__(
        self,
        settings: ReceiverSettings,
        clients: StoredThings,
        senders: tuple[SenderBinding, ...] = (NORTHGEN,),
    ) -> None:
        self.settings = settings
        self.bucket = settings.vault_bucket
        self.queue_url = settings.queue_url
        self.output = io.StringIO()
        self.clients = clients
        self.configure(configuration_document(*senders))
        self.faults = CallFaults()
        self.mllp_port = self.health_port = 0
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._stop())
        self.run(self._cancel_what_is_left())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def run(self, job: Coroutine[Any, Any, Any]) -> Any:
        """Runs a coroutine in the receiver's loop and returns its result."""
        return asyncio.run_coroutine_threadsafe(job, self._loop).result(20)

    async def _start(self) -> None:
        log = Log(self.output)
        self.metrics = Metrics("test", log)
        self._aws = Aws(self.settings)
        for service in (self._aws.s3, self._aws.sqs):
            self.faults.install(service)
        self.tls = tls = Tls(self.settings, self.metrics, log)
        tls.load()
        self._reloading = asyncio.create_task(tls.keep_fresh())
        configuration = SenderConfiguration(self.settings, self._aws, self.metrics, log)
        await configuration.load()
        self._renewing = asyncio.create_task(configuration.keep_fresh())
        store = Store(self.settings, self._aws, KEY)
        intake = Intake(self.settings, store, KEY, self.metrics, log)
        self.server = MllpServer(self.settings, intake, configuration, self.metrics, log, tls=tls)
        self._health = HealthServer("127.0.0.1", 0, Readiness(self.server, intake))
        self.mllp_port = await self.server.start()
        self.health_port = await self._health.start()

    async def _cancel_what_is_left(self) -> None:
        """Ends what is still under way, such as a store whose sender has gone, as `asyncio.Runner` does."""
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _stop(self) -> None:
        await self.server.stop()
        self._health.stop()
        self._reloading.cancel()
        self._renewing.cancel()
        self._aws.close()
        await asyncio.sleep(0)  # what was closed says good-bye

    def configure(self, document: bytes) -> None:
        """Writes the configuration document."""
        self.clients.s3.put_object(
            Bucket=self.settings.configuration_bucket,
            Key=self.settings.configuration_key,
            Body=document,
        )

    def connect(self, source: str = "", tls: ssl.SSLContext | None = None) -> "Peer":
        """A new connection to the receiver, from another loopback address if wanted, and over TLS."""
        return Peer(self.mllp_port, source, tls)

    def objects(self, prefix: str) -> dict[str, bytes]:
        """Every object under the prefix, and every version counted once more in its key."""
        found = self.clients.s3.list_object_versions(Bucket=self.bucket, Prefix=prefix)
        return {
            f"{one['Key']}@{one['VersionId']}": self.clients.s3.get_object(
                Bucket=self.bucket, Key=one["Key"], VersionId=one["VersionId"]
            )["Body"].read()
            for one in found.get("Versions", [])
        }

    def envelopes(self) -> list[dict[str, Any]]:
        """Takes every message off the queue and returns their bodies, in order."""
        bodies = []
        while True:
            got = self.clients.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
            for message in got.get("Messages", []):
                self.clients.sqs.delete_message(
                    QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
                bodies.append(json.loads(message["Body"]))
            if not got.get("Messages"):
                return bodies

    def logged(self) -> list[dict[str, Any]]:
        """Every log and metric line up to now, the metrics flushed."""

        async def flush() -> None:
            self.metrics.flush()

        self.run(flush())
        return [json.loads(line) for line in self.output.getvalue().splitlines()]

    def counted(self, metric: str, **dimensions: str) -> float:
        """The sum of a metric over all its lines."""
        return sum(
            float(line[metric])
            for line in self.logged()
            if metric in line and dimensions.items() <= line.items()
        )


class Peer:
    """A sender's end of one connection."""

    def __init__(self, port: int, source: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.socket = socket.create_connection(
            ("127.0.0.1", port), timeout=30, source_address=(source, 0) if source else None
        )
        if tls is not None:
            plain = self.socket
            try:
                self.socket = tls.wrap_socket(plain, server_hostname=SERVER)
            except BaseException:
                plain.close()
                raise
        self._decoder = Decoder(1 << 20)
        self._answers: list[bytes] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, *messages: bytes) -> None:
        """Writes the messages framed, in one write."""
        self.raw(b"".join(map(wrap, messages)))

    def raw(self, data: bytes) -> None:
        """Writes the bytes as they are."""
        self.socket.sendall(data)

    def ask(self, message: bytes) -> str:
        """Sends one message and returns `<code> <MSA-2>` of its answer."""
        self.send(message)
        return self.answer()

    def answer(self) -> str:
        """`<code> <MSA-2>` of the next answer."""
        fields = self.acknowledgement().split(b"\r")[1].split(b"|")
        return b" ".join(fields[1:3]).decode()

    def acknowledgement(self) -> bytes:
        """The next answer; raises `EOFError` when the receiver closes first."""
        while not self._answers:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self._answers += [frame.message for frame in self._decoder.feed(data)]
        return self._answers.pop(0)

    def is_silent(self, seconds: float = 0.2) -> bool:
        """Whether no answer comes for that long."""
        if self._answers:
            return False
        self.socket.settimeout(seconds)
        try:
            return not self.socket.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(30)

    def is_closed(self) -> bool:
        """Whether the receiver has closed, with nothing more to read."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True


def eventually(condition: Callable[[], bool], seconds: float = 3) -> bool:
    """Whether the condition comes true within that time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return condition()
