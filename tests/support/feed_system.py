"""The system in one process: the receiver's reading of bytes, then the real handlers in the workflow's order.

The state machine's own file runs in tests/workflow/test_whole.py. Here its order of steps is enough,
and an event takes milliseconds.
"""

import asyncio
import hashlib
import io
import json
from collections.abc import Mapping
from email import message_from_bytes, policy
from typing import Any, cast

import boto3
from moto.ses.models import ses_backends
from rich.console import Console

from hl7.acknowledgement import read_answer
from hl7.mllp import Decoder, Frame, wrap
from lambdas.common.errors import DependencyUnavailableError, EnsError
from ops.deployment import Deployment
from ops.events.terminal import show
from ops.events.trail import TrailSource
from receiver.intake.configuration import read_senders
from receiver.intake.intake import Intake
from receiver.intake.reference_key import ReferenceKey
from receiver.intake.sender_table import SenderTable
from receiver.settings import ReceiverSettings
from receiver.storage.store import IncomingMessage, Store, StoredMessage
from receiver.storage.turns import Turns
from receiver.telemetry.log import Log
from receiver.telemetry.metrics import Metrics
from tests.support.feed_cases import Case, CaseResult, MessageOutcome
from tests.support.workflow import ACCOUNT, Step

SETTINGS = ReceiverSettings(
    *("test", "vault", "queue", "key", "configuration", "configuration.json", "r1"),
    store_seconds=60,
)


REDELIVERIES = 5


KEY = ReferenceKey("k1", b"secret of reference-key")


class _InMemoryStore:
    """The receiver's store on moto's S3; envelopes are kept in a list in place of the queue."""

    def __init__(self) -> None:
        self.envelopes: list[dict[str, Any]] = []
        self._known: set[str] = set()

    async def put_message(self, message: IncomingMessage) -> StoredMessage:
        key = f"events/{message.event_id}/message.hl7"
        if message.event_id in self._known:
            return StoredMessage(key, "", "", 0)
        digest = hashlib.sha256(message.er7).hexdigest()
        answer = boto3.client("s3").put_object(Bucket="vault", Key=key, Body=message.er7)
        return StoredMessage(key, answer["VersionId"], digest, len(message.er7))

    async def send_envelope(self, message: IncomingMessage, stored: StoredMessage) -> None:
        resent = message.event_id in self._known
        self._known.add(message.event_id)
        self.envelopes.append(
            {
                "event_id": message.event_id,
                "bucket": "vault",
                "key": stored.key,
                "version_id": stored.version_id,
                "digest": KEY.reference("digest", stored.sha256),
                "bytes": stored.length,
                "received_at": message.received_at,
                "receiver": "r1",
                "connection": message.connection,
                "sender": message.sender,
                "resent": resent,
            }
        )

    async def put_rejected(self, content: bytes, reason: str, connection: str, peer: str) -> str:
        return "rejected/x"


