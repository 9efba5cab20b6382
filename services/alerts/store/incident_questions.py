"""Questions about incidents: pages of them, the pressing ones, their time line."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.store import pages
from services.alerts.store.incidents import Incident, incident_of
from shared.levels import Colour


async def page(
    connection: AsyncConnection,
    park_id: str,
    *,
    only_open: bool,
    alarm_id: UUID | None,
    limit: int,
    after: pages.Place | None,
) -> list[Incident]:
    """Incidents of a park, the latest first; only those that have an alarm, where `alarm_id` names one."""
    rows = await connection.execute(
        text(
            """
            SELECT * FROM incident
            WHERE park_id = :park_id AND (NOT :only_open OR closed_at IS NULL)
                AND (CAST(:alarm_id AS uuid) IS NULL OR id IN (
                    SELECT incident_id FROM incident_alarm WHERE alarm_id = CAST(:alarm_id AS uuid)))
                AND (CAST(:after_id AS uuid) IS NULL
                    OR (recorded_at, id) < (CAST(:after_time AS timestamptz), CAST(:after_id AS uuid)))
            ORDER BY recorded_at DESC, id DESC LIMIT :limit
            """
        ),
        {"park_id": park_id, "only_open": only_open, "alarm_id": alarm_id, **pages.parameters(limit, after)},
    )
    return [incident_of(row) for row in rows]


async def pressing(connection: AsyncConnection, park_id: str, limit: int) -> tuple[list[Incident], int]:
    """The open incidents of a park, the highest colour first, then those that stand, then the latest; and how many."""
    colours = [colour.value for colour in Colour]
    rows = await connection.execute(
        text(
            """
            SELECT *, count(*) OVER () AS all_of_them FROM incident WHERE park_id = :park_id AND closed_at IS NULL
            ORDER BY array_position(CAST(:colours AS text[]), colour) DESC, active = 0, recorded_at DESC, id DESC
            LIMIT :limit
            """
        ),
        {"park_id": park_id, "colours": colours, "limit": limit},
    )
    found = rows.all()
    return [incident_of(row) for row in found], found[0].all_of_them if found else 0


async def timeline(
    connection: AsyncConnection, incident_id: UUID, limit: int, after: tuple[datetime, int, UUID] | None
) -> list[dict[str, Any]]:
    """What happened to the incident and to its alarms, in the order in which it was recorded."""
    rows = await connection.execute(
        text(
            """
            SELECT * FROM (
                SELECT id, number, CAST(NULL AS uuid) AS alarm_id, CAST(NULL AS text) AS station_id,
                    CAST(NULL AS text) AS rule_id, change AS what, colour, CAST(NULL AS float8) AS value, event_time,
                    recorded_at, actor, comment, CAST(detail AS text) AS detail
                FROM incident_entry WHERE incident_id = :incident_id
                UNION ALL
                SELECT journal.id, number, alarm_id, station_id, rule_id, action, colour_after, value, event_time,
                    recorded_at, actor, comment,
                    CASE WHEN action IN ('call', 'assign', 'shelve') THEN CAST(journal.detail AS text) END
                FROM journal JOIN incident_alarm USING (alarm_id) WHERE incident_id = :incident_id
            ) AS line
            WHERE CAST(:after_id AS uuid) IS NULL OR (recorded_at, number, id)
                > (CAST(:after_time AS timestamptz), CAST(:after_number AS integer), CAST(:after_id AS uuid))
            ORDER BY recorded_at, number, id LIMIT :limit
            """
        ),
        {
            "incident_id": incident_id,
            "after_time": after[0] if after is not None else None,
            "after_number": after[1] if after is not None else None,
            "after_id": after[2] if after is not None else None,
            "limit": limit,
        },
    )
    return [dict(row) | {"detail": json.loads(row["detail"] or "null")} for row in rows.mappings()]
