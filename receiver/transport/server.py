"""The MLLP listener: accepts connections up to the limits, checks their timeouts, and stops in order."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from receiver.background import Forever, in_background
from receiver.intake.configuration import SenderConfiguration
from receiver.intake.intake import Intake
from receiver.intake.sender_table import SenderTable, within
from receiver.settings import ReceiverSettings
from receiver.telemetry.hourly_cap import HourlyCap
from receiver.telemetry.log import Log, where
from receiver.telemetry.metrics import Metrics
from receiver.transport.connection import INTERNAL_ERROR, NEW_TRUST, MllpConnection
from receiver.transport.handshake import Handshake
from receiver.transport.proxy_protocol import ProxyHeaderError, read_client_address
from receiver.transport.shares import PeerShare, Shares
from receiver.transport.tls import Tls

_BACKLOG = 1024
_MAX_CHECK_INTERVAL_SECONDS = 1.0
# Out of file descriptors or memory: leave connections in the listen backlog and retry `accept()` later.
_ACCEPT_RETRY_SECONDS = 0.2
_ACCEPTED_AT_ONCE = 64
_RECEIVE_BUFFER_BYTES = 131_072
_SETUP_SECONDS = 0.0004
"""Processor time that a new connection costs until its first bytes; counted to its peer's share."""
_MAX_LINES_PER_HOUR = 1000
"""Most log lines about rejected connections, and those that stored nothing, of one peer in an hour."""


