"""Alarms that wait for their acknowledgement, and who was called about them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.lifecycle import Alarm, Entry
from services.alerts.notifications import Call, Waiting
from services.alerts.store import pages
from shared import outbox
from shared.levels import Colour
from shared.messages import RoleCalled, WaitingAlarm

STREAM = "notifications"
_WAIT = text(
    """
    INSERT INTO waiting (alarm_id, park_id, colour, since, look_at)
    VALUES (:alarm_id, :park_id, :colour, :since, :since)
    ON CONFLICT (alarm_id) DO UPDATE SET colour = excluded.colour,
        look_at = CASE WHEN waiting.colour = excluded.colour THEN waiting.look_at ELSE :now END
    """
)
_NAMESPACE = UUID("f4f1c0d2-5a4e-5d0f-8a55-0f4a64f0c8b3")


async def follow(connection: AsyncConnection, alarms: Mapping[UUID, Alarm], entries: Sequence[Entry]) -> None:
    """Note which alarms wait, and since when; in the transaction that wrote them. Doing it twice changes nothing.

    `entries` are those of which subscribers are told.
    """
    touched = sorted({entry.alarm_id for entry in entries})
    done = [alarm_id for alarm_id in touched if not alarms[alarm_id].state.needs_acknowledgement]
    if done:
        await connection.execute(text("DELETE FROM waiting WHERE alarm_id = ANY(:ids)"), {"ids": done})
    wait = [
        _wait(alarms[alarm_id], [entry for entry in entries if entry.alarm_id == alarm_id])
        for alarm_id in touched
        if alarms[alarm_id].state.needs_acknowledgement
    ]
    if wait:
        await connection.execute(_WAIT, wait)


def _wait(alarm: Alarm, entries: Sequence[Entry]) -> dict[str, Any]:
    begun = [
        entry.recorded_at
        for entry in entries
        if entry.state_after.needs_acknowledgement and not entry.state_before.needs_acknowledgement
    ]
    now = max(entry.recorded_at for entry in entries)
    return {
        "alarm_id": alarm.id,
        "park_id": alarm.subject.park_id,
        "colour": alarm.colour,
        "since": begun[-1] if begun else now,
        "now": now,
    }


async def to_look_at(connection: AsyncConnection, now: datetime, limit: int) -> list[UUID]:
    """The alarms about which somebody may have to be called now, those that have waited longest first."""
    rows = await connection.execute(
        text("SELECT alarm_id FROM waiting WHERE look_at <= :now ORDER BY look_at, alarm_id LIMIT :limit"),
        {"now": now, "limit": limit},
    )
    return list(rows.scalars())


async def of_alarms(connection: AsyncConnection, alarm_ids: Iterable[UUID], now: datetime) -> dict[str, list[Waiting]]:
    """Those of these alarms that are to be looked at, by park, each with its incident. Lock the alarms first."""
    rows = await connection.execute(
        text(
            """
            SELECT alarm_id, park_id, colour, since, called, (
                SELECT incident.id FROM incident_alarm JOIN incident ON incident.id = incident_id
                WHERE incident_alarm.alarm_id = waiting.alarm_id
                ORDER BY closed_at IS NOT NULL, recorded_at DESC LIMIT 1
            ) AS incident_id
            FROM waiting WHERE alarm_id = ANY(:ids) AND look_at <= :now ORDER BY alarm_id
            """
        ),
        {"ids": sorted(alarm_ids), "now": now},
    )
    found: dict[str, list[Waiting]] = {}
    for row in rows:
        one = Waiting(row.alarm_id, row.incident_id, Colour(row.colour), row.since, frozenset(row.called))
        found.setdefault(row.park_id, []).append(one)
    return found


async def last_calls(
    connection: AsyncConnection, incident_ids: Iterable[UUID | None]
) -> dict[tuple[UUID | None, str], datetime]:
    """When each role was last called about each of these incidents."""
    rows = await connection.execute(
        text(
            "SELECT incident_id, role, max(recorded_at) AS at FROM notification "
            "WHERE incident_id = ANY(:ids) GROUP BY incident_id, role"
        ),
        {"ids": sorted({i for i in incident_ids if i is not None})},
    )
    return {(row.incident_id, row.role): row.at for row in rows}


def notification_id(call: Call) -> UUID:
    """The same call has the same id, whoever makes it."""
    alarms = "|".join(f"{one.alarm_id}@{one.since.isoformat()}" for one in call.alarms)
    return uuid5(_NAMESPACE, f"{call.role}|{alarms}")


async def call(
    connection: AsyncConnection, park_id: str, made: Call, alarms: Mapping[UUID, Alarm], now: datetime, *, flood: bool
) -> None:
    """Keep a call, and tell of it. The caller writes the journal of the alarms."""
    known = notification_id(made)
    await connection.execute(
        text(
            """
            INSERT INTO notification (id, park_id, incident_id, role, after_s, colour, alarm_ids, flood, recorded_at)
            VALUES (:id, :park_id, :incident_id, :role, :after_s, :colour, :alarm_ids, :flood, :now)
            """
        ),
        {
            "id": known,
            "park_id": park_id,
            "incident_id": made.incident_id,
            "role": made.role,
            "after_s": made.after_s,
            "colour": made.colour,
            "alarm_ids": [one.alarm_id for one in made.alarms],
            "flood": flood,
            "now": now,
        },
    )
    await connection.execute(
        text("UPDATE waiting SET called = called || :role WHERE alarm_id = ANY(:ids)"),
        {"role": [made.role], "ids": [one.alarm_id for one in made.alarms]},
    )
    fact = RoleCalled(
        notification_id=known,
        park_id=park_id,
        incident_id=made.incident_id,
        role=made.role,
        after_s=made.after_s,
        colour=made.colour,
        alarms=[
            WaitingAlarm(
                alarm_id=one.alarm_id,
                station_id=alarms[one.alarm_id].subject.station_id,
                property_id=alarms[one.alarm_id].subject.property_id,
                colour=one.colour,
                since=one.since,
            )
            for one in made.alarms
        ],
        flood=flood,
        recorded_at=now,
    )
    await outbox.enqueue(connection, STREAM, fact)


async def look_again(connection: AsyncConnection, again: Mapping[UUID, datetime | None]) -> None:
    """When to look at each of these alarms next."""
    ids = sorted(again)
    await connection.execute(
        text(
            "UPDATE waiting SET look_at = new.at "
            "FROM unnest(CAST(:ids AS uuid[]), CAST(:times AS timestamptz[])) AS new (id, at) "
            "WHERE waiting.alarm_id = new.id"
        ),
        {"ids": ids, "times": [again[i] for i in ids]},
    )


async def look_at_park(connection: AsyncConnection, park_id: str, now: datetime) -> None:
    """The park's policy has changed: every alarm of it that waits is to be looked at.

    Rows are locked in the order of ids, as `follow` does: no deadlocks.
    """
    await connection.execute(
        text(
            "UPDATE waiting SET look_at = :now WHERE alarm_id IN "
            "(SELECT alarm_id FROM waiting WHERE park_id = :park_id ORDER BY alarm_id FOR UPDATE)"
        ),
        {"park_id": park_id, "now": now},
    )


async def page(
    connection: AsyncConnection, park_id: str, limit: int, after: pages.Place | None
) -> list[dict[str, Any]]:
    """The calls of a park, the latest first."""
    rows = await connection.execute(
        text(
            """
            SELECT * FROM notification
            WHERE park_id = :park_id AND (CAST(:after_id AS uuid) IS NULL
                OR (recorded_at, id) < (CAST(:after_time AS timestamptz), CAST(:after_id AS uuid)))
            ORDER BY recorded_at DESC, id DESC LIMIT :limit
            """
        ),
        {"park_id": park_id, **pages.parameters(limit, after)},
    )
    return [dict(row) for row in rows.mappings()]
