"""One frame to one answer: judged, stored or refused, acknowledged. No frame leaves without its answer."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from receiver.acknowledge import Acknowledgement, acknowledge
from receiver.errors import StoreUnavailableError
from receiver.framing import Fault, Frame
from receiver.keys import ReferenceKey
from receiver.log import Log, timestamp, where
from receiver.message import Header, event_id, find_header, patient_identifier
from receiver.metrics import Metrics
from receiver.refusals import RECEIVER_FAULT, UNAVAILABLE, Refusal, refusal_of
from receiver.settings import Settings
from receiver.store import Arrival, Store
from receiver.turns import Turns

Result = TypeVar("Result")

ABORTED = "aborted"


class Intake:
    """Takes the frames of all connections.

    `failed_at` is when storing last failed on the monotonic clock, None since it last succeeded.
    """

    def __init__(
        self, settings: Settings, store: Store, key: ReferenceKey, metrics: Metrics, log: Log
    ) -> None:
        self._settings = settings
        self._store = store
        self._key = key
        self._metrics = metrics
        self._log = log
        self._threads = ThreadPoolExecutor(settings.store_threads, thread_name_prefix="store")
        self.failed_at: float | None = None

    async def answer(self, frame: Frame, connection: str, turns: Turns) -> bytes | None:
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
                await self._refuse(frame.payload, ABORTED, connection)
                return None
            refusal = refusal_of(frame, header)
            if refusal is not None:
                await self._refuse(frame.payload, refusal.reason, connection)
            elif header is not None:
                refusal = await self._take(frame.payload, header, connection, turns)
            acknowledgement = acknowledge(header, refusal)
        except Exception as fault:
            # Whatever it was, it is ours, and the sender must hear of it: never AA, never silence.
            self._log.error("the receiver failed", connection=connection, error=where(fault))
            self._metrics.count("Refused", reason=RECEIVER_FAULT.reason)
            acknowledgement = self._last_resort(header)
        if acknowledgement.message is None:
            self._metrics.count("AnswerNotAsked")
        else:
            self._metrics.count("Acknowledged", code=acknowledgement.code)
        return acknowledgement.message

    async def probe(self) -> None:
        """Returns when the store answers a probe; raises `StoreUnavailableError` when it does not."""
        async with self._patience():
            await self._in_thread(self._store.probe)

    def close(self) -> None:
        """Takes no more work; what waits for a thread is dropped, what runs ends by its own limits."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _take(
        self, payload: bytes, header: Header, connection: str, turns: Turns
    ) -> Refusal | None:
        """Stores a message; None when S3 and SQS have both confirmed it."""
        arrival = self._arrival(payload, header, connection)
        began = time.monotonic()
        try:
            async with turns.take(arrival.group) as turn, self._patience():
                vaulted = await self._in_thread(self._store.put_message, arrival)
                await turn.reached()
                await self._in_thread(self._store.send_envelope, arrival, vaulted)
        except StoreUnavailableError as error:
            # Its bytes are not copied to `rejected/`: the sender keeps the message and sends it again.
            self.failed_at = time.monotonic()
            self._metrics.count("Refused", reason=UNAVAILABLE.reason)
            self._log.warning(
                "not stored", event_id=arrival.event_id, connection=connection, error=str(error)
            )
            return UNAVAILABLE
        self.failed_at = None
        self._metrics.took("StoreLatency", time.monotonic() - began)
        return None

    async def _refuse(self, payload: bytes, reason: str, connection: str) -> None:
        """Keeps the bytes of what is refused. Failing that is counted, and changes no answer."""
        self._metrics.count("Refused", reason=reason)
        key = ""
        try:
            async with self._patience():
                key = await self._in_thread(self._store.keep_refused, payload, reason, connection)
        except StoreUnavailableError as error:
            self._metrics.count("RefusedNotKept")
            self._log.error("refused and not kept", connection=connection, error=str(error))
        self._log.warning(
            "refused", reason=reason, connection=connection, bytes=len(payload), key=key
        )

    def _arrival(self, payload: bytes, header: Header, connection: str) -> Arrival:
        event = event_id(payload, header)
        identifier = patient_identifier(payload, header)
        facility = header.value(4).decode("latin-1")
        return Arrival(
            event_id=event,
            # A message without a patient's id is a group of its own.
            group=self._key.reference("group", facility, *identifier) if identifier else event,
            sender=self._settings.sender_name(
                header.component(3).decode("latin-1"), header.component(4).decode("latin-1")
            ),
            connection=connection,
            received_at=timestamp(),
            payload=payload,
        )

    def _last_resort(self, header: Header | None) -> Acknowledgement:
        try:
            return acknowledge(header, RECEIVER_FAULT)
        except Exception:
            return acknowledge(None, RECEIVER_FAULT)

    async def _in_thread(self, call: Callable[..., Result], *arguments: object) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *arguments)

    @asynccontextmanager
    async def _patience(self) -> AsyncIterator[None]:
        """The sender's patience: what takes longer is unavailable."""
        try:
            async with asyncio.timeout(self._settings.store_seconds):
                yield
        except TimeoutError:
            raise StoreUnavailableError("no confirmation in time") from None
