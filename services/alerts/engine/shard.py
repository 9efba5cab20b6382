"""One shard: its readings evaluated and everything that they did written in one transaction.

The position in the stream, the state of each datastream, alarms, journal and the facts for subscribers move together
or not at all. A crash at any instruction therefore neither loses nor doubles an edge: what was not committed is read
and evaluated again from the state before it.
"""

from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.alerts.conditions import Change, LevelRule, Sample, Track, Verdict, from_document, to_document
from services.alerts.engine import metrics
from services.alerts.engine.readings import Limits, Readings, sort_readings
from services.alerts.engine.registry import Datastream, Registry
from services.alerts.engine.rulebook import RuleBook
from services.alerts.lifecycle import Case, Entry, Subject
from services.alerts.store import alarms as alarm_store
from services.alerts.store import evaluation as store
from services.alerts.store.evaluation import Counts
from shared.messages import ObservationsStored
from shared.streams import Fact
from shared.time import from_microseconds, iso, to_microseconds

_BACKFILL = UUID("5f0c4c8e-66c5-5d3c-8f1a-3c0a4a0a7f21")


class Shard:
    """The evaluation of one stream of readings. `position` is the last fact whose effect is committed."""

    def __init__(
        self,
        stream: str,
        database: AsyncEngine,
        registry: Registry,
        rulebook: RuleBook,
        limits: Limits,
        reorder_bound: int,
    ) -> None:
        self.stream = stream
        self.position = 0
        self._database = database
        self._registry = registry
        self._rulebook = rulebook
        self._limits = limits
        self._bound = reorder_bound
        self._tracks: dict[int, Track] = {}

    async def begin(self) -> None:
        """Take up the stored position, and nothing else from before."""
        self._tracks.clear()
        async with self._database.begin() as connection:
            self.position = (await store.positions(connection, [self.stream]))[self.stream]

    async def process(self, facts: list[Fact], now: datetime) -> Readings:
        """Evaluate the facts that follow the position and commit what they did; `now` is wall time.

        Raises `Displaced` when another process evaluates this stream, and whatever the stores raise; the next call
        then starts from what is stored.
        """
        messages = [ObservationsStored.decode(fact.payload) for fact in facts]
        await self._registry.known({row[0] for message in messages for row in message.rows()})
        readings = sort_readings(messages, self._registry.is_feed, self._limits, to_microseconds(now))
        try:
            async with self._database.begin() as connection:
                await store.advance(connection, self.stream, self.position, facts[-1].position)
                entries = await self._apply(connection, readings, facts[-1], now)
        except BaseException:
            self._tracks.clear()
            raise
        self.position = facts[-1].position
        _count(readings, entries, messages, now)
        return readings

    async def refuse(self, fact: Fact, reason: str) -> None:
        """Set a fact aside that cannot be used, and go on behind it."""
        self._tracks.clear()
        async with self._database.begin() as connection:
            await store.advance(connection, self.stream, self.position, fact.position)
            await store.refuse(connection, fact, reason)
        self.position = fact.position
        metrics.REFUSED_FACTS.inc()

    async def _apply(self, connection: AsyncConnection, readings: Readings, last: Fact, now: datetime) -> list[Entry]:
        known = await self._registry.known(())
        rules = {
            i: (known[i], rule)
            for i in {*readings.live, *readings.backfilled, *readings.ahead}
            if (rule := self._rulebook.rule_for(known[i])) is not None
        }
        await self._load(connection, {i: rule for i, (_, rule) in rules.items()})
        changes: dict[int, list[Change]] = {}
        states = {}
        for i, (_, rule) in rules.items():
            changes[i], late = _offer(self._tracks[i], readings.live.get(i, []))
            counts = Counts(late, len(readings.backfilled.get(i, [])), len(readings.ahead.get(i, [])))
            states[i] = (rule.rule_id, to_document(self._tracks[i]), counts)
        if states:
            await store.save_states(connection, states)
        entries = await self._respond(connection, rules, changes, now)
        await self._tell_values(connection, readings, changes)
        for i, samples in readings.backfilled.items():
            if i in rules:
                await _journal_backfill(connection, *rules[i], samples, last, now)
        return entries

    async def _load(self, connection: AsyncConnection, rules: dict[int, LevelRule]) -> None:
        """Bring the tracks of these datastreams into memory, under the rules as they are now."""
        missing = [i for i, rule in rules.items() if i not in self._tracks or self._tracks[i].rule != rule]
        if not missing:
            return
        documents = await store.load_states(connection, missing)
        for i in missing:
            document = documents.get(i)
            if document is None:
                self._tracks[i] = Track(rules[i], self._bound)
            else:
                self._tracks[i] = from_document(document, rules[i], self._bound)

    async def _respond(
        self,
        connection: AsyncConnection,
        rules: dict[int, tuple[Datastream, LevelRule]],
        changes: dict[int, list[Change]],
        now: datetime,
    ) -> list[Entry]:
        """Act on the changes: open, move and close alarms, write the journal, tell subscribers."""
        changed = sorted(i for i, found in changes.items() if found)
        if not changed:
            return []
        subjects = {i: _subject(*rules[i]) for i in changed}
        cases = await load_cases(connection, list(subjects.values()))
        for i in changed:
            for change in changes[i]:
                cases[subjects[i].key].respond(rules[i][1], change, now)
        return await save_cases(connection, list(cases.values()))

    async def _tell_values(
        self, connection: AsyncConnection, readings: Readings, changes: dict[int, list[Change]]
    ) -> None:
        """Keep value and peak of standing alarms up to date between transitions."""
        values = {}
        for i in readings.live:
            track = self._tracks.get(i)
            if track is not None and track.head.level and track.samples and not changes.get(i):
                values[f"datastream:{i}"] = (track.samples[-1].value, track.head.peak)
        if values:
            await alarm_store.update_values(connection, values)


