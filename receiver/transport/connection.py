"""One MLLP connection: decodes frames, answers each in a task, writes answers in the order of arrival."""

import asyncio
import time
import uuid
from collections import deque
from typing import Protocol, cast

from hl7.mllp import Decoder, Frame, wrap
from receiver.intake.client_certificate import ClientCertificate
from receiver.intake.intake import Intake
from receiver.intake.sender_table import Origin, SenderTable
from receiver.settings import ReceiverSettings
from receiver.storage.turns import Turns
from receiver.telemetry.log import Log
from receiver.telemetry.metrics import Metrics
from receiver.transport.keepalive import keep_alive

_CLOSED_BY_SENDER = "closed by the sender"


class Owner(Protocol):
    """The members of the server that a connection uses."""

    settings: ReceiverSettings
    intake: Intake
    metrics: Metrics
    log: Log

    @property
    def senders(self) -> SenderTable:
        """The sender table in use; another object after each change."""

    def opened(self, connection: "MllpConnection") -> None:
        """Called once the connection is made."""

    def closed(self, connection: "MllpConnection") -> None:
        """Called once the connection is gone."""


class _Place:
    """A frame's position in the queue of answers, with its task and its answer."""

    __slots__ = ("answer", "answered", "arrived_at", "task")
    task: asyncio.Task[None]

    def __init__(self, arrived_at: float) -> None:
        self.arrived_at = arrived_at
        self.answered = False
        self.answer: bytes | None = None


