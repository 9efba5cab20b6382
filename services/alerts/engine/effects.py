"""What changes of conditions do to alarms, written in the transaction of the caller."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.conditions import Change, LevelRule, Sample
from services.alerts.engine import metrics
from services.alerts.engine.registry import Datastream
from services.alerts.lifecycle import Alarm, Case, Entry, Habits, Subject, fit, overshadow
from services.alerts.store import alarms as store
from services.alerts.store import journal, suppressions
from shared.streams import Fact
from shared.time import from_microseconds, iso

_BACKFILL = UUID("5f0c4c8e-66c5-5d3c-8f1a-3c0a4a0a7f21")


async def respond(
    connection: AsyncConnection,
    changed: Sequence[tuple[Datastream, LevelRule, list[Change]]],
    now: datetime,
    habits: Habits | None = None,
) -> list[Entry]:
    """Act on the changes of some datastreams: open, move and close alarms, write the journal, tell subscribers."""
    if not changed:
        return []
    subjects = [_subject(datastream, rule) for datastream, rule, _ in changed]
    cases = await load_cases(connection, subjects, habits)
    for subject, (_, rule, changes) in zip(subjects, changed, strict=True):
        for change in changes:
            cases.of(subject).respond(rule, change, now)
    return await save_cases(connection, cases, now)


async def journal_backfill(
    connection: AsyncConnection,
    datastream: Datastream,
    rule: LevelRule,
    reaching: list[Sample],
    count: int,
    last: Fact,
    now: datetime,
) -> None:
    """Readings of long ago raise no alarm, but that some of `count` reached a level is put on record."""
    highest = max(reaching, key=lambda sample: sample.height)
    level = max((level for level in rule.levels if highest.height >= level.threshold), key=lambda at: at.threshold)
    await journal.record(
        connection,
        uuid5(_BACKFILL, f"{last.stream}|{last.position}|{datastream.id}|{rule.rule_id}"),
        _subject(datastream, rule),
        {
            "action": "backfilled",
            "colour_after": level.colour,
            "value": highest.value,
            "threshold": level.threshold,
            "event_time": from_microseconds(highest.time),
            "recorded_at": now,
            "detail": {
                "readings": count,
                "readings_at_a_level": len(reaching),
                "from": iso(from_microseconds(min(sample.time for sample in reaching))),
                "to": iso(from_microseconds(max(sample.time for sample in reaching))),
                "over_range": highest.over_range,
            },
        },
    )


@dataclass(frozen=True, slots=True)
class Cases:
    """The alarms of some subjects and their rules, and all that are open of the same subjects; all locked."""

    by_rule: dict[tuple[str, str], Case]
    standing: list[Alarm]

    def of(self, subject: Subject) -> Case:
        """The case of one of them."""
        return self.by_rule[subject.rule_id, subject.key]


async def load_cases(connection: AsyncConnection, subjects: list[Subject], habits: Habits | None = None) -> Cases:
    """The alarms of these subjects."""
    keys = [subject.key for subject in subjects]
    standing = await store.lock_open(connection, keys)
    open_ = {(alarm.subject.rule_id, alarm.subject.key): alarm for alarm in standing}
    past = await store.past_of(connection, subjects)
    by_rule = {}
    for subject in subjects:
        which = (subject.rule_id, subject.key)
        before = past[which]
        by_rule[which] = Case(
            subject, open_.get(which), before.serial, raises=before.raises, hold=before.hold, habits=habits
        )
    return Cases(by_rule, standing)


async def save_cases(connection: AsyncConnection, cases: Cases, now: datetime) -> list[Entry]:
    """Write what the cases did, and give the journal entries."""
    changed = [case for case in cases.by_rule.values() if case.touched]
    touched = {alarm_id: alarm for case in changed for alarm_id, alarm in case.touched.items()}
    entries = [entry for case in changed for entry in case.entries]
    return (await save_changes(connection, cases.standing, touched, entries, now))[1]


async def save_changes(
    connection: AsyncConnection,
    standing: Iterable[Alarm],
    touched: Mapping[UUID, Alarm],
    entries: Sequence[Entry],
    now: datetime,
) -> tuple[dict[UUID, Alarm], list[Entry]]:
    """Write alarms that changed and what follows for the others of their subjects; give all that is written.

    `standing`: the open alarms of the same subjects, locked, as they were or are. `now` is wall time.
    """
    written, told = dict(touched), list(entries)
    by_subject: defaultdict[str, list[Alarm]] = defaultdict(list)
    for alarm in ({alarm.id: alarm for alarm in standing} | written).values():
        by_subject[alarm.subject.key].append(alarm)
    for alarms in by_subject.values():
        for alarm, more in overshadow(alarms, now):
            written[alarm.id] = alarm
            told += more
    await store.save(connection, written, told)
    return written, told


async def refit(
    connection: AsyncConnection, keys: list[str], now: datetime, actor: str | None = None, reason: str | None = None
) -> list[Entry]:
    """Make the open alarms of these subjects what suppressions and the time ask for; `actor` has said `reason`."""
    standing = await store.lock_open(connection, keys)
    said = await suppressions.in_force(connection, (alarm.subject.station_id for alarm in standing))
    touched: dict[UUID, Alarm] = {}
    entries: list[Entry] = []
    for alarm in standing:
        hold = replace(suppressions.hold_of(alarm.subject, said), actor=actor, reason=reason)
        after, more = fit(alarm, hold, now)
        if more:
            touched[after.id] = after
            entries += more
    return (await save_changes(connection, standing, touched, entries, now))[1]


def _subject(datastream: Datastream, rule: LevelRule) -> Subject:
    return Subject(
        park_id=datastream.park_id,
        station_id=datastream.station_id,
        station_name=datastream.station_name,
        ring=datastream.ring,
        rule_id=rule.rule_id,
        datastream_id=datastream.id,
        property_id=datastream.property_id,
        unit=rule.measure.unit_of(datastream.unit),
        amount=rule.measure.is_amount,
    )


def count_transitions(entries: list[Entry]) -> None:
    """Count what subscribers are told."""
    for entry in entries:
        if entry.told_as is not None:
            metrics.TRANSITIONS.labels(entry.told_as, entry.colour_after).inc()
