"""One MLLP connection: decodes frames, answers each in a task, writes answers in the order of arrival.

A peer's connections share the process with those of other peers (`shares.py`).
"""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Protocol, cast

from hl7.mllp import Frame, FrameFault, wrap
from receiver.intake.client_certificate import ClientCertificate
from receiver.intake.intake import Intake
from receiver.intake.sender_table import Origin, SenderTable
from receiver.settings import ReceiverSettings
from receiver.storage.turns import Turns
from receiver.telemetry.log import Log
from receiver.telemetry.metrics import Metrics
from receiver.transport.answers import AnswerQueue, PendingAnswer
from receiver.transport.expiry import end_of_peer
from receiver.transport.keepalive import keep_alive
from receiver.transport.protocols import protocol_of
from receiver.transport.received_bytes import TURN_BYTES, ReceivedBytes
from receiver.transport.shares import PeerShare, Shares

INTERNAL_ERROR = "internal error"
NEW_TRUST = "client authorities or revocation lists have changed"
_CLOSED_BY_SENDER = "closed by the sender"
_EXPIRED = "the client certificate has expired"
_SMALL_MESSAGE_SECONDS = 0.00005
"""Processor time that a message costs after decoding; longer ones are timed."""
_TLS_READ_BYTES, _TLS_WRITE_BYTES = 16_384, 65_536
"""Bytes of a TLS connection in asyncio's buffers, beside the memory budget, above which it stops to read or write.

Its own limits are 256 and 512 KiB: a thousand paused connections would need more memory than a task has.
The first is one TLS record (RFC 8446, 5.1), the second the limit of a connection without TLS.
"""
_LINGER_SECONDS = 1.0
"""The longest time in which bytes of a sender are dropped after the last answer."""


class TlsTransport(Protocol):
    """A method of the TLS transports of asyncio and uvloop that typeshed does not know."""

    def set_read_buffer_limits(self, high: int) -> None:
        """Above this number of undecrypted bytes, the socket is not read."""


class Owner(Protocol):
    """The members of the server that a connection uses."""

    settings: ReceiverSettings
    intake: Intake
    metrics: Metrics
    log: Log
    shares: Shares

    @property
    def senders(self) -> SenderTable:
        """The sender table in use; another object after each change."""

    def may_log(self, peer: str) -> bool:
        """Whether a line about a connection of this peer that stored nothing is still to be logged."""

    def opened(self, connection: "MllpConnection") -> None:
        """Called once the connection is made."""

    def closed(self, connection: "MllpConnection") -> None:
        """Called once the connection is gone."""

    def failed(self, task: str, error: Exception) -> None:
        """Called after an error of the program in a task of the connection."""


