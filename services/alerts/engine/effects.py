"""What changes of conditions do to alarms, written in the transaction of the caller."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.conditions import Change, LevelRule, Sample
from services.alerts.engine import metrics
from services.alerts.engine.registry import Datastream
from services.alerts.lifecycle import Case, Entry, Subject
from services.alerts.store import alarms as store
from shared.streams import Fact
from shared.time import from_microseconds, iso

_BACKFILL = UUID("5f0c4c8e-66c5-5d3c-8f1a-3c0a4a0a7f21")


async def respond(
    connection: AsyncConnection, changed: Sequence[tuple[Datastream, LevelRule, list[Change]]], now: datetime
) -> list[Entry]:
    """Act on the changes of some datastreams: open, move and close alarms, write the journal, tell subscribers."""
    if not changed:
        return []
    subjects = [_subject(datastream, rule) for datastream, rule, _ in changed]
    cases = await load_cases(connection, subjects)
    for subject, (_, rule, changes) in zip(subjects, changed, strict=True):
        for change in changes:
            cases[subject.key].respond(rule, change, now)
    return await save_cases(connection, list(cases.values()))


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
    await store.record(
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
                "readings": count,
                "readings_at_a_level": len(reaching),
                "from": iso(from_microseconds(min(sample.time for sample in reaching))),
                "to": iso(from_microseconds(max(sample.time for sample in reaching))),
                "over_range": highest.over_range,
            },
        },
    )


async def load_cases(connection: AsyncConnection, subjects: list[Subject]) -> dict[str, Case]:
    """The alarms of these subjects, by the subject's key, the open ones locked."""
    rule_ids, keys = [subject.rule_id for subject in subjects], [subject.key for subject in subjects]
    standing = {alarm.subject.key: alarm for alarm in await store.lock_open(connection, rule_ids, keys)}
    serials = await store.last_serials(connection, rule_ids, keys)
    return {
        subject.key: Case(subject, standing.get(subject.key), serials.get((subject.rule_id, subject.key), 0))
        for subject in subjects
    }


async def save_cases(connection: AsyncConnection, cases: list[Case]) -> list[Entry]:
    """Write what the cases did, and give their journal entries."""
    touched = {alarm_id: alarm for case in cases for alarm_id, alarm in case.touched.items()}
    entries = [entry for case in cases for entry in case.entries]
    await store.save(connection, touched, entries)
    return entries


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


def count_transitions(entries: list[Entry]) -> None:
    """Count what subscribers are told."""
    for entry in entries:
        if entry.told_as is not None:
            metrics.TRANSITIONS.labels(entry.told_as, entry.colour_after).inc()
