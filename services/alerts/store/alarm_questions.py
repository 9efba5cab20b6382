"""Questions about alarms: pages of them, one, the open ones of a rule, their number. Nothing is locked."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.lifecycle import Alarm
from services.alerts.store import pages
from services.alerts.store.alarm_rows import alarm_of


async def page(
    connection: AsyncConnection, park_id: str, *, which: str, limit: int, after: pages.Place | None
) -> list[Alarm]:
    """Alarms of a park, the latest first: `all`, the `open` ones, or those in the state that `which` names."""
    rows = await connection.execute(
        text(
            """
            SELECT * FROM alarm
            WHERE park_id = :park_id AND (:which = 'all' OR closed_at IS NULL)
                AND (:which IN ('all', 'open') OR state = :which)
                AND (CAST(:after_id AS uuid) IS NULL
                    OR (raised_at, id) < (CAST(:after_time AS timestamptz), CAST(:after_id AS uuid)))
            ORDER BY raised_at DESC, id DESC LIMIT :limit
            """
        ),
        {"park_id": park_id, "which": which, **pages.parameters(limit, after)},
    )
    return [alarm_of(row) for row in rows]


async def one(connection: AsyncConnection, park_id: str, alarm_id: UUID) -> Alarm | None:
    """One alarm of a park."""
    rows = await connection.execute(
        text("SELECT * FROM alarm WHERE park_id = :park_id AND id = :id"),
        {"park_id": park_id, "id": alarm_id},
    )
    row = rows.first()
    return alarm_of(row) if row is not None else None


async def open_of_rule(connection: AsyncConnection, rule_id: str) -> list[Alarm]:
    """Every open alarm of one rule."""
    rows = await connection.execute(
        text("SELECT * FROM alarm WHERE closed_at IS NULL AND rule_id = :rule_id"), {"rule_id": rule_id}
    )
    return [alarm_of(row) for row in rows]


async def count_open(connection: AsyncConnection) -> dict[str, int]:
    """Number of open alarms by colour."""
    rows = await connection.execute(
        text("SELECT colour, count(*) AS open FROM alarm WHERE closed_at IS NULL GROUP BY colour")
    )
    return {row.colour: row.open for row in rows}
