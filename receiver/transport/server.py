"""The MLLP listener: accepts connections up to the limits, checks their timeouts, and stops in order."""

import asyncio
import socket
import time
from collections import Counter

from receiver.intake.configuration import SenderConfiguration
from receiver.intake.intake import Intake
from receiver.intake.sender_table import SenderTable, within
from receiver.settings import ReceiverSettings
from receiver.telemetry.log import Log
from receiver.telemetry.metrics import Metrics
from receiver.transport.connection import MllpConnection
from receiver.transport.proxy_protocol import ProxyHeaderError, read_client_address
from receiver.transport.tls import Tls

_BACKLOG = 1024
_MAX_CHECK_INTERVAL_SECONDS = 1.0
# Out of file descriptors or memory: leave connections in the listen backlog and retry `accept()` later.
_ACCEPT_RETRY_SECONDS = 0.2


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
        tls: Tls | None = None,
    ) -> None:
        self.settings = settings
        self.intake = intake
        self.metrics = metrics
        self.log = log
        self._configuration = configuration
        self._tls = tls
        self._slots: Counter[str] = Counter()  # by peer; includes connections being admitted
        self._connections: set[MllpConnection] = set()
        self._none_left = asyncio.Event()
        self._none_left.set()
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._admitting: set[asyncio.Task[None]] = set()
        self._watch: asyncio.Task[None] | None = None
        self.stopping = False

    async def start(self) -> int:
        """Listens, and returns the port. Raises `OSError` when the port is in use."""
        family = socket.AF_INET6 if ":" in self.settings.mllp_host else socket.AF_INET
        self._listener = socket.create_server(
            (self.settings.mllp_host, self.settings.mllp_port), family=family, backlog=_BACKLOG
        )
        self._listener.setblocking(False)
        self._accepting = asyncio.create_task(self._accept(self._listener))
        self._watch = asyncio.create_task(self._watch_connections())
        port: int = self._listener.getsockname()[1]
        return port

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
            connection.stop()
        try:
            async with asyncio.timeout(self.settings.stop_seconds):
                # Let accepted connections finish their setup: if it is cancelled, uvloop
                # would close the transport without telling the connection.
                await asyncio.gather(*self._admitting)
                await self._none_left.wait()
        except TimeoutError:
            self.log.warning(
                "connections aborted after stop_seconds", connections=len(self._connections)
            )
            for connection in tuple(self._connections):
                connection.abort()
        if self._watch is not None:
            self._watch.cancel()

    @property
    def senders(self) -> SenderTable:
        """The sender table in use; another object after each change."""
        return self._configuration.table

    @property
    def open_connections(self) -> int:
        """The number of open connections."""
        return len(self._connections)

    def opened(self, connection: MllpConnection) -> None:
        """Adds a connection; closes it when the server is stopping."""
        self._connections.add(connection)
        self._none_left.clear()
        self.metrics.count("ConnectionsOpened")
        if self.stopping:
            connection.stop()

    def closed(self, connection: MllpConnection) -> None:
        """Removes a connection."""
        self._connections.discard(connection)
        self._leave(connection.peer)
        if not self._connections:
            self._none_left.set()

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
            # Accept all waiting connections now: under load the next iteration of the loop is late.
            for _ in range(_BACKLOG):
                try:
                    connection, address = listener.accept()
                except OSError:  # no connection waits; any other error recurs in sock_accept()
                    break
                self._begin_admitting(connection, address[0])

    def _begin_admitting(self, connection: socket.socket, peer: str) -> None:
        connection.setblocking(False)
        task = asyncio.get_running_loop().create_task(self._admit(connection, peer))
        self._admitting.add(task)
        task.add_done_callback(self._admitting.discard)

    async def _admit(self, connection: socket.socket, peer: str) -> None:
        """Sets a connection up (peer address, limits, TLS handshake), or closes it."""
        settings, why = self.settings, ""
        admitted = False
        try:
            if within(peer, settings.proxy_networks):
                async with asyncio.timeout(settings.tls_handshake_seconds):
                    peer = await read_client_address(connection) or peer
            if why := self._no_room(peer):
                return
            self._slots[peer] += 1
            admitted = True
            context = self._tls.context if self._tls else None
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: MllpConnection(self, peer),
                connection,
                ssl=context,
                ssl_handshake_timeout=settings.tls_handshake_seconds if context else None,
            )
            admitted = False  # the connection now releases its slot
        except (ProxyHeaderError, TimeoutError) as error:
            why = (
                "no PROXY header"
                if isinstance(error, ProxyHeaderError)
                else "timeout before the TLS handshake ended"
            )
        except OSError as error:  # TLS errors are among them
            why = f"TLS handshake failed: {getattr(error, 'reason', None) or type(error).__name__}"
        finally:
            if admitted:
                self._leave(peer)
            if why:
                connection.close()
                self.metrics.count("ConnectionsRejected")
                self.log.warning("connection rejected", peer=peer, why=why)

    def _no_room(self, peer: str) -> str:
        if self._slots.total() >= self.settings.max_connections:
            return "max_connections reached"
        if self._slots[peer] >= self.settings.max_connections_per_peer:
            return "max_connections_per_peer reached"
        return ""

    def _leave(self, peer: str) -> None:
        self._slots[peer] -= 1
        if not self._slots[peer]:
            del self._slots[peer]

    async def _watch_connections(self) -> None:
        interval_seconds = min(
            _MAX_CHECK_INTERVAL_SECONDS,
            self.settings.frame_seconds / 4,
            self.settings.idle_seconds / 4,
        )
        while True:
            await asyncio.sleep(interval_seconds)
            now = time.monotonic()
            for connection in tuple(self._connections):
                connection.check(now)