class MllpConnection(asyncio.Protocol):
    """The protocol of one connection. It stops reading while `max_in_flight` frames are unanswered."""

    def __init__(self, owner: Owner, peer: str) -> None:
        self._owner = owner
        self._settings = owner.settings
        self._intake = owner.intake
        self._metrics = owner.metrics
        self._loop = asyncio.get_running_loop()
        self._decoder = Decoder(owner.settings.max_message_bytes)
        self._turns = Turns()
        self._backlog: deque[tuple[Frame, _Place]] = deque()
        self._in_flight: deque[_Place] = deque()
        self._transport: asyncio.Transport | None = None
        self._end_timer: asyncio.TimerHandle | None = None
        self._blocked_at: float | None = None
        self._stopping = False
        self._waiting = False  # for room, with reading paused
        self._input_ended = False
        self._why = _CLOSED_BY_SENDER
        self._tls = False
        self._opened_at = self._heard_at = time.monotonic()
        self._frame_began_at: float | None = None
        self._bytes = self._frames = self._answers = 0
        self.peer = peer
        self.connection_id = uuid.uuid4().hex
        self._certificate: ClientCertificate | None = None
        self._table = owner.senders
        self._origin = Origin(self.connection_id, peer)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts the connection, after the TLS handshake if there is one."""
        self._transport = cast(asyncio.Transport, transport)
        keep_alive(transport.get_extra_info("socket"))
        self._tls = transport.get_extra_info("sslcontext") is not None
        self._certificate = ClientCertificate.of_peer(transport.get_extra_info("peercert"))
        self._find_senders()
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        """Cuts the data into frames and starts their tasks."""
        self._heard_at = time.monotonic()
        self._bytes += len(data)
        frames = self._decoder.feed(data)
        if self._decoder.in_frame:
            if frames or self._frame_began_at is None:
                self._frame_began_at = self._heard_at
            self._await_end_block()
        elif self._frame_began_at is not None:
            self._frame_began_at = None
            self._cancel_end_timer()
        if frames:
            self._take(frames)

    def eof_received(self) -> bool:
        """Leaves the write side open until all frames are answered, except under TLS.

        asyncio does not support half-closed TLS connections (Python, "asyncio.Protocol.eof_received").
        """
        self._end_input()
        return not self._tls

    def connection_lost(self, exc: Exception | None) -> None:
        """Lets messages in flight be stored, and logs the connection's counts."""
        if exc is not None:
            self._why = "connection lost"
        self._input_ended = True
        self._cancel_end_timer()
        self._log()
        self._transport = None
        self._backlog.clear()
        self._owner.closed(self)

    def pause_writing(self) -> None:
        """Stops reading: the write buffer is full, because the sender does not read its answers."""
        self._blocked_at = time.monotonic()

    def resume_writing(self) -> None:
        """Reads again: the write buffer has room."""
        self._blocked_at = None
        self._go_on()

    def stop(self) -> None:
        """Receives the frame in progress to its end, answers all frames, then closes."""
        self._stopping = True
        self._why = "the receiver is stopping"
        self._go_on()

    def abort(self) -> None:
        """Closes at once, without waiting for answers."""
        if self._transport is not None:
            self._transport.abort()

    def check(self, now: float) -> None:
        """Closes the connection after its write, frame or idle timeout. `now` is monotonic."""
        if self._blocked_at is not None and now - self._blocked_at > self._settings.frame_seconds:
            self._why = "write timeout: the sender does not read its answers"
            self.abort()
        elif self._transport is None or self._input_ended:
            return
        elif self._frame_began_at is not None and self._may_read():
            if now - self._frame_began_at > self._settings.frame_seconds:
                self._why = "frame timeout: no end block"
                self._end_input()
        elif not self._in_flight and now - self._heard_at > self._settings.idle_seconds:
            self._close("idle timeout")

    def _take(self, frames: list[Frame]) -> None:
        self._frames += len(frames)
        arrived_at = time.monotonic()
        for frame in frames:
            self._backlog.append((frame, _Place(arrived_at)))
        self._go_on()

    def _go_on(self) -> None:
        """Starts waiting frames, resumes reading below the limit, closes a finished connection."""
        while (
            self._backlog
            and self._blocked_at is None
            and len(self._in_flight) < self._settings.max_in_flight
        ):
            frame, place = self._backlog.popleft()
            self._in_flight.append(place)
            # Faster than loop.create_task(); the name keeps asyncio from generating one.
            place.task = asyncio.Task(self._answer(frame, place), loop=self._loop, name="answer")
        if self._transport is None:
            return
        if not self._in_flight and not self._backlog and self._finished():
            self._transport.close()
        elif not self._input_ended:
            self._read_or_pause(self._transport)

    def _read_or_pause(self, transport: asyncio.Transport) -> None:
        if self._may_read() != self._waiting:
            return  # no change
        self._waiting = not self._waiting
        if self._waiting:
            transport.pause_reading()
        else:
            if (
                self._frame_began_at is not None
            ):  # the receiver caused the pause: restart the timeout
                self._frame_began_at = time.monotonic()
            transport.resume_reading()
            self._await_end_block()

    def _may_read(self) -> bool:
        return not self._backlog and self._blocked_at is None and not self._finished()

    def _finished(self) -> bool:
        return self._input_ended or (self._stopping and not self._decoder.in_frame)

    async def _answer(self, frame: Frame, place: _Place) -> None:
        if self._table is not self._owner.senders:  # the configuration document has changed
            self._find_senders()
        place.answer = await self._intake.answer(frame, self._origin, self._turns)
        place.answered = True
        self._settle()

    def _find_senders(self) -> None:
        """Looks up the connection's permitted senders in the current table."""
        self._table = self._owner.senders
        self._origin = self._table.origin(self.connection_id, self.peer, self._certificate)

    def _settle(self) -> None:
        """Writes the finished answers at the head of the queue, in one write."""
        due = []
        now = time.monotonic()
        while self._in_flight and self._in_flight[0].answered:
            place = self._in_flight.popleft()
            self._metrics.took("AckLatency", now - place.arrived_at)
            if place.answer is not None:
                due.append(wrap(place.answer))
        if due and self._transport is not None:
            self._answers += len(due)
            self._transport.write(due[0] if len(due) == 1 else b"".join(due))
        if self._backlog or self._waiting or self._in_flight or self._finished():
            self._go_on()

    def _end_input(self) -> None:
        self._input_ended = True
        self._frame_began_at = None
        self._cancel_end_timer()
        if self._transport is not None:
            self._transport.pause_reading()
        self._take(self._decoder.end())

    def _await_end_block(self) -> None:
        """Starts the timer that ends a frame whose last byte is 0x1C without the 0x0D."""
        self._cancel_end_timer()
        if self._decoder.may_have_ended:
            self._end_timer = self._loop.call_later(
                self._settings.end_block_seconds, self._end_block_was_last
            )

    def _end_block_was_last(self) -> None:
        if not self._may_read():
            return  # reading is paused: the 0x0D may be in the socket's buffer
        frames = self._decoder.settle()
        self._frame_began_at = None
        self._take(frames)

    def _cancel_end_timer(self) -> None:
        if self._end_timer is not None:
            self._end_timer.cancel()
            self._end_timer = None

    def _close(self, why: str) -> None:
        self._why = why
        self._input_ended = True
        if self._transport is not None:
            self._transport.close()

    def _log(self) -> None:
        separators, junk = self._decoder.separator_bytes, self._decoder.junk_bytes
        if junk:
            self._metrics.count("JunkBytes", junk)
        if not self._bytes and self._why == _CLOSED_BY_SENDER:
            return  # probably the TCP health check of a load balancer
        self._owner.log.info(
            "connection closed",
            connection=self.connection_id,
            peer=self.peer,
            tls=self._tls,
            why=self._why,
            bytes=self._bytes,
            frames=self._frames,
            answers=self._answers,
            separator_bytes=separators,
            junk_bytes=junk,
            seconds=round(time.monotonic() - self._opened_at, 3),
        )
