"""One frame to one answer: judged, stored or refused, acknowledged. No frame leaves without its answer."""

import asyncio
import time

from hl7.acknowledgement import Acknowledgement, acknowledge
from hl7.header import Header, event_id, find_header, patient_identifier
from hl7.mllp import Fault, Frame
from receiver.control_ids import ControlIds
from receiver.errors import StoreUnavailableError
from receiver.keys import ReferenceKey
from receiver.log import Log, timestamp, where
from receiver.metrics import Metrics
from receiver.refusals import RECEIVER_FAULT, UNAVAILABLE, Refusal, Rules
from receiver.senders import UNKNOWN, Origin
from receiver.settings import Settings
from receiver.store import Arrival, Store
from receiver.turns import Turns

ABORTED = "aborted"
_TOO_LATE = "no confirmation in time"


class Intake:
    """Takes the frames of all connections.

    `failed_at` is when storing last failed on the monotonic clock, None since it last succeeded.
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
        """The acknowledgement to send, unframed; None where none is due. It never raises.

        None is due where MSH-15 and MSH-16 ask for none, and for a frame that its sender aborted: the
        sender waits for the answer to the frame that came instead. Up to its first wait it runs in the
        order of arrival.
        """
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
            # Whatever it was, it is ours, and the sender must hear of it: never AA, never silence.
            self._log.error("the receiver failed", connection=origin.connection, error=where(fault))
            self._metrics.count("Refused", reason=RECEIVER_FAULT.reason)
            acknowledgement = self._last_resort(header)
        if acknowledgement.message is None:
            self._metrics.count("AnswerNotAsked")
        else:
            self._metrics.count("Acknowledged", code=acknowledgement.code)
        return acknowledgement.message

    async def probe(self) -> None:
        """Returns when the store answers a probe; raises `StoreUnavailableError` when it does not."""
        try:
            async with asyncio.timeout(self._settings.store_seconds):
                await self._store.probe()
        except TimeoutError:
            raise StoreUnavailableError(_TOO_LATE) from None

    async def _take(
        self, payload: bytes, header: Header, origin: Origin, turns: Turns
    ) -> Refusal | None:
        """Stores a message; None when S3 and SQS have both confirmed it."""
        arrival = self._arrival(payload, header, origin)
        self._watch_control_id(arrival, header)
        began = time.monotonic()
        try:
            # The sender's patience: what takes longer is unavailable.
            async with turns.take(arrival.group) as turn:
                async with asyncio.timeout(self._settings.store_seconds):
                    vaulted = await self._store.put_message(arrival)
                    await turn.reached()
                    await self._store.send_envelope(arrival, vaulted)
        except (StoreUnavailableError, TimeoutError) as error:
            # Its bytes are not copied to `rejected/`: the sender keeps the message and sends it again.
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
        """Keeps the bytes of what is refused. Failing that is counted, and changes no answer."""
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
            # A message without a patient's id is a group of its own.
            group=self._key.reference("group", letterhead.identity[1], *identifier)
            if identifier
            else event,
            sender=sender.name if sender else UNKNOWN,
            connection=origin.connection,
            received_at=timestamp(),
            payload=payload,
        )

    def _watch_control_id(self, arrival: Arrival, header: Header) -> None:
        """Says aloud when an MSH-10 comes back with another message; that message is processed too."""
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
