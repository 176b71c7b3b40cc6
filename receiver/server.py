"""The MLLP listener: takes connections up to the limit, watches them, and stops in order."""

import asyncio
import time

from receiver.connection import Connection
from receiver.intake import Intake
from receiver.log import Log
from receiver.metrics import Metrics
from receiver.settings import Settings

_BACKLOG = 1024
_LONGEST_WATCH_PAUSE = 1.0


class MllpServer:
    """The server of one receiver. It stops by `stop`: no new connections, answers, then the end."""

    def __init__(self, settings: Settings, intake: Intake, metrics: Metrics, log: Log) -> None:
        self.settings = settings
        self.intake = intake
        self.metrics = metrics
        self.log = log
        self._connections: set[Connection] = set()
        self._none_left = asyncio.Event()
        self._none_left.set()
        self._server: asyncio.Server | None = None
        self._watch: asyncio.Task[None] | None = None
        self.stopping = False

    async def start(self) -> int:
        """Listens, and returns the port. Raises `OSError` when it is taken."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self),
            self.settings.mllp_host,
            self.settings.mllp_port,
            backlog=_BACKLOG,
        )
        self._watch = asyncio.create_task(self._watch_connections())
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self) -> None:
        """Accepts no more, lets what is in flight be stored and answered, closes; not beyond the deadline."""
        self.stopping = True
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._connections):
            connection.stop()
        try:
            async with asyncio.timeout(self.settings.stop_seconds):
                await self._none_left.wait()
        except TimeoutError:
            self.log.warning("connections cut at the deadline", connections=len(self._connections))
            for connection in tuple(self._connections):
                connection.abort()
        if self._watch is not None:
            self._watch.cancel()

    @property
    def open_connections(self) -> int:
        """How many connections there are now."""
        return len(self._connections)

    def opened(self, connection: Connection) -> bool:
        """Counts a connection in, and says whether there is room for it."""
        self._connections.add(connection)
        self._none_left.clear()
        self.metrics.count("ConnectionsOpened")
        if self.stopping or len(self._connections) > self.settings.max_connections:
            self.metrics.count("ConnectionsRefused")
            return False
        return True

    def closed(self, connection: Connection) -> None:
        """Counts a connection out."""
        self._connections.discard(connection)
        if not self._connections:
            self._none_left.set()

    async def _watch_connections(self) -> None:
        pause = min(
            _LONGEST_WATCH_PAUSE, self.settings.frame_seconds / 4, self.settings.idle_seconds / 4
        )
        while True:
            await asyncio.sleep(pause)
            now = time.monotonic()
            for connection in tuple(self._connections):
                connection.check(now)
