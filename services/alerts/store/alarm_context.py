"""What stands around alarms as they are shown: the incident that each is of, and who was called about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.notifications import Waiting
from shared.levels import Colour


@dataclass(frozen=True, slots=True)
class Context:
    """The open incident of an alarm, else the last that it was of; `waiting` while nobody has acknowledged it."""

    incident_id: UUID | None
    waiting: Waiting | None


async def of_alarms(connection: AsyncConnection, alarm_ids: Iterable[UUID]) -> dict[UUID, Context]:
    """The context of each of these alarms, in one statement."""
    rows = await connection.execute(
        text(
            """
            SELECT asked.id, waiting.colour, waiting.since, waiting.called, (
                SELECT incident.id FROM incident_alarm JOIN incident ON incident.id = incident_id
                WHERE incident_alarm.alarm_id = asked.id
                ORDER BY closed_at IS NOT NULL, recorded_at DESC LIMIT 1
            ) AS incident_id
            FROM unnest(CAST(:ids AS uuid[])) AS asked (id) LEFT JOIN waiting ON waiting.alarm_id = asked.id
            """
        ),
        {"ids": sorted(set(alarm_ids))},
    )
    found: dict[UUID, Context] = {}
    for row in rows:
        waiting = None
        if row.since is not None:
            waiting = Waiting(row.id, row.incident_id, Colour(row.colour), row.since, frozenset(row.called))
        found[row.id] = Context(row.incident_id, waiting)
    return found
