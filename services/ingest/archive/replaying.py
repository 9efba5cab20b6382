"""Reads raw frames again, as if they came now: what was refused then may have a device, a mapping, a password now.

In every replica; each takes a page of one replay at a time, under a lock of the database. After a crash the page is
read again, which stores nothing twice.
"""

import asyncio
import contextlib
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.ingest.archive import frames, replays
from services.ingest.archive.frames import ArchivedFrame
from services.ingest.archive.replays import Progress, Replay
from services.ingest.registry.live import Registry
from services.ingest.registry.snapshot import Device
from services.ingest.stations.session import Received, Session
from services.ingest.stations.verdicts import Verdict
from services.ingest.writing.batch import ACCEPTED, CONFLICTING, DUPLICATE, Submission
from services.ingest.writing.writer import RefusedSubmission, Writer
from shared.outages import DATABASE_OUTAGES
from shared.problems import Problem
from shared.telemetry import get_logger

log = get_logger(__name__)
PAGE_FRAMES = 500
EVERY_S = 2.0


class Replays:
    """Works off the replays that were asked for, and those of devices that were unknown and are registered now."""

    def __init__(
        self, engine: AsyncEngine, registry: Registry, writer: Writer, *, ahead: timedelta, late: timedelta
    ) -> None:
        self._engine = engine
        self._registry = registry
        self._writer = writer
        self._ahead = ahead
        self._late = late
        self._waked = asyncio.Event()
        self._known: set[UUID] = set()

    def wake(self) -> None:
        """A replay was committed: begin it now rather than at the next look."""
        self._waked.set()

    async def run(self) -> None:
        """Replay until cancelled; through every outage of the database."""
        await self._registry.loaded.wait()
        while True:
            try:
                self._waked.clear()
                async with self._engine.begin() as connection:
                    # Another replica may have met a device before it heard of its registration.
                    await replays.begin_for_the_registered(connection)
                while await self.step():
                    pass
            except (*DATABASE_OUTAGES, Problem) as error:
                log.warning("replay_interrupted", error=" ".join(str(error).split())[:200])
            # Not `wait_for`: up to Python 3.11 it loses a cancellation that comes together with the wake.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._waked.wait()

    async def step(self) -> bool:
        """Read one page of the replay whose turn it is; False where none is left."""
        async with self._engine.begin() as connection:
            replay = await replays.take(connection)
            if replay is None:
                return False
            device = await self._device(connection, replay)
            if device is None:
                await replays.finish(connection, replay, f"The park has no device {replay.mn} any more.")
                return True
            page = await frames.oldest(
                connection,
                replay.mn,
                since=replay.start,
                until=replay.end,
                verdicts=replay.verdicts,
                unmapped=replay.unmapped,
                after=replay.place,
                limit=PAGE_FRAMES,
            )
            if page:
                await replays.advance(connection, replay, page[-1].place, await self._store(page, device))
            if len(page) < PAGE_FRAMES:
                await replays.finish(connection, replay)
            return True

    async def _device(self, connection: AsyncConnection, replay: Replay) -> Device | None:
        """The device as the registry has it since the replay was asked for."""
        if replay.id not in self._known:
            waiting = await replays.unfinished(connection)
            await self._registry.load()
            self._known = waiting | {replay.id}
        device = self._registry.device(replay.mn)
        return device if device is not None and device.park_id == replay.park_id else None

    async def _store(self, page: list[ArchivedFrame], device: Device) -> Progress:
        progress = Progress(frames=len(page))
        submissions: list[Submission] = []
        for frame in page:
            said = read_again(frame, device, ahead=self._ahead, late=self._late)
            if said is None:
                continue
            progress.read_frames += said.verdict is Verdict.ACCEPTED
            progress.unmapped_readings += said.data.unmapped
            if said.data.observations or said.reports:
                parks = frozenset({device.park_id})
                source = f"replay:{device.mn}"
                submissions.append(Submission(source, said.data.observations, parks=parks, reports=said.reports))
        # One a frame, as when they came: what the database refuses takes no neighbours along.
        outcomes = await asyncio.gather(*map(self._writer.submit, submissions), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, RefusedSubmission):
                progress.read_frames -= 1
                continue
            if isinstance(outcome, BaseException):
                raise outcome
            progress.accepted += int((outcome == ACCEPTED).sum())
            progress.duplicate += int((outcome == DUPLICATE).sum())
            progress.conflicting += int((outcome == CONFLICTING).sum())
        return progress


def read_again(frame: ArchivedFrame, device: Device, *, ahead: timedelta, late: timedelta) -> Received | None:
    """What a frame says with ``device`` as it is registered now; None for bytes that were no frame, or more than one.

    Only as this device's own: a frame filed under its MN by its neighbours on the line may be another's. Its time is
    judged by when it came.
    """
    session = Session(lambda mn: device if mn == device.mn else None, ahead=ahead, late=late)
    found = [*session.receive(frame.frame, frame.received_at), *session.end(frame.received_at)]
    return found[0] if len(found) == 1 else None
