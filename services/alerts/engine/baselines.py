"""Keeps what is usual for the datastreams whose rules ask for it: learned from ingest, each day before it begins."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
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
_SERVED_EVERY = 200
"""What was learned is put to use after so many: that copies what is known of all."""
_FAILURES = 3
"""That many in a row: it is ingest, not a datastream."""


Key = tuple[int, int]
"""Number of days, datastream."""


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
        self._known: dict[Key, dict[date, Baseline]] = {}
        self._zones: dict[str, str] = {}
        self._loaded_on: date | None = None
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
        await self._take_up(self._wanted(), {}, today)

    async def look(self) -> int:
        """Learn what is lacking for today and tomorrow; how many baselines that were."""
        wanted, today = self._wanted(), self._clock().astimezone(UTC).date()
        known = self._known if today == self._loaded_on else {}
        if known is not self._known or self._keys(wanted) != known.keys():
            await self._take_up(wanted, known, today)
        learned = 0
        try:
            async for _ in self._learn_what_is_lacking(wanted):
                learned += 1
                if learned % _SERVED_EVERY == 0:
                    await self._serve(today)
        finally:
            if learned % _SERVED_EVERY:
                await self._serve(today)
        await self._forget(today)
        return learned

    async def _learn_what_is_lacking(self, wanted: Mapping[int, Sequence[Datastream]]) -> AsyncIterator[Learned]:
        failures = 0
        for over, datastream in ((over, each) for over, datastreams in wanted.items() for each in datastreams):
            if datastream.park_id not in self._zones:
                self._zones[datastream.park_id] = await zone_of(self._ingest, datastream.park_id)
            zone = self._zones[datastream.park_id]
            here = self._clock().astimezone(ZoneInfo(zone)).date()
            stored = self._known.get((over, datastream.id), {})
            lacking = [day for day in (here, here + _DAY) if day not in stored]
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
            failures, now = 0, self._clock()
            learned = [Learned(datastream.id, each, now) for each in found]
            async with self._database.begin() as connection:
                await store.save(connection, learned)
            self._known.setdefault((over, datastream.id), {}).update({each.day: each for each in found})
            for each in learned:
                yield each

    async def _take_up(
        self, wanted: Mapping[int, Sequence[Datastream]], known: Mapping[Key, dict[date, Baseline]], today: date
    ) -> None:
        """Read what is stored of those that are not `known`, and forget what nobody wants any more."""
        found = {key: known.get(key, {}) for key in self._keys(wanted)}
        for over, datastreams in wanted.items():
            ids = iter([datastream.id for datastream in datastreams if (over, datastream.id) not in known])
            while some := list(islice(ids, _AT_ONCE)):
                async with self._database.connect() as connection:
                    rows = await store.between(connection, over, some, today - (_SERVES + 1) * _DAY, today + 2 * _DAY)
                for row in rows:
                    found[over, row.datastream_id][row.baseline.day] = row.baseline
        if today != self._loaded_on:
            self._zones.clear()
        self._known, self._loaded_on = found, today
        await self._serve(today)

    def _keys(self, wanted: Mapping[int, Sequence[Datastream]]) -> set[Key]:
        return {(over, datastream.id) for over, datastreams in wanted.items() for datastream in datastreams}

    def _wanted(self) -> Mapping[int, Sequence[Datastream]]:
        """The datastreams whose rules are about a baseline, by the number of days that it rests on."""
        wanted: defaultdict[int, dict[int, Datastream]] = defaultdict(dict)
        parks = self._rulebook.parks_measuring("baseline_deviation")
        for station, datastreams in self._registry.stations.items():
            if datastreams[0].park_id not in parks or not self._owns(station):
                continue
            for datastream in datastreams:
                if not self._registry.is_feed(datastream.id):
                    continue
                for rule in self._rulebook.rules_for(datastream):
                    if isinstance(rule.measure, BaselineDeviation):
                        wanted[rule.measure.over_days][datastream.id] = datastream
        return {over: list(found.values()) for over, found in wanted.items()}

    async def _serve(self, today: date) -> None:
        days = [today + number * _DAY for number in (-1, 0, 1, 2)]
        serving: defaultdict[int, list[tuple[int, date, Baseline]]] = defaultdict(list)
        for (over, datastream_id), known in self._known.items():
            for day in days:
                lasts = (known.get(day - number * _DAY) for number in range(_SERVES + 1))
                if (last := next(filter(None, lasts), None)) is not None:
                    serving[over].append((datastream_id, day, last))
        usual = {over: await asyncio.to_thread(Usual, found) for over, found in serving.items()}
        for over in self.usual.keys() - usual.keys():
            del self.usual[over]
        self.usual |= usual

    async def _forget(self, today: date) -> None:
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
