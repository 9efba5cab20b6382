"""Alarms: read under lock, written together with their journal and the facts that tell of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.lifecycle import Alarm, Entry
from services.alerts.store import floods, incident_members, journal, waiting
from services.alerts.store.alarm_rows import NAMES, alarm_of, parameters_of
from shared import outbox
from shared.messages import AlarmChanged

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
    """The last alarm of a subject and rule: its number, and the last raises up to it."""

    serial: int = 0
    raises: tuple[datetime, ...] = ()


async def past_of(
    connection: AsyncConnection, rule_ids: Iterable[str], keys: Iterable[str]
) -> dict[tuple[str, str], Past]:
    """The last alarm of each (rule, subject) of these (position i of both); those without any are left out."""
    rows = await connection.execute(
        text(
            "SELECT DISTINCT ON (subject_key, rule_id) rule_id, subject_key, serial, raises FROM alarm "
            "WHERE (rule_id, subject_key) IN "
            "(SELECT * FROM unnest(CAST(:rules AS text[]), CAST(:keys AS text[]))) "
            "ORDER BY subject_key, rule_id, serial DESC"
        ),
        {"rules": list(rule_ids), "keys": list(keys)},
    )
    return {(rule_id, key): Past(serial, tuple(raises)) for rule_id, key, serial, raises in rows}


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


async def save(connection: AsyncConnection, alarms: Mapping[UUID, Alarm], entries: list[Entry]) -> None:
    """Write alarms, their journal entries and the facts for subscribers."""
    # What closes goes first: of a subject and a rule there is one open alarm at any moment.
    for alarm_id in sorted(alarms, key=lambda alarm_id: (alarms[alarm_id].is_open, alarm_id)):
        await connection.execute(_UPSERT, parameters_of(alarms[alarm_id]))
    for entry in entries:
        await journal.write(connection, entry, alarms[entry.alarm_id].subject)
        if entry.told_as is not None:
            await outbox.enqueue(connection, STREAM, _fact(entry, alarms[entry.alarm_id]))
    await incident_members.follow(connection, alarms, entries)
    await waiting.follow(connection, alarms, entries)
    await floods.follow(connection, alarms, entries)


async def update_values(
    connection: AsyncConnection, values: Mapping[tuple[str, str], tuple[float | None, float | None]]
) -> None:
    """Current and peak value of active alarms by (rule, subject key); no transition, so neither journal nor fact."""
    which = sorted(values)
    await connection.execute(
        text(
            """
            UPDATE alarm SET value = new.value, peak_value = greatest(alarm.peak_value, new.peak)
            FROM unnest(CAST(:rules AS text[]), CAST(:keys AS text[]), CAST(:values AS float8[]),
                CAST(:peaks AS float8[])) AS new (rule, key, value, peak)
            WHERE alarm.subject_key = new.key AND alarm.rule_id = new.rule AND alarm.active AND alarm.closed_at IS NULL
                AND alarm.datastream_id IS NOT NULL
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
