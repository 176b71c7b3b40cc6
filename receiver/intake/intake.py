"""Turns a frame into its acknowledgement: checks the message, stores or rejects it, answers."""

import asyncio
import time
from collections.abc import Callable

from hl7.acknowledgement import Acknowledgement, acknowledge, asks_for_rejections
from hl7.header import Header, find_header
from hl7.identity import event_id, patient_identifier
from hl7.mllp import Frame, FrameFault
from receiver.errors import StoreUnavailableError
from receiver.intake.reference_key import ReferenceKey
from receiver.intake.rejections import RECEIVER_FAULT, UNAVAILABLE, Rejection, Rules
from receiver.intake.reused_control_ids import ControlIds
from receiver.intake.sender_table import Origin, SenderBinding
from receiver.settings import ReceiverSettings
from receiver.storage.store import IncomingMessage, Store
from receiver.storage.turns import OutOfTurnError, Turns
from receiver.telemetry.hourly_cap import HourlyCap, HourlyCount
from receiver.telemetry.log import Log, timestamp, where
from receiver.telemetry.metrics import Metrics

ABORTED = "aborted"
EMPTY = b" \t\r\n\x00\x0b\x1c"
"""A frame of nothing else is a sign of life."""
_HEADER_BYTES = 65_536
_TIMED_BYTES = 4_096
"""Messages up to this length cost about the same; their connection counts them."""
_TOO_LATE = "no confirmation in time"


