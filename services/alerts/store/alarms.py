"""Alarms: read under lock, written together with their journal and the facts that tell of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.lifecycle import Alarm, Entry, Hold, Subject
from services.alerts.store import backgrounds, floods, incident_members, incidents, journal, suppressions, waiting
from services.alerts.store.alarm_rows import NAMES, alarm_of, parameters_of
from shared import outbox
from shared.messages import AlarmChanged, AlarmState, Message

STREAM = "alarms"

_UPSERT = text(
    f"INSERT INTO alarm ({', '.join(NAMES)}) VALUES ({', '.join(':' + name for name in NAMES)}) "  # noqa: S608
    "ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in NAMES[NAMES.index("entries") :])
)


async def lock_open(connection: AsyncConnection, keys: Iterable[str]) -> list[Alarm]:
    """The open alarms of these subjects, whatever their rule, locked in the order of their ids."""
    rows = await connection.execute(
        text(
            "SELECT * FROM alarm WHERE closed_at IS NULL AND subject_key = ANY(CAST(:keys AS text[])) "
            "ORDER BY id FOR UPDATE"
        ),
        {"keys": list(keys)},
    )
    return [alarm_of(row) for row in rows]


async def misfits(connection: AsyncConnection, now: datetime, limit: int, station_id: str | None = None) -> list[str]:
    """The subjects (keys) of open alarms that are not what suppressions and the time ask for; at a station, or all.

    Nothing is locked: the subjects are then locked together.
    """
    rows = await connection.execute(
        text(
            """
            SELECT DISTINCT subject_key FROM alarm LEFT JOIN LATERAL (
                SELECT count(*) FILTER (WHERE kind = 'maintenance' AND alarm.datastream_id IS NOT NULL) > 0
                        AS maintenance,
                    count(*) FILTER (WHERE kind = 'out_of_service') > 0 AS out_of_service
                FROM suppression
                WHERE ended_at IS NULL AND suppression.station_id = alarm.station_id
                    AND (suppression.datastream_id IS NULL OR suppression.datastream_id = alarm.datastream_id)
            ) AS held ON true
            WHERE closed_at IS NULL
                AND (CAST(:station_id AS text) IS NULL OR station_id = CAST(:station_id AS text))
                AND (held.maintenance <> ('maintenance' = ANY(suppressed_by))
                    OR held.out_of_service <> alarm.out_of_service
                    OR (state = 'shelved' AND shelved_until <= :now))
            ORDER BY subject_key LIMIT :limit
            """
        ),
        {"station_id": station_id, "now": now, "limit": limit},
    )
    return list(rows.scalars())


@dataclass(frozen=True, slots=True)
class Past:
    """The last alarm of a subject and rule: its number, and the last raises up to it; and what holds it now."""

    serial: int
    raises: tuple[datetime, ...]
    hold: Hold


async def past_of(connection: AsyncConnection, subjects: Sequence[Subject]) -> dict[tuple[str, str], Past]:
    """The past of each of these by (rule, subject key); lock their open alarms first."""
    rows = await connection.execute(
        text(
            """
            SELECT coalesce(last.serial, 0) AS serial, coalesce(last.raises, '{}') AS raises, ARRAY(
                SELECT kind FROM suppression
                WHERE ended_at IS NULL AND station_id = asked.station_id
                    AND (suppression.datastream_id IS NULL OR suppression.datastream_id = asked.datastream_id)
            ) AS kinds
            FROM unnest(CAST(:rules AS text[]), CAST(:keys AS text[]), CAST(:stations AS text[]),
                CAST(:datastreams AS bigint[])) WITH ORDINALITY
                AS asked (rule_id, subject_key, station_id, datastream_id, nth)
            LEFT JOIN LATERAL (
                SELECT serial, raises FROM alarm
                WHERE subject_key = asked.subject_key AND rule_id = asked.rule_id ORDER BY serial DESC LIMIT 1
            ) AS last ON true
            ORDER BY nth
            """
        ),
        {
            "rules": [subject.rule_id for subject in subjects],
            "keys": [subject.key for subject in subjects],
            "stations": [subject.station_id for subject in subjects],
            "datastreams": [subject.datastream_id for subject in subjects],
        },
    )
    return {
        (subject.rule_id, subject.key): Past(row.serial, tuple(row.raises), suppressions.hold(subject, row.kinds))
        for subject, row in zip(subjects, rows, strict=True)
    }


async def lock(connection: AsyncConnection, park_id: str, alarm_id: UUID) -> Alarm | None:
    """One alarm of a park, locked until the end of the transaction."""
    rows = await connection.execute(
        text("SELECT * FROM alarm WHERE park_id = :park_id AND id = :id FOR UPDATE"),
        {"park_id": park_id, "id": alarm_id},
    )
    row = rows.first()
    return alarm_of(row) if row is not None else None


async def lock_free(connection: AsyncConnection, alarm_ids: Iterable[UUID]) -> list[Alarm]:
    """Those of these alarms that nobody else has locked, locked in the order of their ids."""
    rows = await connection.execute(
        text("SELECT * FROM alarm WHERE id = ANY(:ids) ORDER BY id FOR UPDATE SKIP LOCKED"), {"ids": sorted(alarm_ids)}
    )
    return [alarm_of(row) for row in rows]


async def save(connection: AsyncConnection, alarms: Mapping[UUID, Alarm], entries: Sequence[Entry]) -> None:
    """Write alarms, their journal entries, what follows for incidents and floods, and the facts for subscribers.

    What is of one kind is written in one go: each question is a wait, and an operator waits for all of them.
    """
    if alarms:
        # What closes goes first: of a subject and a rule there is one open alarm at any moment.
        ordered = sorted(alarms, key=lambda alarm_id: (alarms[alarm_id].is_open, alarm_id))
        await connection.execute(_UPSERT, [parameters_of(alarms[alarm_id]) for alarm_id in ordered])
    await journal.write(connection, [(entry, alarms[entry.alarm_id].subject) for entry in entries])
    told = [entry for entry in entries if entry.told_as is not None]
    if told:
        facts: list[tuple[str, Message]] = [(STREAM, _fact(entry, alarms[entry.alarm_id])) for entry in told]
        facts += await _follow(connection, alarms, told)
        await waiting.follow(connection, alarms, told)
        await outbox.enqueue_all(connection, facts)


async def _follow(
    connection: AsyncConnection, alarms: Mapping[UUID, Alarm], entries: Sequence[Entry]
) -> list[tuple[str, Message]]:
    """What alarms do to the incidents and floods of their parks, which stay locked until the end of the transaction."""
    by_park: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_park[alarms[entry.alarm_id].subject.park_id].append(entry)
    await incidents.lock_parks(connection, by_park)
    facts: list[tuple[str, Message]] = []
    for park_id, own in sorted(by_park.items()):
        calling = [entry for entry in own if entry.state_after is AlarmState.UNACKNOWLEDGED]
        background = None
        if calling:
            now = max(entry.recorded_at for entry in calling)
            moments = {entry.event_time for entry in calling}
            stations = {alarms[entry.alarm_id].subject.station_id for entry in calling}
            background = await backgrounds.of_park(connection, park_id, now, moments, stations)
            facts += [(floods.STREAM, fact) for fact in await floods.follow(connection, park_id, own, background)]
        changed = await incident_members.follow(connection, park_id, alarms, own, background)
        facts += [(incidents.STREAM, fact) for fact in changed]
    return facts


async def update_values(
    connection: AsyncConnection, values: Mapping[tuple[str, str], tuple[float | None, float | None]]
) -> None:
    """Current and peak value of active alarms by (rule, subject key); no transition, so neither journal nor fact."""
    which = sorted(values)
    await connection.execute(
        text(
            """
            WITH free AS (
                SELECT alarm.id, new.value, new.peak
                FROM unnest(CAST(:rules AS text[]), CAST(:keys AS text[]), CAST(:values AS float8[]),
                    CAST(:peaks AS float8[])) AS new (rule, key, value, peak)
                JOIN alarm ON alarm.subject_key = new.key AND alarm.rule_id = new.rule
                WHERE alarm.active AND alarm.closed_at IS NULL
                -- Who moves an alarm tells its value too: nobody waits for another, in whatever order they lock.
                ORDER BY alarm.id FOR UPDATE OF alarm SKIP LOCKED
            )
            UPDATE alarm SET value = free.value, peak_value = greatest(alarm.peak_value, free.peak)
            FROM free WHERE alarm.id = free.id
            """
        ),
        {
            "rules": [rule for rule, _ in which],
            "keys": [key for _, key in which],
            "values": [values[each][0] for each in which],
            "peaks": [values[each][1] for each in which],
        },
    )


def _fact(entry: Entry, alarm: Alarm) -> AlarmChanged:
    """What subscribers are told: the alarm as it was after this entry."""
    if entry.told_as is None:
        raise ValueError(f"the action {entry.action} is for the journal alone")
    subject = alarm.subject
    return AlarmChanged(
        transition_id=entry.id,
        alarm_id=alarm.id,
        park_id=subject.park_id,
        station_id=subject.station_id,
        datastream_id=subject.datastream_id,
        property_id=subject.property_id,
        rule_id=subject.rule_id,
        transition=entry.told_as,
        state=entry.state_after,
        colour=entry.colour_after,
        peak_colour=entry.peak_colour,
        value=entry.value,
        unit=subject.unit,
        threshold=entry.threshold,
        event_time=entry.event_time,
        recorded_at=entry.recorded_at,
        raised_at=entry.raised_at,
        actor=entry.actor,
        comment=entry.comment,
        active=entry.active,
        chattering=entry.chattering,
        assigned_to=entry.assigned_to,
    )
