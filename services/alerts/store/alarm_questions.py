"""Questions about alarms: pages of them, one, the open ones of a rule, their number. Nothing is locked."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.lifecycle import Alarm
from services.alerts.store.alarm_rows import alarm_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where an alarm of a page ends, for the next page."""

    raised_at: datetime
    alarm_id: UUID

    def encode(self) -> str:
        """As an opaque cursor."""
        return base64.urlsafe_b64encode(f"{self.raised_at.isoformat()}|{self.alarm_id}".encode()).decode()

    @classmethod
    def decode(cls, cursor: str) -> "Place":
        """The inverse; raises ValueError."""
        try:
            raised_at, alarm_id = base64.urlsafe_b64decode(cursor.encode()).decode().split("|")
            return cls(datetime.fromisoformat(raised_at), UUID(alarm_id))
        except (binascii.Error, UnicodeError, ValueError) as error:
            raise ValueError("not a cursor that this list gave") from error


async def page(
    connection: AsyncConnection, park_id: str, *, which: str, limit: int, after: Place | None
) -> list[Alarm]:
    """Alarms of a park, the latest first: `all`, the `open` ones, or those in the state that `which` names."""
    rows = await connection.execute(
        text(
            """
            SELECT * FROM alarm
            WHERE park_id = :park_id AND (:which = 'all' OR closed_at IS NULL)
                AND (:which IN ('all', 'open') OR state = :which)
                AND (CAST(:alarm_id AS uuid) IS NULL
                    OR (raised_at, id) < (CAST(:raised_at AS timestamptz), CAST(:alarm_id AS uuid)))
            ORDER BY raised_at DESC, id DESC LIMIT :limit
            """
        ),
        {
            "park_id": park_id,
            "which": which,
            "raised_at": after.raised_at if after is not None else None,
            "alarm_id": after.alarm_id if after is not None else None,
            "limit": limit,
        },
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
