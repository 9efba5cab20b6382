"""The writer of a process: gathers what sessions and HTTP requests hand in, and commits it in groups.

Only when the transaction is committed does a submission resolve, and only then may its sender be told. While the
database is down nothing resolves, the queue fills to its bound, sessions stop reading and HTTP answers 503.

Several lanes write at the same time: while the database works for one, the next group is put together for another.
What one sender has handed in is committed in its order, unless it says that it has none.
"""

import asyncio
import time
from collections.abc import Callable

from services.ingest import metrics
from services.ingest.writing.batch import StatusCodes, Submission
from services.ingest.writing.columns import Columns
from services.ingest.writing.lane import Connect, Lane, RefusedSubmission, Waiting
from shared.problems import Unavailable
from shared.telemetry import traceparent

__all__ = ["Connect", "RefusedSubmission", "Writer"]


class Writer:
    """A bounded queue in front of some lanes. ``queue_rows`` bounds what waits or is being written."""

    def __init__(
        self, connect: Connect, *, batch_rows: int, batch_wait_s: float, queue_rows: int, lanes: int = 2
    ) -> None:
        self._queue_rows = queue_rows
        self._queued = 0
        self._room = asyncio.Event()
        self._room.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._lanes = [
            Lane(connect, self._committed, self._release, batch_rows=batch_rows, batch_wait_s=batch_wait_s)
            for _ in range(lanes)
        ]
        self._lane_of: dict[str, tuple[Lane, int]] = {}
        """The lane that a sender's submissions wait in, and how many."""
        self.on_commit: Callable[[], None] = lambda: None
        self.on_stored: Callable[[Columns, StatusCodes], None] = lambda _columns, _codes: None

    @property
    def stalled_s(self) -> float:
        """For how long a lane has not succeeded though it tried; 0 when all is well."""
        since = [lane.failing_since for lane in self._lanes if lane.failing_since is not None]
        return time.monotonic() - min(since) if since else 0.0

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
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(lane.run())

    async def drained(self) -> None:
        """Wait until everything handed in so far is committed."""
        await self._idle.wait()

    def enqueue(self, submission: Submission) -> asyncio.Future[StatusCodes]:
        """The same as ``submit`` for who has made sure that there is room; the future resolves after the commit."""
        outcome: asyncio.Future[StatusCodes] = asyncio.get_running_loop().create_future()
        waiting = Waiting(submission, submission.weight, traceparent(), outcome)
        self._choose(submission).put(waiting)
        self._add(waiting.weight)
        return outcome

    def _choose(self, submission: Submission) -> Lane:
        lane, waiting = self._lane_of.get(submission.source, (None, 0))
        if lane is None or not submission.ordered:
            lane = min(self._lanes, key=_weight)
        if submission.ordered:
            self._lane_of[submission.source] = (lane, waiting + 1)
        return lane

    def _committed(self, columns: Columns, codes: StatusCodes) -> None:
        self.on_stored(columns, codes)
        self.on_commit()

    def _release(self, group: list[Waiting]) -> None:
        for entry in group:
            if entry.submission.ordered:
                lane, waiting = self._lane_of.pop(entry.submission.source)
                if waiting > 1:
                    self._lane_of[entry.submission.source] = (lane, waiting - 1)
        self._add(-sum(entry.weight for entry in group))

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


def _weight(lane: Lane) -> int:
    return lane.weight