class MllpConnection(asyncio.Protocol):
    """The protocol of one connection. It stops reading while `max_in_flight` frames are unanswered."""

    def __init__(self, owner: Owner, share: PeerShare) -> None:
        self._owner = owner
        self._shares = owner.shares
        self.share = share
        self._spent = partial(self._shares.spend, share)
        self._settings = owner.settings
        self._intake = owner.intake
        self._metrics = owner.metrics
        self._loop = asyncio.get_running_loop()
        self._received = ReceivedBytes(owner.settings.max_message_bytes)
        self._decoder = self._received.decoder
        self._turns = Turns()
        self._answers = AnswerQueue()
        self._backlog, self._in_flight = self._answers.backlog, self._answers.in_flight
        self._transport: asyncio.Transport | None = None
        self._end_timer: asyncio.TimerHandle | None = None
        self._blocked_at: float | None = None
        self._closing_at: float | None = None
        self._stopping = False
        self._waiting = False  # for room, with reading paused
        self._input_ended = False
        self._sender_ended = False
        self._lingers = False  # after the last answer, until the sender closes
        self._why = _CLOSED_BY_SENDER
        self._tls = False
        self._opened_at = self._heard_at = self._paused_at = time.monotonic()
        self._frame_began_at: float | None = None
        self._bytes = self._frames = self._sent = self._held_bytes = 0
        self._foreign = ""
        self._expires_at: float | None = None
        self.peer = peer = share.address
        self.connection_id = uuid.uuid4().hex
        self.certificate: ClientCertificate | None = None
        self._table = owner.senders
        self._origin = Origin(self.connection_id, peer)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts the connection, after the TLS handshake if there is one."""
        opened = self._transport = cast(asyncio.Transport, transport)
        self.guard("opening", lambda: self._open(opened))

    def _open(self, transport: asyncio.Transport) -> None:
        keep_alive(transport.get_extra_info("socket"))
        self._tls = transport.get_extra_info("sslcontext") is not None
        if self._tls:
            cast(TlsTransport, transport).set_read_buffer_limits(high=_TLS_READ_BYTES)
            transport.set_write_buffer_limits(high=_TLS_WRITE_BYTES)
        self.certificate = ClientCertificate.of_peer(transport.get_extra_info("peercert"))
        if self.certificate is not None and self.certificate.not_after:
            self._expires_at = end_of_peer(self.certificate.not_after).timestamp()
        self._find_senders()
        self._owner.opened(self)
        if self._has_expired():
            # A resumed session: OpenSSL does not verify its certificate again.
            self._why = _EXPIRED
            self.abort()

    def _has_expired(self) -> bool:
        """Whether the certificate of the client has expired."""
        return self._expires_at is not None and time.time() > self._expires_at

    def data_received(self, data: bytes) -> None:
        """Cuts the data into frames and starts their tasks."""
        if self._lingers:
            return
        self._heard_at = time.monotonic()
        self._bytes += len(data)
        if self._received.rest or len(data) > TURN_BYTES:
            self._received.keep(data)
            self._next_turn()
        else:
            self._decode(data)

    def _next_turn(self) -> None:
        """Decodes the next part of a long read, when no frame waits; the others follow later."""
        if self._may_decode():
            self._decode(self._received.next_part())
            if self._may_decode():
                self._loop.call_soon(self.guard, "decoding", self._next_turn)
            elif not self._undecoded:
                self._go_on()

    def _may_decode(self) -> bool:
        return self._undecoded and not self._backlog and not self.share.is_paused

    @property
    def _undecoded(self) -> bool:
        return bool(self._received.rest) or self._decoder.has_more

    def _decode(self, data: bytes) -> None:
        began = time.perf_counter()
        frames = self._decoder.feed(data)
        if self._decoder.is_foreign:
            self._refuse_protocol(data)
            return
        if self._decoder.in_frame:
            if frames or self._frame_began_at is None:
                self._frame_began_at = self._heard_at
            self._await_end_block()
        elif self._frame_began_at is not None:
            self._frame_began_at = None
            self._cancel_end_timer()
        if frames:
            self._take(frames)
        else:
            self._account()
        seconds = time.perf_counter() - began + len(frames) * _SMALL_MESSAGE_SECONDS
        self._shares.spend(self.share, seconds)

    def _refuse_protocol(self, data: bytes) -> None:
        """Closes at once: the first bytes are not MLLP, and a frame may be hidden in what follows."""
        self._foreign = protocol_of(data)
        self._why = "not MLLP"
        self._metrics.count("NotMllp", protocol=self._foreign)
        self._received.drop()
        self._input_ended = True
        self.abort()

    def _account(self) -> None:
        """Tells the memory budget how many bytes this connection holds now."""
        held = self._received.held_bytes + self._answers.held_bytes
        if held != self._held_bytes:
            more, self._held_bytes = held - self._held_bytes, held
            self._shares.hold(self.share, more)

    # -- as a member of its peer's share

    @property
    def unfinished_bytes(self) -> int:
        """The bytes of the frame that has not ended."""
        return self._decoder.buffered if self._decoder.in_frame else 0

    @property
    def idle_since(self) -> float | None:
        """The monotonic time of the last received bytes; None while messages are answered, or it closes."""
        return None if self._in_flight or self._backlog or self._input_ended else self._heard_at

    def share_changed(self) -> None:
        """Reads and answers as far as the peer's share allows."""
        if self._transport is not None or self._backlog:
            self.guard("sharing", self._go_on)

    def give_up_frame(self) -> None:
        """Rejects the unfinished frame, because the process has no memory for it, and closes."""
        self._why = "memory budget: the frame was given up"
        self._metrics.count("FramesGivenUp")
        self._received.drop()
        self.guard("memory budget", lambda: self._end_input(FrameFault.NO_ROOM))

    def give_up_place(self) -> None:
        """Closes the idle connection, because another peer has none."""
        self._close("place given to another peer")

    def eof_received(self) -> bool:
        """Leaves the write side open until all frames are answered, except under TLS.

        asyncio does not support half-closed TLS connections (Python, "asyncio.Protocol.eof_received").
        """
        if self._lingers:
            return False
        self._sender_ended = True
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
        self._answers.drop_backlog()
        self._received.drop()
        self._decoder.end()
        self._account()
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

    def ask_for_certificate(self) -> None:
        """Closes like `stop` when its client showed a certificate, so that it shows it again."""
        if self.certificate is not None:
            self.stop()
            self._why = NEW_TRUST

    def abort(self) -> None:
        """Closes at once, without waiting for answers."""
        if self._transport is not None:
            self._transport.abort()

    def check(self, now: float) -> None:
        """Closes the connection after its write, frame or idle timeout. `now` is monotonic."""
        if self._has_expired():
            self._expires_at = None
            self.stop()
            self._why = _EXPIRED
        unsent_since = min(self._blocked_at or now, self._closing_at or now)
        if now - unsent_since > self._settings.frame_seconds:
            self._why = "write timeout: the sender does not read its answers"
            self.abort()
        elif self._transport is None or self._input_ended:
            return
        elif self._frame_began_at is not None and (self._may_read() or self.share.is_full):
            if now - self._frame_began_at > self._settings.frame_seconds:
                self._why = "frame timeout: no end block"
                self._end_input()
        elif not self._has_work() and now - self._heard_at > self._settings.idle_seconds:
            self._close("idle timeout")

    def _has_work(self) -> bool:
        """Whether messages are answered or wait, or the receiver itself has paused reading."""
        return bool(self._in_flight or self._backlog or self._undecoded or self._waiting)

    def _take(self, frames: list[Frame]) -> None:
        self._frames += len(frames)
        self._answers.add(frames, time.monotonic())
        self._account()
        self._go_on()

    def _go_on(self) -> None:
        """Starts waiting frames, resumes reading below the limit, closes a finished connection."""
        while (
            self._backlog
            and self._blocked_at is None
            and len(self._in_flight) < self._settings.max_in_flight
            and self._shares.may_start(self.share, self)
        ):
            frame, place = self._answers.start()
            self._shares.started(self.share)
            # Faster than loop.create_task(); the name keeps asyncio from generating one.
            place.task = asyncio.Task(self._answer(frame, place), loop=self._loop, name="answer")
        if self._transport is None:
            return
        if self._undecoded and not self._backlog:
            self._loop.call_soon(self.guard, "decoding", self._next_turn)
        if not self._in_flight and not self._backlog and self._finished():
            self._finish(self._transport)
        elif not self._input_ended:
            self._read_or_pause(self._transport)

    def _finish(self, transport: asyncio.Transport) -> None:
        """Closes after the last answer; before, it reads and drops for a moment all that still comes.

        Closing a socket with unread bytes resets the connection, and a sender may lose the answer by it
        (RFC 9112, section 9.6). TLS has no half-closed connections in asyncio.
        """
        if self._lingers:
            return
        if self._sender_ended or self._tls:
            self._close_when_sent()
            return
        self._lingers = self._input_ended = True
        transport.resume_reading()
        self._loop.call_later(_LINGER_SECONDS, self._close_when_sent)
        # asyncio's own loop raises ENOTCONN here when the sender has reset the connection.
        with contextlib.suppress(OSError):
            transport.write_eof()

    def _read_or_pause(self, transport: asyncio.Transport) -> None:
        if self._may_read() != self._waiting:
            return  # no change
        self._waiting = not self._waiting
        if self._waiting:
            self._paused_at = time.monotonic()
            transport.pause_reading()
        else:
            if self._frame_began_at is not None:
                # The receiver caused the pause: it does not count for the timeout.
                self._frame_began_at += time.monotonic() - self._paused_at
            transport.resume_reading()
            self._await_end_block()

    def _may_read(self) -> bool:
        return (
            not self._backlog
            and not self._undecoded
            and self._blocked_at is None
            and not self.share.is_full
            and not self.share.is_paused
            and not self._finished()
        )

    def _finished(self) -> bool:
        received = self._undecoded or self._decoder.in_frame
        return self._input_ended or (self._stopping and not received)

    async def _answer(self, frame: Frame, place: PendingAnswer) -> None:
        try:
            if self._table is not self._owner.senders:  # the configuration document has changed
                self._find_senders()
            place.answer = await self._intake.answer(frame, self._origin, self._turns, self._spent)
        except Exception as error:
            # A message without an answer would hold back all later answers of the connection.
            self._fail("answering", error)
        place.answered = True
        self._shares.ended(self.share)
        self.guard("answering", self._settle)

    def guard(self, task: str, step: Callable[[], None]) -> None:
        """Calls a step of this connection. An error of the program closes this connection alone.

        asyncio does so for the errors of `data_received` and `eof_received`, but not for those of other
        callbacks.
        """
        try:
            step()
        except Exception as error:
            self._fail(task, error)

    def _fail(self, task: str, error: Exception) -> None:
        """Closes the connection after an error of the program; its sender sends unanswered messages again."""
        self._why = INTERNAL_ERROR
        self._owner.failed(task, error)
        self.abort()

    def _find_senders(self) -> None:
        """Looks up the connection's permitted senders in the current table."""
        self._table = self._owner.senders
        self._origin = self._table.origin(self.connection_id, self.peer, self.certificate)

    def _settle(self) -> None:
        """Writes the finished answers at the head of the queue, in one write."""
        due = []
        now = time.monotonic()
        for place in self._answers.take_answered():
            self._metrics.took("AckLatency", now - place.arrived_at)
            if place.answer is not None:
                due.append(wrap(place.answer))
        if due and self._transport is not None:
            self._sent += len(due)
            self._transport.write(due[0] if len(due) == 1 else b"".join(due))
        # After the write: the memory budget may let this connection go on, and close it.
        self._account()
        if self._backlog or self._waiting or self._in_flight or self._finished():
            self._go_on()

    def _end_input(self, fault: FrameFault = FrameFault.CUT_OFF) -> None:
        self._input_ended = True
        self._frame_began_at = None
        self._cancel_end_timer()
        if self._transport is not None:
            self._transport.pause_reading()
        self._take(self._received.end(fault))

    def _await_end_block(self) -> None:
        """Starts the timer that ends a frame whose last byte is 0x1C without the 0x0D."""
        self._cancel_end_timer()
        if self._decoder.may_have_ended:
            self._end_timer = self._loop.call_later(
                self._settings.end_block_seconds, self.guard, "decoding", self._end_block_was_last
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
        self._close_when_sent()

    def _close_when_sent(self) -> None:
        """Closes once all answers are sent. `check` aborts when the sender does not read them."""
        if self._transport is not None:
            self._closing_at = self._closing_at or time.monotonic()
            self._transport.close()

    def _log(self) -> None:
        separators, junk = self._decoder.separator_bytes, self._decoder.junk_bytes
        if junk:
            self._metrics.count("JunkBytes", junk)
        if not self._bytes and self._why == _CLOSED_BY_SENDER:
            return  # probably the TCP health check of a load balancer
        if not self._turns.stored and not self._owner.may_log(self.peer):
            return
        self._owner.log.info(
            "connection closed",
            connection=self.connection_id,
            peer=self.peer,
            tls=self._tls,
            why=self._why,
            **({"protocol": self._foreign} if self._foreign else {}),
            bytes=self._bytes,
            frames=self._frames,
            answers=self._sent,
            separator_bytes=separators,
            junk_bytes=junk,
            seconds=round(time.monotonic() - self._opened_at, 3),
        )
