"""Alarms that are followed, the last automatic run, and the position in the stream of alarms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class FollowedAlarm:
    """An open alarm at orange or red."""

    alarm_id: UUID
    park_id: str
    station_id: str
    chemical: str
    colour: str
    threshold_mg_m3: float | None
    raised_at: datetime
    event_time: datetime


@dataclass(frozen=True, slots=True)
class LastAutoRun:
    """When the last automatic run of a park and chemical was made: in event time and by the wall clock."""

    event_time: datetime
    created_at: datetime


async def position(connection: AsyncConnection, stream: str) -> int | None:
    """Return the position up to which a stream was read; None when it never was."""
    rows = await connection.execute(
        text("SELECT position FROM fact_position WHERE stream = :stream FOR UPDATE"), {"stream": stream}
    )
    found: int | None = rows.scalar()
    return found


async def set_position(connection: AsyncConnection, stream: str, reached: int) -> None:
    """Keep the position, in the transaction of what the facts led to."""
    await connection.execute(
        text(
            """
            INSERT INTO fact_position (stream, position) VALUES (:stream, :position)
            ON CONFLICT (stream) DO UPDATE SET position = excluded.position
            """
        ),
        {"stream": stream, "position": reached},
    )


async def follow(connection: AsyncConnection, alarm: FollowedAlarm) -> None:
    """Follow an alarm, or bring what is known of it up to date."""
    await connection.execute(
        text(
            """
            INSERT INTO followed_alarm (alarm_id, park_id, station_id, chemical, colour, threshold_mg_m3, raised_at,
                                        event_time)
            VALUES (:alarm_id, :park_id, :station_id, :chemical, :colour, :threshold_mg_m3, :raised_at, :event_time)
            ON CONFLICT (alarm_id) DO UPDATE SET
                colour = excluded.colour, event_time = greatest(followed_alarm.event_time, excluded.event_time),
                threshold_mg_m3 = excluded.threshold_mg_m3
            """
        ),
        {name: getattr(alarm, name) for name in FollowedAlarm.__slots__},
    )


async def unfollow(connection: AsyncConnection, alarm_id: UUID) -> None:
    """The alarm has returned or fallen below orange."""
    await connection.execute(text("DELETE FROM followed_alarm WHERE alarm_id = :id"), {"id": alarm_id})


async def followed(connection: AsyncConnection) -> list[FollowedAlarm]:
    """Return every followed alarm, by park, chemical and station."""
    rows = await connection.execute(
        text(
            """
            SELECT alarm_id, park_id, station_id, chemical, colour, threshold_mg_m3, raised_at, event_time
            FROM followed_alarm ORDER BY park_id, chemical, station_id, alarm_id
            """
        )
    )
    return [FollowedAlarm(*row) for row in rows]


async def last_auto_run(connection: AsyncConnection, park_id: str, chemical: str) -> LastAutoRun | None:
    """Return the last automatic run of a park and chemical."""
    rows = await connection.execute(
        text("SELECT event_time, created_at FROM auto_run WHERE park_id = :park_id AND chemical = :chemical"),
        {"park_id": park_id, "chemical": chemical},
    )
    row = rows.first()
    return None if row is None else LastAutoRun(row.event_time, row.created_at)


async def note_auto_run(
    connection: AsyncConnection, park_id: str, chemical: str, event_time: datetime, now: datetime
) -> None:
    """Note that an automatic run was made."""
    await connection.execute(
        text(
            """
            INSERT INTO auto_run (park_id, chemical, event_time, created_at)
            VALUES (:park_id, :chemical, :event_time, :now)
            ON CONFLICT (park_id, chemical) DO UPDATE SET
                event_time = excluded.event_time, created_at = excluded.created_at
            """
        ),
        {"park_id": park_id, "chemical": chemical, "event_time": event_time, "now": now},
    )


async def lock_auto_runs(connection: AsyncConnection) -> None:
    """Until the transaction ends, nobody else decides on automatic runs."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('fenceline-model-auto-runs'))"))
