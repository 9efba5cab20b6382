"""The TCP server of the stations: sockets, limits and time-outs around the pure session.

A connection reads a piece, hands what it holds to the writer, waits for the commit, answers, reads on. So a station
that sends faster than the database stores is slowed by TCP itself, and a connection never holds more than one piece.
What is connected, and how to speak to it, stands in ``links`` (see there).
"""

import asyncio
import contextlib
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from services.ingest import metrics
from services.ingest.registry.snapshot import Device
from services.ingest.stations.links import Link, Links
from services.ingest.stations.session import Directory, Received, Session, frame_for
from services.ingest.stations.verdicts import Verdict
from services.ingest.writing.batch import RawFrame, Submission
from services.ingest.writing.writer import RefusedSubmission, Writer
from shared.hj212.codes import DATA_COMMANDS
from shared.hj212.segment import Segment
from shared.problems import Problem
from shared.telemetry import continue_trace, get_logger
from shared.time import utc_now

log = get_logger(__name__)
PIECE_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Bounds of what stations may take; times in seconds."""

    max_connections: int
    max_connections_per_address: int
    idle_timeout_s: float
    half_frame_timeout_s: float
    send_timeout_s: float
    clock_ahead: timedelta


class StationServer:
    """Listens for stations. ``start`` binds; ``listen`` lets them in, once the registry can tell who they are."""

    def __init__(self, host: str, port: int, directory: Directory, writer: Writer, limits: ServerLimits) -> None:
        self._host = host
        self._port = port
        self._directory = directory
        self._writer = writer
        self._limits = limits
        self.links = Links()
        self._server: asyncio.Server | None = None
        self._listening = False
        self._connections: set[asyncio.Task[None]] = set()
        self._addresses: Counter[str] = Counter()

    @property
    def port(self) -> int:
        """The bound port."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Bind, so that a port in use is told at once; connections are refused until ``listen``."""
        self._server = await asyncio.start_server(
            self._accept, self._host, self._port, limit=PIECE_BYTES, start_serving=False, backlog=1024
        )

    async def listen(self) -> None:
        """Take connections."""
        assert self._server is not None
        await self._server.start_serving()
        self._listening = True
        log.info("listening_for_stations", host=self._host, port=self.port)

    async def stop(self) -> None:
        """Close everything. Frames without their answer are sent again by the stations."""
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def check(self) -> None:
        """For the readiness path."""
        if not self._listening:
            raise RuntimeError("not listening for stations yet")

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        peer = writer.get_extra_info("peername")
        address = str(peer[0]) if peer else "unknown"
        limit = self._limit_reached(address)
        if limit is not None:
            metrics.TURNED_AWAY.labels(limit).inc()
            writer.close()
            return
        self._connections.add(task)
        self._addresses[address] += 1
        metrics.CONNECTIONS.set(len(self._connections))
        try:
            why = await self._converse(reader, writer, address)
            metrics.CLOSED.labels(why).inc()
        except asyncio.CancelledError:
            pass  # only `stop` cancels; swallowed because asyncio's stream protocol logs what a handler raises
        finally:
            self._connections.discard(task)
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]
            metrics.CONNECTIONS.set(len(self._connections))
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError, TimeoutError):
                async with asyncio.timeout(1):
                    await writer.wait_closed()

    def _limit_reached(self, address: str) -> str | None:
        if len(self._connections) >= self._limits.max_connections:
            return "all"
        return "address" if self._addresses[address] >= self._limits.max_connections_per_address else None

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, remote: str) -> str:
        """Until the connection ends; why it did."""
        session = Session(self._directory, ahead=self._limits.clock_ahead)
        links: dict[str, Link] = {}
        half_since: float | None = None
        why = "by station"
        try:
            while True:
                await self._writer.room()
                data = await self._read(reader, half_since)
                if not data:
                    break
                continue_trace(None)
                received = session.receive(data, utc_now())
                if received or not session.pending:
                    half_since = None
                if session.pending and half_since is None:
                    half_since = time.monotonic()
                if received:
                    await self._store(received, remote)
                    self._link(received, links, writer, remote)
                    await self._answer(session, received, writer)
                if session.hopeless:
                    why = "junk"
                    break
        except TimeoutError:
            why = "idle" if half_since is None else "half frame"
        except (OSError, RefusedSubmission, Problem) as error:
            why = "error"
            log.info("connection_ended", remote=remote, error=str(error)[:200])
        for link in links.values():
            self.links.drop(link)
        left = session.end(utc_now())
        if left:
            with contextlib.suppress(RefusedSubmission):
                await self._store(left, remote)
        return why

    async def _read(self, reader: asyncio.StreamReader, half_since: float | None) -> bytes:
        patience = self._limits.idle_timeout_s
        if half_since is not None:
            left = half_since + self._limits.half_frame_timeout_s - time.monotonic()
            patience = min(patience, max(left, 0.0))
        # Not `wait_for`: up to Python 3.11 it may lose the cancellation that `stop` sends.
        async with asyncio.timeout(patience):
            return await reader.read(PIECE_BYTES)

    async def _store(self, received: list[Received], remote: str) -> None:
        rows = [row for entry in received for row in entry.data.observations]
        frames = [
            RawFrame(
                received_at=entry.received_at,
                mn=entry.mn,
                known=entry.mn is not None and self._directory(entry.mn) is not None,
                remote=remote,
                verdict=entry.verdict,
                detail=entry.detail,
                frame=entry.raw,
                unmapped=entry.data.unmapped,
            )
            for entry in received
        ]
        source = next((entry.mn for entry in received if entry.mn), remote)
        parks = frozenset(entry.device.park_id for entry in received if entry.device is not None)
        await self._writer.submit(Submission(f"hj212:{source}", rows, frames, parks=parks))

    def _link(
        self, received: list[Received], links: dict[str, Link], writer: asyncio.StreamWriter, remote: str
    ) -> None:
        def transmit(device: Device, message: Segment) -> bool:
            if writer.is_closing():
                return False
            writer.write(frame_for(device, message))
            return True

        for entry in received:
            if entry.device is None or entry.segment is None or not entry.genuine:
                continue
            link = links.get(entry.device.mn)
            if link is None or self.links.get(link.mn) is not link:
                link = links[entry.device.mn] = Link(
                    entry.device, remote, entry.received_at, transmit, entry.segment.st, entry.segment.pw
                )
                self.links.put(link)
            link.device, link.heard_at = entry.device, entry.received_at
            if entry.verdict is not Verdict.ANSWER:
                link.st, link.pw = entry.segment.st, entry.segment.pw
            if entry.segment.cn not in DATA_COMMANDS or (link.mn, entry.segment.cn) in self.links.watched:
                self.links.tell_answer(link, entry.segment, entry.received_at)

    async def _answer(self, session: Session, received: list[Received], writer: asyncio.StreamWriter) -> None:
        for entry in received:
            for answer in session.answers(entry, utc_now()):
                writer.write(answer)
        async with asyncio.timeout(self._limits.send_timeout_s):
            await writer.drain()
