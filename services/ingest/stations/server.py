"""The TCP server of the stations: who is let in, who waits, who has taken too long.

What is connected, and how to speak to it, stands in ``links`` (see there).
"""

import asyncio
import contextlib
import time
from collections import Counter, deque

from services.ingest import metrics
from services.ingest.stations.clocks import Clocks
from services.ingest.stations.connection import Connection
from services.ingest.stations.counters import SessionCounters
from services.ingest.stations.limits import PIECE_BYTES, ServerLimits
from services.ingest.stations.links import Links
from services.ingest.stations.session import Directory
from services.ingest.writing.writer import Writer
from shared.telemetry import get_logger

log = get_logger(__name__)
STOP_S = 1.0
SHORTEST_SWEEP_S, LONGEST_SWEEP_S = 0.02, 5.0


class StationServer:
    """Listens for stations. ``start`` binds; ``listen`` lets them in, once the registry can tell who they are."""

    def __init__(self, host: str, port: int, directory: Directory, writer: Writer, limits: ServerLimits) -> None:
        self._host = host
        self._port = port
        self.directory = directory
        self.writer = writer
        self.limits = limits
        self.links = Links()
        self.counters = SessionCounters()
        self.clocks = Clocks(limits.clock_skew)
        self.buffer = memoryview(bytearray(PIECE_BYTES))
        self._server: asyncio.Server | None = None
        self._listening = False
        self._connections: set[Connection] = set()
        self._addresses: Counter[str] = Counter()
        self._waiting: deque[Connection] = deque()
        self._tasks: list[asyncio.Task[None]] = []
        self._someone_waits = asyncio.Event()

    @property
    def port(self) -> int:
        """The bound port."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Bind, so that a port in use is told at once; connections are refused until ``listen``."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self), self._host, self._port, start_serving=False, backlog=1024
        )

    async def listen(self) -> None:
        """Take connections."""
        assert self._server is not None
        await self._server.start_serving()
        self._tasks = [asyncio.create_task(self._sweep()), asyncio.create_task(self._let_go_on())]
        self._listening = True
        log.info("listening_for_stations", host=self._host, port=self.port)

    async def stop(self) -> None:
        """Close everything. Frames without their answer are sent again by the stations."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in list(self._connections):
            connection.end("stopping")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                while self._connections:  # noqa: ASYNC110  (each tells by itself, and this ends soon)
                    await asyncio.sleep(0.01)
        for connection in list(self._connections):
            connection.end("stopping", at_once=True)

    async def check(self) -> None:
        """For the readiness path."""
        if not self._listening:
            raise RuntimeError("not listening for stations yet")

    # ---- what connections ask ----

    def admit(self, connection: Connection) -> bool:
        """Let a connection in, unless there are too many, in all or from its address."""
        address = connection.remote
        limit = None
        if len(self._connections) >= self.limits.max_connections:
            limit = "all"
        elif self._addresses[address] >= self.limits.max_connections_per_address:
            limit = "address"
        if limit is not None:
            metrics.TURNED_AWAY.labels(limit).inc()
            return False
        self._connections.add(connection)
        self._addresses[address] += 1
        metrics.CONNECTIONS.set(len(self._connections))
        return True

    def await_room(self, connection: Connection) -> None:
        """The connection goes on in its turn, once the writer has room."""
        self._waiting.append(connection)
        self._someone_waits.set()

    def forget(self, connection: Connection) -> None:
        """The connection has ended."""
        self._connections.discard(connection)
        self._addresses[connection.remote] -= 1
        if not self._addresses[connection.remote]:
            del self._addresses[connection.remote]
        metrics.CONNECTIONS.set(len(self._connections))

    # ---- within ----

    async def _let_go_on(self) -> None:
        while True:
            self._someone_waits.clear()
            while self._waiting:
                await self.writer.room()
                while self._waiting and self.writer.has_room:
                    self._waiting.popleft().go_on()
            await self._someone_waits.wait()

    async def _sweep(self) -> None:
        limits = self.limits
        shortest = min(limits.idle_timeout_s, limits.half_frame_timeout_s, limits.send_timeout_s)
        pause = min(max(shortest / 4, SHORTEST_SWEEP_S), LONGEST_SWEEP_S)
        while True:
            await asyncio.sleep(pause)
            now = time.monotonic()
            for connection in list(self._connections):
                why = connection.overdue(now)
                if why is not None:
                    connection.end(why, at_once=why == "lingering")