async def load_cases(connection: AsyncConnection, subjects: list[Subject]) -> dict[str, Case]:
    """The alarms of these subjects, by the subject's key, the open ones locked."""
    rule_ids, keys = [subject.rule_id for subject in subjects], [subject.key for subject in subjects]
    standing = {alarm.subject.key: alarm for alarm in await alarm_store.lock_open(connection, rule_ids, keys)}
    serials = await alarm_store.last_serials(connection, rule_ids, keys)
    return {
        subject.key: Case(subject, standing.get(subject.key), serials.get((subject.rule_id, subject.key), 0))
        for subject in subjects
    }


async def save_cases(connection: AsyncConnection, cases: list[Case]) -> list[Entry]:
    """Write what the cases did, and give their journal entries."""
    touched = {alarm_id: alarm for case in cases for alarm_id, alarm in case.touched.items()}
    entries = [entry for case in cases for entry in case.entries]
    await alarm_store.save(connection, touched, entries)
    return entries


def _offer(track: Track, samples: list[Sample]) -> tuple[list[Change], int]:
    """Offer samples in order of time; the changes and how many came too late."""
    changes, late = [], 0
    for sample in sorted(samples, key=lambda sample: sample.time):
        verdict, change = track.offer(sample)
        late += verdict is Verdict.TOO_LATE
        if change is not None:
            changes.append(change)
    return changes, late


def _subject(datastream: Datastream, rule: LevelRule) -> Subject:
    return Subject(
        park_id=datastream.park_id,
        station_id=datastream.station_id,
        station_name=datastream.station_name,
        ring=datastream.ring,
        rule_id=rule.rule_id,
        datastream_id=datastream.id,
        property_id=datastream.property_id,
        unit=datastream.unit,
    )


async def _journal_backfill(
    connection: AsyncConnection,
    datastream: Datastream,
    rule: LevelRule,
    samples: list[Sample],
    last: Fact,
    now: datetime,
) -> None:
    """Readings of long ago raise no alarm, but that they reached a level is put on record."""
    reaching = [sample for sample in samples if sample.height >= rule.levels[0].threshold]
    if not reaching:
        return
    highest = max(reaching, key=lambda sample: sample.height)
    level = max((level for level in rule.levels if highest.height >= level.threshold), key=lambda at: at.threshold)
    await alarm_store.record(
        connection,
        uuid5(_BACKFILL, f"{last.stream}|{last.position}|{datastream.id}"),
        _subject(datastream, rule),
        {
            "action": "backfilled",
            "colour_after": level.colour,
            "value": highest.value,
            "threshold": level.threshold,
            "event_time": from_microseconds(highest.time),
            "recorded_at": now,
            "detail": {
                "readings": len(samples),
                "readings_at_a_level": len(reaching),
                "from": iso(from_microseconds(min(sample.time for sample in reaching))),
                "to": iso(from_microseconds(max(sample.time for sample in reaching))),
                "over_range": highest.over_range,
            },
        },
    )


def _count(readings: Readings, entries: list[Entry], messages: list[ObservationsStored], now: datetime) -> None:
    outcomes = {"live": readings.live, "backfilled": readings.backfilled, "ahead": readings.ahead}
    for outcome, samples in outcomes.items():
        metrics.EVALUATED.labels(outcome).inc(sum(map(len, samples.values())))
    metrics.EVALUATED.labels("without_proof").inc(readings.without_proof)
    count_transitions(entries)
    for message in messages:
        if message.received_at is not None:
            metrics.LAG.observe(max(0, to_microseconds(now) - message.received_at) / 1e6)


def count_transitions(entries: list[Entry]) -> None:
    """Count what subscribers are told."""
    for entry in entries:
        if entry.told_as is not None:
            metrics.TRANSITIONS.labels(entry.told_as, entry.colour_after).inc()
