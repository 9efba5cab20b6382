"""The one writer of a process: gathers what sessions and HTTP requests hand in, and commits it in groups.

Only when the transaction is committed does a submission resolve, and only then may its sender be told. While the
database is down nothing resolves, the queue fills to its bound, sessions stop reading and HTTP answers 503.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np
import psycopg

from services.ingest import metrics
from services.ingest.writing.batch import STATUSES, Batch, StatusCodes, Submission
from services.ingest.writing.store import Connection, prepare, store
from shared.problems import Unavailable
from shared.telemetry import continue_trace, get_logger, traceparent

log = get_logger(__name__)
Connect = Callable[[], Awaitable[Connection]]
MAX_BACKOFF_S = 5.0
# What the rows themselves can cause; trying them again would fail again. All else is the database's state.
_POISON = (psycopg.DataError, psycopg.IntegrityError, ValueError, KeyError, OverflowError)


class RefusedSubmission(Exception):
    """The database will never take this submission; it was left out and the others were stored."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    submission: Submission
    weight: int
    trace: str
    outcome: asyncio.Future[StatusCodes]


class Writer:
    """A bounded queue in front of one connection."""

    def __init__(self, connect: Connect, *, batch_rows: int, batch_wait_s: float, queue_rows: int) -> None:
        self._connect = connect
        self._batch_rows = batch_rows
        self._batch_wait_s = batch_wait_s
        self._queue_rows = queue_rows
        self._queue: deque[_Waiting] = deque()
        self._queued = 0
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._connection: Connection | None = None
        self._failing_since: float | None = None
        self.on_commit: Callable[[], None] = lambda: None

    @property
    def stalled_s(self) -> float:
        """For how long no transaction has succeeded though one was tried; 0 when all is well."""
        return 0.0 if self._failing_since is None else time.monotonic() - self._failing_since

    async def check(self) -> None:
        """For the readiness path."""
        if self.stalled_s:
            raise RuntimeError(f"readings cannot be stored since {self.stalled_s:.0f} s")

    @property
    def has_room(self) -> bool:
        """Whether the queue takes more."""
        return self._room.is_set()

    async def room(self) -> None:
        """Wait until the queue takes more; who reads from a socket asks before it reads."""
        await self._room.wait()

    async def submit(self, submission: Submission) -> StatusCodes:
        """Store; returns what became of each observation once all is committed. Waits as long as that takes."""
        await self.room()
        return await self.enqueue(submission)

    async def submit_or_refuse(self, submission: Submission, timeout_s: float) -> StatusCodes:
        """The same for a caller that can be told to come again: raises Unavailable when full or not done in time."""
        if not self._room.is_set() or self.stalled_s:
            raise Unavailable("Readings cannot be stored at the moment; nothing of this request was stored.")
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(self.enqueue(submission))
        except TimeoutError:
            detail = "The readings could not be stored in time. Send them again: what was stored is not stored twice."
            raise Unavailable(detail) from None

    async def run(self) -> None:
        """Write until cancelled."""
        try:
            while True:
                waiting = await self._gather()
                await self._write(waiting)
                self._release(waiting)
        finally:
            if self._connection is not None:
                await self._connection.close()

    async def drained(self) -> None:
        """Wait until everything handed in so far is committed."""
        await self._idle.wait()

    def enqueue(self, submission: Submission) -> asyncio.Future[StatusCodes]:
        """The same as ``submit`` for who has made sure that there is room; the future resolves after the commit."""
        outcome: asyncio.Future[StatusCodes] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(submission, submission.weight, traceparent(), outcome)
        self._queue.append(waiting)
        self._add(waiting.weight)
        self._arrived.set()
        return outcome

    def _add(self, weight: int) -> None:
        self._queued += weight
        metrics.QUEUED.set(self._queued)
        if self._queued:
            self._idle.clear()
        else:
            self._idle.set()
        if self._queued >= self._queue_rows:
            self._room.clear()
        else:
            self._room.set()

    def _release(self, waiting: list[_Waiting]) -> None:
        self._add(-sum(entry.weight for entry in waiting))

    async def _gather(self) -> list[_Waiting]:
        """The next batch: what is there, and what comes while more may still join."""
        while not self._queue:
            self._arrived.clear()
            await self._arrived.wait()
        if self._batch_wait_s and sum(entry.weight for entry in self._queue) < self._batch_rows:
            await asyncio.sleep(self._batch_wait_s)
        taken: list[_Waiting] = []
        weight = 0
        while self._queue and (not taken or weight + self._queue[0].weight <= self._batch_rows):
            entry = self._queue.popleft()
            taken.append(entry)
            weight += entry.weight
        return taken

    async def _write(self, waiting: list[_Waiting]) -> None:
        """Until it is stored: whatever the database suffers from, the batch waits."""
        continue_trace(waiting[0].trace)
        backoff = 0.05
        while True:
            try:
                await self._write_once(waiting)
            except _POISON as error:
                if len(waiting) == 1:
                    self._refuse(waiting[0], error)
                else:
                    for entry in waiting:
                        await self._write([entry])
                return
            except (psycopg.Error, OSError, TimeoutError) as error:
                self._failing_since = self._failing_since or time.monotonic()
                metrics.RETRIES.inc()
                log.warning("readings_not_stored", error=" ".join(str(error).split())[:200], retry_in_s=backoff)
                await self._disconnect()
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, MAX_BACKOFF_S)
            else:
                return

    async def _write_once(self, waiting: list[_Waiting]) -> None:
        begun = time.perf_counter()
        if self._connection is None or self._connection.closed:
            self._connection = await self._connect()
            await prepare(self._connection)
        batch = Batch([entry.submission for entry in waiting])
        codes = await store(self._connection, batch)
        self._failing_since = None
        self.on_commit()
        for entry, own in zip(waiting, batch.split(codes), strict=True):
            if not entry.outcome.done():
                entry.outcome.set_result(own)
        metrics.COMMIT_SECONDS.observe(time.perf_counter() - begun)
        _observe(batch, codes)

    async def _disconnect(self) -> None:
        """A connection that has failed once is not trusted again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def _refuse(self, entry: _Waiting, error: Exception) -> None:
        log.error("submission_refused", source=entry.submission.source, error=str(error)[:300])
        if not entry.outcome.done():
            entry.outcome.set_exception(RefusedSubmission(str(error)))


def _observe(batch: Batch, codes: StatusCodes) -> None:
    metrics.BATCH_ROWS.observe(len(codes))
    for status, count in zip(STATUSES, np.bincount(codes, minlength=len(STATUSES)).tolist(), strict=True):
        if count:
            metrics.ROWS.labels(status.value).inc(count)
    for frame in batch.frames:
        metrics.FRAMES.labels(frame.verdict.value).inc()
        if frame.unmapped:
            metrics.UNMAPPED.inc(frame.unmapped)
