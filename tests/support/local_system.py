"""The local system as a test drives it: from the outside, over MLLP, HTTP and any AWS client."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from environments import load
from hl7.acknowledgement import ReceivedAcknowledgement
from hl7.header import find_header
from hl7.identity import event_id
from local.aws import clients
from ops.sending.messages import OutgoingMessage
from ops.sending.mllp import ReceiverConnection
from tests.support.ens import EnsProcesses

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
START_SECONDS = 110.0
WAIT_SECONDS = 90.0
SENDERS = {
    (one.sending_application, one.sending_facility): one.name for one in load("local").senders
}

Document = dict[str, Any]
Found = TypeVar("Found")


class LocalSystem:
    """A running `python -m local` of the checkout at `root`, on ports and in a folder of its own."""

    def __init__(self, folder: Path, *options: str, root: Path = ROOT, mpi: str = "") -> None:
        self.folder = folder
        self.mllp_port, self.aws_port, self.console_port, health_port = free_ports(4)
        self._output = folder / "output.txt"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "local", "--folder", str(folder), *options],
                cwd=root,
                env={
                    **{k: v for k, v in os.environ.items() if not k.startswith(("ENS_", "AWS_"))},
                    "ENS_MPI": mpi,
                    "ENS_MLLP_PORT": str(self.mllp_port),
                    "ENS_AWS_PORT": str(self.aws_port),
                    "ENS_CONSOLE_PORT": str(self.console_port),
                    "ENS_HEALTH_PORT": str(health_port),
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._clients: dict[str, Any] = {}
        self._outputs: dict[str, str] = {}
        self._ens = EnsProcesses(folder)

    def wait_until_ready(self) -> None:
        """Returns when the console answers; `AssertionError` with the output when the process ends before."""

        def ready() -> bool:
            assert self.process.poll() is None, self.output()
            try:
                return self.request("GET", self.console_port, "/api/health")[0] == 200
            except OSError:
                return False

        wait_for(ready, "the console's health", START_SECONDS)

    def output(self) -> str:
        """All that it has printed."""
        return self._output.read_text("utf-8")

    def logs(self) -> str:
        """All that its parts have logged, its own output included."""
        files = sorted(self.folder.rglob("*.log"))
        return self.output() + "".join(file.read_text("utf-8", "replace") for file in files)

    def stop(self) -> int:
        """Ends it as Ctrl-C does and returns its exit status."""
        self._ens.stop()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()

    # -- what goes in

    def send(self, message: bytes | Path) -> ReceivedAcknowledgement:
        """Sends one message over MLLP on a connection of its own and returns the answer."""
        body = message.read_bytes() if isinstance(message, Path) else message
        with ReceiverConnection(HOST, self.mllp_port, timeout=20) as connection:
            return connection.send(OutgoingMessage("test", 1, body))

    def process_message(self, message: bytes | Path) -> Document:
        """Sends a message that is to be accepted and returns its event once that has ended."""
        assert self.send(message).accepted
        return self.ended(self.event_id(message))

    def event_id(self, message: bytes | Path) -> str:
        """The event id that the receiver gives a message."""
        body = message.read_bytes() if isinstance(message, Path) else message
        header = find_header(body)
        assert header is not None
        letterhead = header.letterhead
        written = letterhead.sending_application, letterhead.sending_facility
        return event_id(header, SENDERS.get(written, "unknown"))

    # -- what can be seen

    def api(self, path: str) -> Any:
        """The JSON that the console answers; None for 404."""
        status, body = self.request("GET", self.console_port, path)
        return json.loads(body) if status == 200 else None

    def event(self, event: str) -> Document | None:
        """An event as `/api/events/<event_id>` has it; None before it is known."""
        found: Document | None = self.api(f"/api/events/{event}")
        return found

    def actions(self, event: str) -> list[str]:
        """The actions in the event's audit; none before it is known."""
        found = self.event(event)
        return [entry["action"] for entry in found["entries"]] if found else []

    def ended(self, event: str, *, runs: int = 1) -> Document:
        """The event once `runs` executions of it have ended, COMPLETED or FAILED."""

        def look() -> Document | None:
            found = self.event(event)
            endings = ("COMPLETED", "FAILED")
            ends = [e for e in (found or {}).get("entries", []) if e.get("actor") == "workflow"]
            is_over = found and found["status"] in endings and len(ends) >= runs
            return found if is_over else None

        return wait_for(look, f"the end of event {event}")

    def mails(self, event: str) -> list[Document]:
        """The whole mails that were accepted for an event, the oldest first."""
        ids = [mail["mail_id"] for mail in self.api("/api/mail") if mail["event_id"] == event]
        return [self.api(f"/api/mail/{mail_id}") for mail_id in reversed(ids)]

    def client(self, service: str) -> Any:
        """A boto3 client of its AWS, as the developer."""
        if service not in self._clients:
            self._clients[service] = clients.client(service, self.aws_port)
        return self._clients[service]

    def stack_output(self, name: str) -> str:
        """An output of its core stack."""
        if not self._outputs:
            answer = self.client("cloudformation").describe_stacks(StackName="hl7-ens-local-core")
            (stack,) = answer["Stacks"]
            self._outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
        return self._outputs[name]

    def waiting(self, queue: str) -> int:
        """The number of messages of a queue, by the name of its output, in flight or not."""
        counted = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        attributes = self.client("sqs").get_queue_attributes(
            QueueUrl=self.stack_output(queue), AttributeNames=list(counted)
        )["Attributes"]
        return sum(int(attributes[name]) for name in counted)

    def ens(self, *arguments: str) -> str:
        """The output of `ens` against this system; `AssertionError` when it ends in an error."""
        found = self._ens.run(
            arguments,
            {
                **os.environ,
                "ENS_MLLP_PORT": str(self.mllp_port),
                "ENS_AWS_PORT": str(self.aws_port),
            },
        )
        assert found.status == 0, found.output + found.errors
        return found.output

    # -- what can be done to it

    def fail(self, service: str, operation: str, **fault: Any) -> None:
        """Arms a fault (local/aws/faults.py): the next `times` matching requests fail."""
        self._control(
            "POST", "/_local/faults", {"service": service, "operation": operation, **fault}
        )

    def mend(self) -> None:
        """Disarms every fault."""
        self._control("DELETE", "/_local/faults")

    def armed(self) -> list[Document]:
        """The faults that nobody has run into yet."""
        found: list[Document] = self._control("GET", "/_local/faults")
        return found

    def release_deliveries(self) -> None:
        """Calls ReleaseDeliveries, as its schedule does once a minute."""
        answer = self.client("lambda").invoke(
            FunctionName="hl7-ens-local-ReleaseDeliveries", Payload=b"{}"
        )
        assert "FunctionError" not in answer, answer["Payload"].read()

    def return_now(self) -> None:
        """Ends every visibility timeout, as if twelve minutes had passed."""
        self._control("POST", "/_local/return-now")

    def _control(self, method: str, path: str, document: Document | None = None) -> Any:
        status, body = self.request(method, self.aws_port, path, document)
        assert status == 200, body
        return json.loads(body)

    def request(
        self, method: str, port: int, path: str, document: Document | None = None
    ) -> tuple[int, bytes]:
        """Status and body of one HTTP request."""
        connection = http.client.HTTPConnection(HOST, port, timeout=20)
        try:
            body = json.dumps(document).encode() if document is not None else None
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def free_ports(number: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on just now."""
    sockets = [socket.create_server((HOST, 0)) for _ in range(number)]
    try:
        return [sock.getsockname()[1] for sock in sockets]
    finally:
        for sock in sockets:
            sock.close()


def wait_for(look: Callable[[], Found | None], what: str, seconds: float = WAIT_SECONDS) -> Found:
    """The result of `look` as soon as there is one; `AssertionError` when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come within {seconds:.0f} s")