class FeedSystem:
    """Receives bytes of a connection and processes each stored message to its end."""

    def __init__(
        self, deployment: Deployment, configuration: str, functions: Mapping[str, Step]
    ) -> None:
        self._deployment = deployment
        self._functions = functions
        self._store = _InMemoryStore()
        log = Log(io.StringIO())
        self._intake = Intake(
            SETTINGS,
            cast(Store, self._store),
            KEY,
            Metrics("t", log),
            log,
        )
        senders = read_senders(configuration.encode(), "local")
        self._origin = SenderTable(senders, reject_unknown=False).origin("c", "192.0.2.7", None)

    def run(self, case: Case) -> CaseResult:
        """Sends the files of a case in order, each after the outcome of the one before."""
        answers: list[list[str]] = []
        outcomes: list[MessageOutcome] = []
        for file in case.files:
            sent = file.read_bytes()
            answered, processed = self.send(wrap(sent) if file.suffix == ".hl7" else sent)
            answers.append(answered)
            outcomes += processed
        return CaseResult(answers, outcomes)

    def send(self, stream: bytes) -> tuple[list[str], list[MessageOutcome]]:
        """The answers to the frames in these bytes, as `accepted` or `refused`, and each message's outcome."""
        before = len(self._store.envelopes)
        answers = asyncio.run(self._answers(stream))
        given = [
            "accepted" if read_answer(answer).accepted else "refused"
            for answer in answers
            if answer
        ]
        return given, [self._process(envelope) for envelope in self._store.envelopes[before:]]

    async def _answers(self, stream: bytes) -> list[bytes | None]:
        decoder, turns = Decoder(SETTINGS.max_message_bytes), Turns()
        frames: list[Frame] = [*decoder.feed(stream), *decoder.end()]
        return [await self._intake.answer(frame, self._origin, turns) for frame in frames]

    def _process(self, envelope: dict[str, Any]) -> MessageOutcome:
        """Runs the steps for one message. A copy of an earlier message is processed once."""
        if envelope.pop("resent"):
            return MessageOutcome("COMPLETED")
        event_id = envelope["event_id"]
        sent_before = len(_sent())
        error = ""
        try:
            self._redelivered(envelope)
        except EnsError as failure:
            error = type(failure).__name__
        _end(event_id, "FAILED" if error else "COMPLETED", error)
        return MessageOutcome(
            status="FAILED" if error else "COMPLETED",
            error=error,
            mails=tuple(map(_text, _sent()[sent_before:])),
            event=_event(event_id),
            trace=self._trace(event_id),
        )

    def _redelivered(self, envelope: dict[str, Any]) -> None:
        """Runs the steps, again where a dependency was too slow: the queue delivers such a message anew."""
        for left in reversed(range(REDELIVERIES)):
            try:
                self._steps(envelope)
            except DependencyUnavailableError:
                if not left:
                    raise
            else:
                return

    def _steps(self, envelope: dict[str, Any]) -> None:
        """Runs the steps in the order of statemachine/patient_event.asl.json."""
        run = {"execution_arn": "arn:run", "attempt": 0}
        parsed = self._understood(
            self._functions["ParseMessage"]({"envelope": envelope, **run}), run
        )
        if not parsed["notifiable"]:
            return
        names = {name: parsed[name] for name in ("event_id", "sender", "received_at")}
        version = {"version_id": parsed["version_id"]}
        encounter = {**version, "encounter_ref": parsed["encounter_ref"]}
        identities = self._functions["LookupIdentities"](
            {"envelope": names, "parsed": encounter, **run}
        )
        recipients = identities["recipients"]
        clinical = self._functions["ExtractEntities"](
            {
                "envelope": names,
                "parsed": version,
                "recipients": recipients,
                "turn": 0,
                "started_at": envelope["received_at"],
                **run,
            }
        )
        for recipient in recipients:
            self._functions["DeliverNotification"](
                {
                    "envelope": names,
                    "recipient_ref": recipient["recipient_ref"],
                    "second": recipient["second"],
                    "parsed": {**encounter, "event_kind": parsed["event_kind"]},
                    "identities": {
                        name: identities[name] for name in ("version_id", "patient_ref")
                    },
                    "clinical": clinical,
                    **run,
                }
            )

    def _understood(self, read: dict[str, Any], run: dict[str, Any]) -> dict[str, Any]:
        """The codes of the event that decide how the workflow goes on: those of TrackEncounter."""
        task = {
            "envelope": {name: read[name] for name in ("event_id", "sender", "received_at")},
            "parsed": {"version_id": read["version_id"]},
            "duplicate": read["duplicate"],
        }
        decided: dict[str, Any] = self._functions["TrackEncounter"]({**task, **run})
        return decided

    def _trace(self, event_id: str) -> str:
        """The text that `ens trace` prints."""
        trail = TrailSource(self._deployment).event(event_id)
        out = io.StringIO()
        if trail is not None:
            show(trail, Console(file=out, width=200))
        return out.getvalue()


def _event(event_id: str) -> Any:
    """The event.json that ParseMessage wrote; None where it read no event."""
    s3 = boto3.client("s3")
    try:
        answer = s3.get_object(Bucket="vault", Key=f"events/{event_id}/event.json")
    except s3.exceptions.NoSuchKey:
        return None
    return json.loads(answer["Body"].read())


def _end(event_id: str, status: str, error: str) -> None:
    """Writes the event's final status, as the workflow's own states do."""
    boto3.client("dynamodb").update_item(
        TableName="status",
        Key={"event_id": {"S": event_id}},
        UpdateExpression="SET #s = :s, error_name = :e, failed_step = :e",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": {"S": status}, ":e": {"S": error}},
    )


def _sent() -> list[Any]:
    return list(ses_backends[ACCOUNT]["us-east-1"].sent_messages)


def _text(mail: Any) -> str:
    """Subject and plain text of a mail."""
    parsed = message_from_bytes(mail.raw_data.encode(), policy=policy.default)
    body = parsed.get_body(("plain",))
    return f"{parsed['subject']}\n{body.get_content() if body else ''}"
