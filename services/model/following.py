"""Following alarms: an alarm at orange or red starts a run by itself, and a new one as long as it stays open.

The position in the stream of alarms is kept in the database, in the transaction of what the facts led to, so each
fact has its effect once, whoever crashes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID, uuid4

import httpx
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.model.chemicals import UnknownChemical, chemical
from services.model.queueing import ring
from services.model.runs.levels import alarm_levels
from services.model.runs.request import AlarmContext, AtSuspicion, RunInputs, RunRequest, SuspicionHint
from services.model.settings import ModelSettings
from services.model.store import alarms as alarm_store
from services.model.store import runs as run_store
from services.model.store.alarms import FollowedAlarm
from services.model.store.runs import NewRun
from shared.levels import Colour
from shared.messages import AlarmChanged, AlarmState
from shared.outages import DATABASE_OUTAGES
from shared.streams import Fact, FactReader, WorkQueue
from shared.telemetry import continue_trace, get_logger
from shared.time import utc_now
from shared.vocabulary import observed_properties

log = get_logger(__name__)
STREAM = "alarms"
REQUESTED_BY = "alarm"
_RENEW_LOOK_S = 2.0

# An alarm whose fact never came (retention) must not start runs for ever.
_FORGET_AFTER = timedelta(hours=24)
# The condition stands, and the alarm is not hidden: a station under maintenance meets gas that is no release.
_FOLLOWED = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED})


class AlarmFollower:
    """Reads the facts of alarms and makes runs of them."""

    def __init__(
        self,
        engine: AsyncEngine,
        reader: FactReader,
        queue: WorkQueue,
        settings: ModelSettings,
        *,
        wake: Callable[[], None] = lambda: None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._engine = engine
        self._reader = reader
        self._queue = queue
        self._every = timedelta(seconds=settings.model_auto_run_every_s)
        self._wake = wake
        self._clock = clock

    async def run(self) -> None:
        """Follow until cancelled, through every outage."""
        while True:
            try:
                await self.step()
            except (*DATABASE_OUTAGES, RedisError, httpx.HTTPError) as error:
                log.warning("following_interrupted", error=" ".join(str(error).split())[:200])
                await asyncio.sleep(1.0)
            except Exception:
                log.exception("following_failed")
                await asyncio.sleep(1.0)

    async def renew_forever(self) -> None:
        """Renew the runs of open alarms until cancelled."""
        while True:
            try:
                await self.renew()
            except (*DATABASE_OUTAGES, RedisError) as error:
                log.warning("renewing_interrupted", error=" ".join(str(error).split())[:200])
            except Exception:
                log.exception("renewing_failed")
            await asyncio.sleep(_RENEW_LOOK_S)

    async def step(self, block_ms: int = 2000) -> int:
        """Read and apply the next facts; returns how many came."""
        async with self._engine.begin() as connection:
            reached = await alarm_store.position(connection, STREAM)
        facts = await self._reader.read({STREAM: reached or 0}, block_ms=block_ms)
        for fact in facts:
            await self._apply(fact)
        return len(facts)

    async def renew(self) -> list[UUID]:
        """Make a new run for every park and chemical whose alarm is open and whose last run is old enough."""
        now = self._clock()
        made: list[tuple[UUID, str]] = []
        async with self._engine.begin() as connection:
            await alarm_store.lock_auto_runs(connection)
            alive = [
                alarm for alarm in await alarm_store.followed(connection) if now - alarm.event_time < _FORGET_AFTER
            ]
            for (park_id, cas), group in groupby(alive, key=lambda alarm: (alarm.park_id, alarm.chemical)):
                last = await alarm_store.last_auto_run(connection, park_id, cas)
                if last is None or now - last.created_at < self._every:
                    continue
                event_time = last.event_time + (now - last.created_at)
                made.append((await self._make(connection, list(group), event_time, now), park_id))
        await self._announce(made)
        return [run_id for run_id, _ in made]

    async def _apply(self, fact: Fact) -> None:
        continue_trace(fact.traceparent)
        made: list[tuple[UUID, str]] = []
        async with self._engine.begin() as connection:
            reached = await alarm_store.position(connection, STREAM)
            if reached is not None and fact.position <= reached:
                return
            try:
                change = AlarmChanged.decode(fact.payload)
            except ValueError as error:
                log.warning("fact_unreadable", stream=STREAM, position=fact.position, error=str(error)[:200])
            else:
                made = await self._follow(connection, change)
            await alarm_store.set_position(connection, STREAM, fact.position)
        await self._announce(made)

    async def _follow(self, connection: AsyncConnection, change: AlarmChanged) -> list[tuple[UUID, str]]:
        alarm = followed_alarm(change)
        if alarm is None:
            await alarm_store.unfollow(connection, change.alarm_id)
            return []
        await alarm_store.lock_auto_runs(connection)
        await alarm_store.follow(connection, alarm)
        last = await alarm_store.last_auto_run(connection, alarm.park_id, alarm.chemical)
        if last is not None and abs(alarm.event_time - last.event_time) < self._every:
            return []
        companions = [
            entry
            for entry in await alarm_store.followed(connection)
            if (entry.park_id, entry.chemical) == (alarm.park_id, alarm.chemical)
        ]
        run_id = await self._make(connection, companions, alarm.event_time, self._clock())
        return [(run_id, alarm.park_id)]

    async def _make(
        self, connection: AsyncConnection, alarms: Sequence[FollowedAlarm], event_time: datetime, now: datetime
    ) -> UUID:
        run_id = uuid4()
        park_id, cas = alarms[0].park_id, alarms[0].chemical
        inputs = inputs_of_alarms(alarms, event_time)
        await run_store.insert(connection, NewRun(run_id, park_id, "alarm", REQUESTED_BY, inputs), now)
        await alarm_store.note_auto_run(connection, park_id, cas, event_time, now)
        log.info("run_from_alarm", run_id=str(run_id), park_id=park_id, chemical=cas)
        return run_id

    async def _announce(self, made: Sequence[tuple[UUID, str]]) -> None:
        if made:
            self._wake()
        for run_id, park_id in made:
            await ring(self._queue, run_id, park_id)


def followed_alarm(change: AlarmChanged) -> FollowedAlarm | None:
    """Return what is followed after a transition, or None: over, hidden, below orange, or no gas of the catalogue.

    Nor an alarm of no datastream: it is at no one station, which a run begins from.
    """
    if change.datastream_id is None:
        return None
    if change.state not in _FOLLOWED or change.colour.rank < Colour.ORANGE.rank or change.property_id is None:
        return None
    observed = observed_properties().get(change.property_id)
    if observed is None or observed.cas is None:
        return None
    try:
        chemical(observed.cas)
    except UnknownChemical:
        return None
    return FollowedAlarm(
        alarm_id=change.alarm_id,
        park_id=change.park_id,
        station_id=change.station_id,
        chemical=observed.cas,
        colour=change.colour.value,
        threshold_mg_m3=change.threshold if change.unit == "mg/m3" else None,
        raised_at=change.raised_at,
        event_time=change.event_time,
    )


def inputs_of_alarms(alarms: Sequence[FollowedAlarm], event_time: datetime) -> RunInputs:
    """Return the inputs of the run that open alarms of one park and chemical start."""
    thresholds = [alarm.threshold_mg_m3 for alarm in alarms if alarm.threshold_mg_m3]
    stations = sorted({alarm.station_id for alarm in alarms})
    worst = max((Colour(alarm.colour) for alarm in alarms), key=lambda colour: colour.rank)
    return RunInputs(
        request=RunRequest(
            chemical=alarms[0].chemical,
            source=AtSuspicion(suspicion=SuspicionHint(alarm_station_ids=stations)),
            levels_mg_m3=alarm_levels(chemical(alarms[0].chemical), min(thresholds, default=None)),
        ),
        alarm=AlarmContext(
            alarm_station_ids=stations,
            colour=worst.value,
            raised_at=min(alarm.raised_at for alarm in alarms),
            event_time=event_time,
        ),
    )
