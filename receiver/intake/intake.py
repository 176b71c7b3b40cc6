"""Turns a frame into its acknowledgement: checks the message, stores or rejects it, answers."""

import asyncio
import time

from hl7.acknowledgement import Acknowledgement, acknowledge
from hl7.header import Header, event_id, find_header, patient_identifier
from hl7.mllp import Fault, Frame
from receiver.errors import StoreUnavailableError
from receiver.intake.control_ids import ControlIds
from receiver.intake.reference_key import ReferenceKey
from receiver.intake.refusals import RECEIVER_FAULT, UNAVAILABLE, Refusal, Rules
from receiver.intake.sender_table import UNKNOWN, Origin
from receiver.settings import Settings
from receiver.storage.store import Arrival, Store
from receiver.storage.turns import Turns
from receiver.telemetry.log import Log, timestamp, where
from receiver.telemetry.metrics import Metrics

ABORTED = "aborted"
EMPTY = b" \t\r\n\x00\x0b\x1c"
"""A frame of nothing else is a sign of life."""
_TOO_LATE = "no confirmation in time"


class Intake:
    """Processes the frames of all connections.

    `failed_at` is the monotonic time of the last failed store; None after a successful one.
    """

    def __init__(
        self, settings: Settings, store: Store, key: ReferenceKey, metrics: Metrics, log: Log
    ) -> None:
        self._settings = settings
        self._rules = Rules(settings.processing_ids)
        self._store = store
        self._key = key
        self._metrics = metrics
        self._log = log
        self._seen = ControlIds()
        self.failed_at: float | None = None

    async def answer(self, frame: Frame, origin: Origin, turns: Turns) -> bytes | None:
        """Returns the acknowledgement to send, unframed; None when there is none to send. Never raises.

        There is none when MSH-15 and MSH-16 ask for none, for an empty frame, which senders use as a sign
        of life, and for a frame that its sender aborted: the sender waits for the answer to the next
        frame. Until its first `await` it runs in the order of
        arrival.
        """
        if frame.fault is None and not frame.payload.strip(EMPTY):
            self._metrics.count("EmptyFrames")
            return None
        self._metrics.count("Received")
        self._metrics.count("ReceivedBytes", len(frame.payload))
        header: Header | None = None
        try:
            header = find_header(frame.payload)
            if frame.fault is Fault.ABORTED:
                await self._refuse(frame.payload, ABORTED, origin)
                return None
            refusal = self._rules.refusal_of(frame, header, origin)
            if refusal is not None:
                await self._refuse(frame.payload, refusal.reason, origin)
            elif header is not None:
                refusal = await self._take(frame.payload, header, origin, turns)
            acknowledgement = acknowledge(header, refusal)
        except Exception as fault:
            # A fault of the receiver: the sender gets AR, never AA and never no answer.
            self._log.error("the receiver failed", connection=origin.connection, error=where(fault))
            self._metrics.count("Refused", reason=RECEIVER_FAULT.reason)
            acknowledgement = self._last_resort(header)
        if acknowledgement.message is None:
            self._metrics.count("AnswerNotAsked")
        else:
            self._metrics.count("Acknowledged", code=acknowledgement.code)
        return acknowledgement.message

    async def probe(self) -> None:
        """Returns when the store answers a probe. Raises `StoreUnavailableError` otherwise."""
        try:
            async with asyncio.timeout(self._settings.store_seconds):
                await self._store.probe()
        except TimeoutError:
            raise StoreUnavailableError(_TOO_LATE) from None

    async def _take(
        self, payload: bytes, header: Header, origin: Origin, turns: Turns
    ) -> Refusal | None:
        """Stores a message. Returns None when S3 and SQS have both confirmed, else the reason to reject it."""
        arrival = self._arrival(payload, header, origin)
        self._watch_control_id(arrival, header)
        began = time.monotonic()
        try:
            # The sender's timeout is above `store_seconds`: a slower store counts as unavailable.
            async with turns.take(arrival.group) as turn:
                async with asyncio.timeout(self._settings.store_seconds):
                    vaulted = await self._store.put_message(arrival)
                    await turn.reached()
                    await self._store.send_envelope(arrival, vaulted)
        except (StoreUnavailableError, TimeoutError) as error:
            # Not copied to `rejected/`: the sender keeps the message and sends it again.
            self.failed_at = time.monotonic()
            self._metrics.count("Refused", reason=UNAVAILABLE.reason)
            self._log.warning(
                "not stored",
                event_id=arrival.event_id,
                connection=arrival.connection,
                error=str(error) or _TOO_LATE,
            )
            return UNAVAILABLE
        self.failed_at = None
        self._metrics.took("StoreLatency", time.monotonic() - began)
        return None

    async def _refuse(self, payload: bytes, reason: str, origin: Origin) -> None:
        """Stores the bytes of a rejected message. A failure is counted and does not change the answer."""
        self._metrics.count("Refused", reason=reason)
        key = ""
        try:
            async with asyncio.timeout(self._settings.store_seconds):
                key = await self._store.keep_refused(
                    payload, reason, origin.connection, origin.peer
                )
        except (StoreUnavailableError, TimeoutError) as error:
            self._metrics.count("RefusedNotKept")
            self._log.error(
                "refused and not kept",
                connection=origin.connection,
                error=str(error) or _TOO_LATE,
            )
        self._log.warning(
            "refused",
            reason=reason,
            connection=origin.connection,
            peer=origin.peer,
            bytes=len(payload),
            key=key,
        )

    def _arrival(self, payload: bytes, header: Header, origin: Origin) -> Arrival:
        event = event_id(header)
        identifier = patient_identifier(header)
        letterhead = header.letterhead
        sender = origin.sender(letterhead.sending_application, letterhead.sending_facility)
        return Arrival(
            event_id=event,
            # A message without a patient identifier is a group of its own.
            group=self._key.reference("group", letterhead.identity[1], *identifier)
            if identifier
            else event,
            sender=sender.name if sender else UNKNOWN,
            connection=origin.connection,
            received_at=timestamp(),
            payload=payload,
        )

    def _watch_control_id(self, arrival: Arrival, header: Header) -> None:
        """Logs and counts an MSH-10 that is used for another message. That message is processed too."""
        letterhead = header.letterhead
        identity = b"\r".join((letterhead.value(3), letterhead.value(4), header.control_id))
        if self._seen.reused(identity, arrival.event_id):
            self._metrics.count("ControlIdReused")
            self._log.warning(
                "control id reused", event_id=arrival.event_id, connection=arrival.connection
            )

    def _last_resort(self, header: Header | None) -> Acknowledgement:
        try:
            return acknowledge(header, RECEIVER_FAULT)
        except Exception:
            return acknowledge(None, RECEIVER_FAULT)
