"""Runs trials of draft rules, one at a time in each replica, beside the live evaluation and slower than that."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.conditions import LevelRule, Readings, Sample
from services.alerts.conditions.baselines import Usual
from services.alerts.conditions.measures import BaselineDeviation
from services.alerts.engine.across_book import condition_of
from services.alerts.engine.across_history import windows
from services.alerts.engine.baselines import learn_days, zone_of
from services.alerts.engine.history import HistoryUnavailable, history
from services.alerts.engine.outages import OUTAGES
from services.alerts.engine.registry import Datastream, Registry
from services.alerts.rules import Delays, Origin, Override, Overrides, effective_rules
from services.alerts.rules.across import ParkRule
from services.alerts.rules.trial import AcrossTrial, Trial
from services.alerts.rules.trial_result import DatastreamInTrial, Tally, TrialResult
from services.alerts.store import across_rules
from services.alerts.store import rules as rule_store
from services.alerts.store import trials as store
from services.alerts.store.trials import StoredTrial
from shared.park_file import AcrossRule
from shared.telemetry import get_logger
from shared.time import from_microseconds

log = get_logger(__name__)
MOST_READINGS = 50_000_000
"""Of one trial."""
MOST_ALARMS = 100_000
"""Of one trial, under the draft or the rule in force: what raises more is no alarm."""
_IDLE_S = 2.0
_BEAT_S = 1.0
_SILENCE = timedelta(seconds=180)
"""Longer than a page of history can take: after it a trial is taken over."""


class _Stopped(Exception):
    """The trial is no longer ours to run."""


class _TooMuch(Exception):
    """Over a bound; says which."""


class TrialRunner:
    """Takes queued trials and runs them. `wake` when one is queued."""

    def __init__(
        self,
        database: AsyncEngine,
        ingest: httpx.AsyncClient,
        registry: Registry,
        delays: Delays,
        bound: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._ingest = ingest
        self._registry = registry
        self._delays = delays
        self._bound = bound
        self._clock = clock
        self._news = asyncio.Event()

    def wake(self) -> None:
        """Look at once whether there is a trial to run."""
        self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                ran = await self.run_one()
            except OUTAGES as error:
                log.warning("trial_interrupted", error=f"{type(error).__name__}: {error}"[:200])
                ran = False
            if not ran:
                try:
                    async with asyncio.timeout(_IDLE_S):
                        await self._news.wait()
                except TimeoutError:
                    pass
                self._news.clear()

    async def run_one(self) -> bool:
        """Run one trial to its end; False where none waits."""
        if not self._registry.stations:
            return False
        async with self._database.begin() as connection:
            trial = await store.claim(connection, self._clock(), _SILENCE)
        if trial is None:
            return False
        log.info("trial_started", trial_id=str(trial.id), park_id=trial.park_id, attempt=trial.attempts)
        try:
            if trial.attempts > store.MOST_ATTEMPTS:
                raise _TooMuch(f"it was begun {store.MOST_ATTEMPTS} times, and the service stopped each time")
            outcome: dict[str, object] | str = (await self._result(trial)).model_dump(mode="json")
        except _Stopped:
            return True
        except (HistoryUnavailable, _TooMuch) as error:
            outcome = str(error)
        except OUTAGES:
            raise  # begun again once it has been silent for long enough
        except Exception:
            log.exception("trial_failed", trial_id=str(trial.id))
            outcome = "an error of the service; its log tells more"
        async with self._database.begin() as connection:
            await store.end(connection, trial, self._clock(), outcome)
        return True

    async def _result(self, trial: StoredTrial) -> TrialResult:
        if trial.across is not None:
            return await self._result_across(trial, trial.across)
        async with self._database.connect() as connection:
            overrides = await rule_store.overrides_of(connection, trial.park_id)
        drafts: list[Trial] = []
        in_force: list[Trial] = []
        told: list[DatastreamInTrial] = []
        subjects = subjects_of(self._registry, trial.park_id, trial.draft)
        progress = _Progress(self._database, trial, len(subjects), self._clock)
        for datastream in subjects:
            rules = [
                rule_of(datastream, trial.draft.name, said, self._delays)
                for said in (overrides.with_draft(trial.draft), overrides)
            ]
            usual = await self._usual(trial, datastream, rules)
            runs = [Trial(datastream.id, rule, self._bound, usual) if rule is not None else None for rule in rules]
            before = progress.readings
            async for readings, count in history(self._ingest, trial.park_id, datastream.id, trial.start, trial.end):
                begun = time.monotonic()
                await asyncio.to_thread(_take, runs, readings)
                if sum(len(run.alarms) for run in [*drafts, *in_force, *filter(None, runs)]) > MOST_ALARMS:
                    raise _TooMuch(f"more than {MOST_ALARMS} alarms: shorten the span, or draft another rule")
                await progress.note(readings, count)
                await asyncio.sleep(time.monotonic() - begun)  # half of the time is for others
            progress.datastream_ends()
            draft, live = ([run] if run is not None else [] for run in runs)
            drafts += draft
            in_force += live
            told.append(
                DatastreamInTrial(
                    datastream_id=datastream.id,
                    station_id=datastream.station_id,
                    readings=progress.readings - before,
                    draft=Tally.of(draft),
                    in_force=Tally.of(live),
                )
            )
        await progress.tell()
        return TrialResult.of(drafts, in_force, told)

    async def _result_across(self, trial: StoredTrial, draft: AcrossRule) -> TrialResult:
        async with self._database.connect() as connection:
            known = (await across_rules.in_force(connection, trial.park_id)).get(trial.park_id, [])
        drafted = ParkRule(trial.park_id, draft, Origin("draft"))
        live = [rule for rule in known if rule.rule.name == draft.name]
        runs = [
            AcrossTrial(condition_of(rule, self._registry), rule.level_rule(self._delays)) for rule in [drafted, *live]
        ]
        ids = sorted({i for run in runs for i in run.condition.datastreams})
        progress = _Progress(self._database, trial, 1, self._clock)
        read: Counter[int] = Counter()
        async for found, counts, until in windows(self._ingest, trial.park_id, ids, trial.start, trial.end):
            begun = time.monotonic()
            for run in runs:
                await asyncio.to_thread(run.take, found, until)
            if sum(len(run.alarms) for run in runs) > MOST_ALARMS:
                raise _TooMuch(f"more than {MOST_ALARMS} alarms: shorten the span, or draft another rule")
            read.update(counts)
            await progress.note(Readings.of([Sample(until, None)]), counts.total())
            await asyncio.sleep(time.monotonic() - begun)  # half of the time is for others
        await progress.tell()
        told = [
            DatastreamInTrial(
                datastream_id=member.datastream_id,
                station_id=member.station_id,
                readings=read[member.datastream_id],
                draft=Tally(),
                in_force=Tally(),
            )
            for member in runs[0].condition.members
        ]
        return TrialResult.of(runs[:1], runs[1:], told)

    async def _usual(
        self, trial: StoredTrial, datastream: Datastream, rules: list[LevelRule | None]
    ) -> dict[int, Usual]:
        """The baselines that the rules are about, of each day as they would have been learned before it."""
        over_days = {rule.measure.over_days for rule in rules if rule and isinstance(rule.measure, BaselineDeviation)}
        if not over_days:
            return {}
        zone = await zone_of(self._ingest, trial.park_id)
        first, last = (at.astimezone(ZoneInfo(zone)).date() for at in (trial.start, trial.end))
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        found = {}
        for over in over_days:
            baselines = await learn_days(self._ingest, datastream, zone, days, over)
            found[over] = Usual((datastream.id, each.day, each) for each in baselines)
        return found


def subjects_of(registry: Registry, park_id: str, draft: Override) -> list[Datastream]:
    """The datastreams that a draft is about: the one it names, else those of its property that alarms rest on."""
    if draft.datastream_id is not None:
        own = registry.datastream(draft.datastream_id)
        return [own] if own is not None and own.park_id == park_id else []
    stations = [draft.station_id] if draft.station_id is not None else sorted(registry.stations)
    return [
        datastream
        for station in stations
        for datastream in registry.stations.get(station, [])
        if datastream.park_id == park_id
        and datastream.property_id == draft.property_id
        and draft.ring in (None, datastream.ring)
        and registry.is_feed(datastream.id)
    ]


def rule_of(datastream: Datastream, name: str, overrides: Overrides, delays: Delays) -> LevelRule | None:
    """The rule of this name of a datastream; None where no level is known for it."""
    rules = effective_rules(
        datastream.ring, datastream.property_id, overrides, delays, datastream.station_id, datastream.id
    )
    return next((rule.condition() for rule in rules if rule.name == name), None)


def _take(runs: list[Trial | None], readings: Readings) -> None:
    for run in runs:
        if run is not None:
            run.take(readings)


class _Progress:
    """How far a trial is; told about once a second. Raises `_Stopped` where it was cancelled, `_TooMuch`."""

    def __init__(
        self, database: AsyncEngine, trial: StoredTrial, datastreams: int, clock: Callable[[], datetime]
    ) -> None:
        self.readings = 0
        self._database = database
        self._trial = trial
        self._datastreams = datastreams
        self._clock = clock
        self._done = 0
        self._share = 0.0
        self._told = time.monotonic()

    async def note(self, readings: Readings, count: int) -> None:
        """A page was evaluated."""
        self.readings += count
        if self.readings > MOST_READINGS:
            raise _TooMuch(f"more than {MOST_READINGS} readings: shorten the span, or ask for fewer stations")
        if len(readings):
            begin, end = self._trial.start, self._trial.end
            self._share = (from_microseconds(int(readings.time[-1])) - begin) / (end - begin)
        if time.monotonic() - self._told >= _BEAT_S:
            await self.tell()

    def datastream_ends(self) -> None:
        """All pages of one datastream were evaluated."""
        self._done += 1
        self._share = 0.0

    async def tell(self) -> None:
        """Write it down."""
        self._told = time.monotonic()
        progress = (self._done + self._share) / max(1, self._datastreams)
        async with self._database.begin() as connection:
            if not await store.beat(connection, self._trial, self._clock(), progress, self.readings):
                raise _Stopped
