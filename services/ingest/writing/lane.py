"""One connection that commits submissions in groups, one group after the other, through every outage."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np
import psycopg

from services.ingest import metrics
from services.ingest.writing.batch import STATUSES, Batch, StatusCodes, Submission
from services.ingest.writing.columns import Columns
from services.ingest.writing.store import Connection, prepare, store
from shared.telemetry import continue_trace, get_logger

log = get_logger(__name__)
Connect = Callable[[], Awaitable[Connection]]
MAX_BACKOFF_S = 5.0
# What the rows themselves can cause; trying them again would fail again. All else is the database's state.
_POISON = (psycopg.DataError, psycopg.IntegrityError, ValueError, KeyError, OverflowError)


class RefusedSubmission(Exception):
    """The database will never take this submission; it was left out and the others were stored."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A submission and who waits for what becomes of it."""

    submission: Submission
    weight: int
    trace: str
    outcome: asyncio.Future[StatusCodes]


class Lane:
    """``weight`` is what waits or is being written, in rows; ``release`` is told of each group that is done with."""

    def __init__(
        self,
        connect: Connect,
        committed: Callable[[Columns, StatusCodes], None],
        release: Callable[[list[Waiting]], None],
        *,
        batch_rows: int,
        batch_wait_s: float,
    ) -> None:
        self._connect = connect
        self._committed = committed
        self._release = release
        self._batch_rows = batch_rows
        self._batch_wait_s = batch_wait_s
        self._queue: deque[Waiting] = deque()
        self._queued = 0
        self._arrived = asyncio.Event()
        self._connection: Connection | None = None
        self.weight = 0
        self.failing_since: float | None = None

    def put(self, entry: Waiting) -> None:
        """Join the queue."""
        self._queue.append(entry)
        self._queued += entry.weight
        self.weight += entry.weight
        self._arrived.set()

    async def run(self) -> None:
        """Write until cancelled."""
        try:
            while True:
                group = await self._gather()
                await self._write(group)
                self.weight -= sum(entry.weight for entry in group)
                self._release(group)
        finally:
            if self._connection is not None:
                await self._connection.close()

    async def _gather(self) -> list[Waiting]:
        """The next group: what is there, and what comes while more may still join."""
        while not self._queue:
            self._arrived.clear()
            await self._arrived.wait()
        if self._batch_wait_s and self._queued < self._batch_rows:
            await asyncio.sleep(self._batch_wait_s)
        taken: list[Waiting] = []
        weight = 0
        while self._queue and (not taken or weight + self._queue[0].weight <= self._batch_rows):
            entry = self._queue.popleft()
            taken.append(entry)
            weight += entry.weight
        self._queued -= weight
        return taken

    async def _write(self, group: list[Waiting]) -> None:
        """Until it is stored: whatever the database suffers from, the group waits."""
        continue_trace(group[0].trace)
        backoff = 0.05
        while True:
            try:
                await self._write_once(group)
            except _POISON as error:
                if len(group) == 1:
                    _refuse(group[0], error)
                else:
                    for entry in group:
                        await self._write([entry])
                return
            except (psycopg.Error, OSError, TimeoutError) as error:
                self.failing_since = self.failing_since or time.monotonic()
                metrics.RETRIES.inc()
                log.warning("readings_not_stored", error=" ".join(str(error).split())[:200], retry_in_s=backoff)
                await self._disconnect()
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, MAX_BACKOFF_S)
            else:
                return

    async def _write_once(self, group: list[Waiting]) -> None:
        begun = time.perf_counter()
        if self._connection is None or self._connection.closed:
            self._connection = await self._connect()
            await prepare(self._connection)
        batch = Batch([entry.submission for entry in group])
        codes = await store(self._connection, batch)
        self.failing_since = None
        self._committed(batch.columns, codes)
        for entry, own in zip(group, batch.split(codes), strict=True):
            if not entry.outcome.done():
                entry.outcome.set_result(own)
        metrics.COMMIT_SECONDS.observe(time.perf_counter() - begun)
        _observe(batch, codes)

    async def _disconnect(self) -> None:
        """A connection that has failed once is not trusted again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _refuse(entry: Waiting, error: Exception) -> None:
    log.error("submission_refused", source=entry.submission.source, error=str(error)[:300])
    if not entry.outcome.done():
        entry.outcome.set_exception(RefusedSubmission(str(error)))


def _observe(batch: Batch, codes: StatusCodes) -> None:
    metrics.BATCH_ROWS.observe(len(codes))
    for status, count in zip(STATUSES, np.bincount(codes, minlength=len(STATUSES)).tolist(), strict=True):
        if count:
            metrics.ROWS.labels(status.value).inc(count)
    verdicts: dict[str, int] = {}
    unmapped = 0
    for frame in batch.frames:
        verdicts[frame.verdict.value] = verdicts.get(frame.verdict.value, 0) + 1
        unmapped += frame.unmapped
    for verdict, count in verdicts.items():
        metrics.FRAMES.labels(verdict).inc(count)
    if unmapped:
        metrics.UNMAPPED.inc(unmapped)