class MllpServer:
    """The MLLP server of one receiver process."""

    def __init__(
        self,
        settings: ReceiverSettings,
        intake: Intake,
        configuration: SenderConfiguration,
        metrics: Metrics,
        log: Log,
        *,
        tls: Tls,
        give_up: Callable[[], None] = lambda: None,
    ) -> None:
        self.settings = settings
        self.intake = intake
        self.metrics = metrics
        self.log = log
        self._configuration = configuration
        self._tls = tls
        self._give_up = give_up
        tls.on_new_trust = self._ask_for_certificates
        self._logged = HourlyCap(_MAX_LINES_PER_HOUR, 1)
        self.shares = Shares(settings.max_held_bytes, settings.store_connections)
        self._connections: set[MllpConnection] = set()
        self._none_left = asyncio.Event()
        self._none_left.set()
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._admitting: set[asyncio.Task[None]] = set()
        self._without_address = 0  # connections of balancers that wait for their PROXY header
        self._handshakes: dict[MllpConnection, Handshake] = {}
        self._watching: list[asyncio.Task[None]] = []
        self.stopping = False

    async def start(self) -> int:
        """Listens, and returns the port. Raises `OSError` when the port is in use."""
        family = socket.AF_INET6 if ":" in self.settings.mllp_host else socket.AF_INET
        self._listener = socket.create_server(
            (self.settings.mllp_host, self.settings.mllp_port), family=family, backlog=_BACKLOG
        )
        # Accepted sockets inherit it. The kernel's own limit is some megabytes for each connection, outside
        # the memory budget, and a full TCP memory delays every peer's packets.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        self._listener.setblocking(False)
        listener = self._listener
        self._accepting = self._in_background("accepting", lambda: self._accept(listener))
        self._watching = [
            self._in_background("timeouts", self._watch_connections),
            self._in_background("shares", self.shares.share_out),
        ]
        port: int = listener.getsockname()[1]
        return port

    def _in_background(self, name: str, forever: Forever) -> asyncio.Task[None]:
        def failed() -> None:
            self.metrics.count("TaskFailures")

        return in_background(name, forever, self.log, failed, give_up=self._give_up)

    def failed(self, task: str, error: Exception) -> None:
        """Counts and logs an error of the program in the task of one connection, which is then closed."""
        self.metrics.count("TaskFailures")
        self.log.error("task of a connection failed", task=task, error=where(error))

    async def stop(self) -> None:
        """Stops accepting, waits until messages in flight are answered, and closes all connections.

        Connections that are open after `stop_seconds` are aborted.
        """
        self.stopping = True
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.wait([self._accepting])
        if self._listener is not None:
            self._listener.close()
        for connection in tuple(self._connections):
            connection.guard("stopping", connection.stop)
        try:
            async with asyncio.timeout(self.settings.stop_seconds):
                # Let accepted connections finish their setup: if it is cancelled, uvloop
                # would close the transport without telling the connection.
                await asyncio.gather(*self._admitting, return_exceptions=True)
                await self._none_left.wait()
        except TimeoutError:
            self.log.warning(
                "connections aborted after stop_seconds", connections=len(self._connections)
            )
            for connection in tuple(self._connections):
                connection.abort()
        for task in self._watching:
            task.cancel()

    @property
    def senders(self) -> SenderTable:
        """The sender table in use; another object after each change."""
        return self._configuration.table

    @property
    def open_connections(self) -> int:
        """The number of open connections."""
        return len(self._connections)

    def may_log(self, peer: str) -> bool:
        """Whether a line about a connection of this peer that stored nothing is still to be logged in this hour."""
        return self._logged.admits(peer, 0)

    def opened(self, connection: MllpConnection) -> None:
        """Adds a connection; closes it when the server is stopping."""
        self._end_handshake(connection)
        self._connections.add(connection)
        connection.share.members.add(connection)
        certificate = connection.certificate
        if certificate is not None and certificate.not_after:
            self._tls.expiring.note_client(certificate, datetime.now(UTC))
        self._none_left.clear()
        self.metrics.count("ConnectionsOpened")
        if self.stopping:
            connection.stop()

    def closed(self, connection: MllpConnection) -> None:
        """Removes a connection."""
        self._connections.discard(connection)
        connection.share.members.discard(connection)
        self.shares.leave_place(connection.share)
        if not self._connections:
            self._none_left.set()

    def _ask_for_certificates(self) -> None:
        """Closes the connections with client certificates: the authorities or lists have changed.

        A handshake that has begun would still be judged by the earlier ones, so it is given up too.
        """
        for handshake in tuple(self._handshakes.values()):
            handshake.give_up(NEW_TRUST)
        for connection in tuple(self._connections):
            connection.guard("new trust", connection.ask_for_certificate)

    def _end_handshake(self, connection: MllpConnection) -> None:
        if handshake := self._handshakes.pop(connection, None):
            connection.share.members.discard(handshake)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listener)
            except OSError as error:
                self.log.error("cannot accept", error=type(error).__name__, number=error.errno)
                await asyncio.sleep(_ACCEPT_RETRY_SECONDS)
                continue
            self._begin_admitting(connection, address[0])
            if self._tls.context:
                # A handshake costs 1 to 5 ms: the other connections have their turn between two.
                await asyncio.sleep(0)
                continue
            # Accept several waiting connections now: under load the next iteration of the loop is late.
            for _ in range(_ACCEPTED_AT_ONCE):
                try:
                    connection, address = listener.accept()
                except OSError:  # no connection waits; any other error recurs in sock_accept()
                    break
                self._begin_admitting(connection, address[0])

    def _begin_admitting(self, connection: socket.socket, peer: str) -> None:
        connection.setblocking(False)
        if not within(peer, self.settings.proxy_networks):
            share = self.shares.of(peer)
            self.shares.spend(share, _SETUP_SECONDS)
            if share.is_paused or share.places >= self.settings.max_connections_per_peer:
                connection.close()
                paused = share.is_paused
                why = "too many new connections" if paused else "max_connections_per_peer reached"
                self._rejected(peer, why)
                return
        task = asyncio.get_running_loop().create_task(self._admit(connection, peer))
        self._admitting.add(task)
        task.add_done_callback(self._admitting.discard)

    async def _admit(self, connection: socket.socket, peer: str) -> None:
        """Sets a connection up (peer address, limits, TLS handshake), or closes it."""
        handshake, why = Handshake(asyncio.current_task()), ""
        try:
            if within(peer, self.settings.proxy_networks):
                peer = await self._address_of(connection) or peer
            why = await self._shake_hands(connection, self.shares.of(peer), handshake)
        except ProxyHeaderError as error:
            why = str(error) or "no PROXY header"
        except TimeoutError:
            why = "timeout before the TLS handshake ended"
        except asyncio.CancelledError:
            why = handshake.why
            if not why:
                raise
        except OSError as error:  # TLS errors are among them
            why = f"TLS handshake failed: {_handshake_problem(error)}"
        except Exception as error:
            self.failed("admitting", error)
            why = INTERNAL_ERROR
        finally:
            if why:
                connection.close()
                self._rejected(peer, why)

    async def _address_of(self, connection: socket.socket) -> str:
        """The client's address in a balancer's PROXY header. Raises `ProxyHeaderError` for too many at once.

        Until then the connection counts to no peer and has no place.
        """
        if self._without_address >= self.settings.max_connections:
            raise ProxyHeaderError("too many connections without their PROXY header")
        self._without_address += 1
        try:
            async with asyncio.timeout(self.settings.tls_handshake_seconds):
                return await read_client_address(connection)
        finally:
            self._without_address -= 1

    async def _shake_hands(
        self, connection: socket.socket, share: PeerShare, handshake: Handshake
    ) -> str:
        """Opens a connection of this peer. Returns why it has no place; "" once it is open."""
        if why := self._no_room(share):
            return why
        self.shares.take_place(share)
        opening = MllpConnection(self, share)
        self._handshakes[opening] = handshake
        share.members.add(handshake)
        context = self._tls.context
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: opening,
                connection,
                ssl=context,
                ssl_handshake_timeout=self.settings.tls_handshake_seconds if context else None,
            )
        except BaseException:
            self.shares.leave_place(share)  # an open connection releases its place itself
            raise
        finally:
            self._end_handshake(opening)
        return ""

    def _rejected(self, peer: str, why: str) -> None:
        self.metrics.count("ConnectionsRejected")
        if self._logged.admits(peer, 0):
            self.log.warning("connection rejected", peer=peer, why=why)

    def _no_room(self, share: PeerShare) -> str:
        if share.places >= self.settings.max_connections_per_peer:
            return "max_connections_per_peer reached"
        full = self.shares.places >= self.settings.max_connections
        if full and not self.shares.make_place(share):
            return "max_connections reached"
        return ""

    async def _watch_connections(self) -> None:
        interval_seconds = min(
            _MAX_CHECK_INTERVAL_SECONDS,
            self.settings.frame_seconds / 4,
            self.settings.idle_seconds / 4,
        )
        while True:
            await asyncio.sleep(interval_seconds)
            now = time.monotonic()
            self._logged.ended_hour(now)
            for connection in tuple(self._connections):
                connection.guard("timeouts", partial(connection.check, now))


def _handshake_problem(error: OSError) -> str:
    """OpenSSL's reason, for a client's certificate with the cause: `certificate has expired`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"client certificate: {error.verify_message}"
    return str(getattr(error, "reason", None) or type(error).__name__)
