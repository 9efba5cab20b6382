"""Incidents as they are stored, changed, told of and closed."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.incidents import Standing
from shared import outbox
from shared.levels import Colour
from shared.messages import IncidentChange, IncidentChanged, IncidentReason, IncidentState

STREAM = "incidents"

_STANDING = (
    *("state", "colour", "peak_colour", "property_ids", "station_ids", "alarms", "active", "unacknowledged"),
    *("opened_at", "last_at"),
)
_NAMES = ("id", "park_id", *_STANDING, "recorded_at", "entries", "closed_at", "closed_by", "reason_kind", "reason")
_UPSERT = text(
    f"INSERT INTO incident ({', '.join(_NAMES)}) VALUES ({', '.join(':' + name for name in _NAMES)}) "  # noqa: S608
    "ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in (*_STANDING, *_NAMES[_NAMES.index("entries") :]))
)
_ENTRY = text(
    """
    INSERT INTO incident_entry (id, incident_id, number, change, colour, alarms, active, event_time, recorded_at,
        actor, comment, detail)
    VALUES (:id, :incident_id, :number, :change, :colour, :alarms, :active, :event_time, :recorded_at, :actor,
        :comment, CAST(:detail AS jsonb))
    """
)


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as it is stored. `entries` counts its changes."""

    id: UUID
    park_id: str
    standing: Standing
    recorded_at: datetime
    entries: int
    closed_at: datetime | None = None
    closed_by: str | None = None
    reason_kind: IncidentReason | None = None
    reason: str | None = None


async def close(
    connection: AsyncConnection, incident: Incident, kind: IncidentReason, reason: str, actor: str, now: datetime
) -> Incident:
    """Close an incident that is settled; the caller has locked its park and looked."""
    after = replace(
        incident,
        standing=replace(incident.standing, state=IncidentState.CLOSED),
        entries=incident.entries + 1,
        closed_at=now,
        closed_by=actor,
        reason_kind=kind,
        reason=reason,
    )
    await write(connection, after)
    await tell(connection, after, IncidentChange.CLOSED, after.entries, now, now, actor=actor)
    return after


async def lock_park(connection: AsyncConnection, park_id: str) -> None:
    """Nobody else changes the park's incidents until the end of the transaction."""
    await connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('fenceline-incidents'), hashtext(:park_id))"),
        {"park_id": park_id},
    )


async def one(connection: AsyncConnection, park_id: str, incident_id: UUID) -> Incident | None:
    """One incident of a park."""
    return next((found for found in await load(connection, [incident_id]) if found.park_id == park_id), None)


async def load(connection: AsyncConnection, ids: list[UUID]) -> list[Incident]:
    """The incidents with these ids, in their order."""
    rows = await connection.execute(text("SELECT * FROM incident WHERE id = ANY(:ids) ORDER BY id"), {"ids": ids})
    return [incident_of(row) for row in rows]


async def write(connection: AsyncConnection, incident: Incident) -> None:
    """Keep an incident as it stands."""
    standing = incident.standing
    lists = {"property_ids": list(standing.property_ids), "station_ids": list(standing.station_ids)}
    own = {name: getattr(incident, name) for name in _NAMES if name not in _STANDING}
    await connection.execute(_UPSERT, own | {name: getattr(standing, name) for name in _STANDING} | lists)


async def tell(
    connection: AsyncConnection,
    incident: Incident,
    change: IncidentChange,
    number: int,
    at: datetime,
    now: datetime,
    *,
    actor: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write a change of an incident into its time line, and the fact for subscribers."""
    standing = incident.standing
    change_id = uuid5(incident.id, str(number))
    closing = change is IncidentChange.CLOSED
    if closing:
        detail = {"reason_kind": incident.reason_kind}
    await connection.execute(
        _ENTRY,
        {
            "id": change_id,
            "incident_id": incident.id,
            "number": number,
            "change": change,
            "colour": standing.colour,
            "alarms": standing.alarms,
            "active": standing.active,
            "event_time": at,
            "recorded_at": now,
            "actor": actor,
            "comment": incident.reason if closing else None,
            "detail": json.dumps(detail),
        },
    )
    fact = IncidentChanged(
        change_id=change_id,
        incident_id=incident.id,
        park_id=incident.park_id,
        change=change,
        at=at,
        recorded_at=now,
        actor=actor,
        reason_kind=incident.reason_kind if closing else None,
        reason=incident.reason if closing else None,
        **_told(standing),
    )
    await outbox.enqueue(connection, STREAM, fact)


def _told(standing: Standing) -> dict[str, Any]:
    return {name: getattr(standing, name) for name in _STANDING if name != "last_at"}


def incident_of(row: Row[Any]) -> Incident:
    """From its row."""
    values = {name: getattr(row, name) for name in _STANDING}
    values |= {
        "state": IncidentState(row.state),
        "colour": Colour(row.colour),
        "peak_colour": Colour(row.peak_colour),
        "property_ids": tuple(row.property_ids),
        "station_ids": tuple(row.station_ids),
    }
    return Incident(
        id=row.id,
        park_id=row.park_id,
        standing=Standing(**values),
        recorded_at=row.recorded_at,
        entries=row.entries,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        reason_kind=IncidentReason(row.reason_kind) if row.reason_kind is not None else None,
        reason=row.reason,
    )