class Intake:
    """Processes the frames of all connections.

    `failed_at` is the monotonic time of the last failed store, None after a successful one.
    """

    def __init__(
        self,
        settings: ReceiverSettings,
        store: Store,
        key: ReferenceKey,
        metrics: Metrics,
        log: Log,
    ) -> None:
        self._settings = settings
        self._rules = Rules(settings.processing_ids)
        self._store = store
        self._key = key
        self._metrics = metrics
        self._log = log
        self._seen = ControlIds()
        self._rejected = HourlyCap(settings.rejected_kept, settings.rejected_kept_bytes)
        self.failed_at: float | None = None

    async def answer(
        self,
        frame: Frame,
        origin: Origin,
        turns: Turns,
        spent: Callable[[float], None] = lambda _: None,
    ) -> bytes | None:
        """Returns the acknowledgement without MLLP framing, or None when none is sent. Never raises.

        None is sent in three cases: MSH-15 and MSH-16 ask for none; the frame is empty, as senders test
        a connection; or its sender aborted the frame and waits for the answer to the next one (HL7 v2.5.1,
        2.9.2 and 2.9.3). The code before the first `await` runs in the order of arrival. `spent` is told the
        processor time in seconds that reading the message took.
        """
        began = time.perf_counter()
        if frame.fault is None and not frame.message.strip(EMPTY):
            self._metrics.count("EmptyFrames")
            return None
        self._metrics.count("Received")
        self._metrics.count("ReceivedBytes", len(frame.message))
        header: Header | None = None
        try:
            # A faulty frame is rejected whatever follows; its header is wanted for the answer alone.
            header = find_header(frame.message[:_HEADER_BYTES] if frame.fault else frame.message)
            if frame.fault is FrameFault.ABORTED:
                await self._store_rejected(frame.message, ABORTED, origin)
                return None
            sender = origin.sender_of(header)
            rejection = self._rules.rejection_of(frame, header, sender)
            if len(frame.message) > _TIMED_BYTES:
                spent(time.perf_counter() - began)
            if rejection is not None:
                await self._store_rejected(frame.message, rejection.reason, origin)
            elif header is not None and sender is not None:
                began = time.perf_counter()
                message = self._incoming(frame.message, header, sender, origin)
                if len(frame.message) > _TIMED_BYTES:
                    spent(time.perf_counter() - began)
                rejection = await self._store_message(message, header, turns)
            acknowledgement = acknowledge(header, rejection)
        except Exception as fault:
            # A fault of the receiver: the sender gets AR, so it sends the message again.
            self._log.error(
                "unexpected error: answered AR", connection=origin.connection, error=where(fault)
            )
            self._metrics.count("Rejected", reason=RECEIVER_FAULT.reason)
            acknowledgement = self._without_details(header)
        if acknowledgement.message is None:
            self._metrics.count("AnswerNotAsked")
        else:
            self._metrics.count("Acknowledged", code=acknowledgement.code)
        return acknowledgement.message

    def report_rejected(self) -> None:
        """Logs the peers of which not every rejected frame was kept, once an hour."""
        self._report(self._rejected.ended_hour(time.monotonic()))

    def end(self) -> None:
        """Logs the current hour's peers of which not every rejected frame was kept."""
        self._report(self._rejected.restart(time.monotonic()))

    def _report(self, counts: dict[str, HourlyCount]) -> None:
        for peer, count in counts.items():
            self._log.warning(
                "rejected messages not kept",
                peer=peer,
                kept=count.items,
                not_kept=count.left_out,
                not_kept_bytes=count.left_out_bytes,
            )

    async def probe(self) -> None:
        """Returns when bucket and queue answer, else raises `StoreUnavailableError`."""
        try:
            async with asyncio.timeout(self._settings.store_seconds):
                await self._store.probe()
        except TimeoutError:
            raise StoreUnavailableError(_TOO_LATE) from None

    async def _store_message(
        self, message: IncomingMessage, header: Header, turns: Turns
    ) -> Rejection | None:
        """Stores a message. Returns None when S3 and SQS have confirmed it, else the reason to reject it."""
        self._check_control_id(message, header)
        began = time.monotonic()
        try:
            # `store_seconds` is below the sender's timeout, so the sender gets AR before it gives up.
            resent = asks_for_rejections(header.letterhead)
            async with turns.take(message.group, message.event_id, resent=resent) as turn:
                async with asyncio.timeout(self._settings.store_seconds):
                    stored = await self._store.put_message(message)
                    await turn.reached()
                    await self._store.send_envelope(message, stored)
        except (StoreUnavailableError, TimeoutError) as error:
            # Not copied to `rejected/`: the sender still has the message and sends it again.
            if not isinstance(error, OutOfTurnError):
                self.failed_at = time.monotonic()
            self._metrics.count("Rejected", reason=UNAVAILABLE.reason)
            self._log.warning(
                "message not stored",
                event_id=message.event_id,
                connection=message.connection,
                error=str(error) or _TOO_LATE,
            )
            return UNAVAILABLE
        self.failed_at = None
        self._metrics.took("StoreLatency", time.monotonic() - began)
        return None

    async def _store_rejected(self, content: bytes, reason: str, origin: Origin) -> None:
        """Stores the bytes of a rejected frame. A failure is counted and does not change the answer.

        Only a part of each hour's is stored and logged, so that nobody can fill bucket and log.
        """
        self._metrics.count("Rejected", reason=reason)
        if not self._rejected.admits(origin.peer, len(content)):
            self._metrics.count("RejectedNotKept")
            return
        key = ""
        try:
            async with asyncio.timeout(self._settings.store_seconds):
                key = await self._store.put_rejected(
                    content, reason, origin.connection, origin.peer
                )
        except (StoreUnavailableError, TimeoutError) as error:
            self._metrics.count("RejectedNotStored")
            self._log.error(
                "rejected message not stored",
                connection=origin.connection,
                error=str(error) or _TOO_LATE,
            )
        self._log.warning(
            "message rejected",
            reason=reason,
            connection=origin.connection,
            peer=origin.peer,
            bytes=len(content),
            key=key,
        )

    def _incoming(
        self, er7: bytes, header: Header, sender: SenderBinding, origin: Origin
    ) -> IncomingMessage:
        event = event_id(header, sender.name)
        identifier = patient_identifier(header)
        return IncomingMessage(
            event_id=event,
            # A message without a patient identifier has its own group: it waits for no other message.
            group=self._key.reference("group", sender.name, *identifier) if identifier else event,
            sender=sender.name,
            connection=origin.connection,
            received_at=timestamp(),
            er7=er7,
        )

    def _check_control_id(self, message: IncomingMessage, header: Header) -> None:
        """Logs and counts an MSH-10 that its sender used for another message. Both are processed."""
        letterhead = header.letterhead
        origin = message.sender.encode(), letterhead.value(3), letterhead.value(4)
        identity = b"\r".join((*origin, header.control_id))
        if self._seen.reused(identity, message.event_id):
            self._metrics.count("ControlIdReused")
            self._log.warning(
                "control id reused", event_id=message.event_id, connection=message.connection
            )

    def _without_details(self, header: Header | None) -> Acknowledgement:
        """An AR with the header's ids, or without them when the header itself causes the error."""
        try:
            return acknowledge(header, RECEIVER_FAULT)
        except Exception:
            return acknowledge(None, RECEIVER_FAULT)
