"""Keeps what is usual for the datastreams whose rules ask for it: learned from ingest, each day before it begins."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import httpx
import numpy as np
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.conditions import Readings
from services.alerts.conditions.baselines import LAG, Baseline, Usual, first_day, learn, local_hours
from services.alerts.conditions.measures import BaselineDeviation
from services.alerts.engine.history import HistoryUnavailable, history
from services.alerts.engine.registry import Datastream, Registry
from services.alerts.engine.rulebook import RuleBook
from services.alerts.store import baselines as store
from services.alerts.store.baselines import Learned
from shared.telemetry import get_logger
from shared.time import from_microseconds

log = get_logger(__name__)
_DAY = timedelta(days=1)
_SERVES = 3
"""Days for which a baseline stands in where a later one could not be learned."""
_KEPT = timedelta(days=35)
"""How long baselines can be asked for. What an alarm rested on stays in its journal."""
_AT_ONCE = 5_000
_FAILURES = 3
"""That many in a row: it is ingest, not a datastream."""


class _Park(BaseModel):
    timezone: str


class BaselineKeeper:
    """Of the stations that `owns` accepts. `usual` is by the number of days that baselines rest on, and kept up."""

    def __init__(
        self,
        database: AsyncEngine,
        ingest: httpx.AsyncClient,
        registry: Registry,
        rulebook: RuleBook,
        *,
        owns: Callable[[str], bool],
        clock: Callable[[], datetime],
    ) -> None:
        self.usual: dict[int, Usual] = {}
        self._database = database
        self._ingest = ingest
        self._registry = registry
        self._rulebook = rulebook
        self._owns = owns
        self._clock = clock
        self._known: dict[tuple[int, int], dict[date, Baseline]] = {}
        self._forgotten: date | None = None

    async def run(self, errors: tuple[type[Exception], ...], every_s: float = 20.0) -> None:
        """Keep up until cancelled; through the outages that `errors` names."""
        passing: tuple[type[Exception], ...] = (HistoryUnavailable, *errors)
        while True:
            try:
                await self.look()
            except passing as error:
                log.warning("baselines_interrupted", error=" ".join(str(error).split())[:200])
            await asyncio.sleep(every_s)

    async def load(self) -> None:
        """Take up what was learned before. Registry and rules must have been read."""
        today = self._clock().astimezone(UTC).date()
        self._known = {}
        for over, datastreams in self._wanted().items():
            ids = iter([datastream.id for datastream in datastreams])
            while some := list(islice(ids, _AT_ONCE)):
                async with self._database.connect() as connection:
                    rows = await store.between(connection, over, some, today - (_SERVES + 1) * _DAY, today + 2 * _DAY)
                for row in rows:
                    self._known.setdefault((over, row.datastream_id), {})[row.baseline.day] = row.baseline
        self._serve()

    async def look(self) -> int:
        """Learn what is lacking for today and tomorrow; how many baselines that were."""
        await self.load()
        zones: dict[str, str] = {}
        learned = failures = 0
        for over, datastreams in self._wanted().items():
            for datastream in datastreams:
                if datastream.park_id not in zones:
                    zones[datastream.park_id] = await zone_of(self._ingest, datastream.park_id)
                zone = zones[datastream.park_id]
                today = self._clock().astimezone(ZoneInfo(zone)).date()
                known = self._known.get((over, datastream.id), {})
                lacking = [day for day in (today, today + _DAY) if day not in known]
                if not lacking:
                    continue
                try:
                    found = await learn_days(self._ingest, datastream, zone, lacking, over)
                except HistoryUnavailable as error:
                    log.warning("baseline_not_learned", datastream_id=datastream.id, error=str(error)[:200])
                    failures += 1
                    if failures >= _FAILURES:
                        raise
                    continue
                failures = 0
                now = self._clock()
                async with self._database.begin() as connection:
                    await store.save(connection, [Learned(datastream.id, each, now) for each in found])
                learned += len(found)
        if learned:
            await self.load()
        await self._forget()
        return learned

    def _wanted(self) -> Mapping[int, Sequence[Datastream]]:
        """The datastreams whose rules are about a baseline, by the number of days that it rests on."""
        wanted: defaultdict[int, dict[int, Datastream]] = defaultdict(dict)
        for station, datastreams in self._registry.stations.items():
            if not self._owns(station):
                continue
            for datastream in datastreams:
                if not self._registry.is_feed(datastream.id):
                    continue
                for rule in self._rulebook.rules_for(datastream):
                    if isinstance(rule.measure, BaselineDeviation):
                        wanted[rule.measure.over_days][datastream.id] = datastream
        return {over: list(found.values()) for over, found in wanted.items()}

    def _serve(self) -> None:
        today = self._clock().astimezone(UTC).date()
        days = [today + number * _DAY for number in (-1, 0, 1, 2)]
        serving: defaultdict[int, list[tuple[int, date, Baseline]]] = defaultdict(list)
        for (over, datastream_id), known in self._known.items():
            for day in days:
                lasts = (known.get(day - number * _DAY) for number in range(_SERVES + 1))
                if (last := next(filter(None, lasts), None)) is not None:
                    serving[over].append((datastream_id, day, last))
        for over in self.usual.keys() - serving.keys():
            del self.usual[over]
        self.usual |= {over: Usual(found) for over, found in serving.items()}

    async def _forget(self) -> None:
        today = self._clock().astimezone(UTC).date()
        if today != self._forgotten:
            async with self._database.begin() as connection:
                await store.forget(connection, today - _KEPT)
            self._forgotten = today


async def zone_of(ingest: httpx.AsyncClient, park_id: str) -> str:
    """The time zone of a park; raises `httpx.HTTPError`."""
    answer = await ingest.get(f"/parks/{park_id}")
    answer.raise_for_status()
    return _Park.model_validate_json(answer.content).timezone


async def learn_days(
    ingest: httpx.AsyncClient, datastream: Datastream, zone: str, days: Sequence[date], over: int
) -> list[Baseline]:
    """The baselines of some days, rising, from the minute means that ingest has; raises `HistoryUnavailable`."""
    start = from_microseconds(local_hours(zone, first_day(days[0], over))[0])
    end = from_microseconds(local_hours(zone, days[-1] - LAG * _DAY)[0])
    parts = [
        part async for part, _ in history(ingest, datastream.park_id, datastream.id, start, end, resolution="minute")
    ]
    if not parts:
        parts = [Readings.of([])]
    readings = Readings(
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.over_range for part in parts]),
    )
    return await asyncio.to_thread(lambda: [learn(readings, zone, day, over) for day in days])
