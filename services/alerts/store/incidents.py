"""Incidents as they are stored, changed, told of and closed."""

import json
from collections.abc import Iterable, Mapping, Sequence
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
# With the alarms that come into it and what there is to tell of it.
_WRITE = text(
    f"""
    WITH kept AS (
        INSERT INTO incident ({", ".join(_NAMES)}) VALUES ({", ".join(":" + name for name in _NAMES)})
        ON CONFLICT (id) DO UPDATE SET
            {", ".join(f"{name} = excluded.{name}" for name in (*_STANDING, *_NAMES[_NAMES.index("entries") :]))}
    ), joined AS (
        INSERT INTO incident_alarm (incident_id, alarm_id)
        SELECT CAST(:id AS uuid), alarm_id FROM unnest(CAST(:joined AS uuid[])) AS alarm_id
    )
    INSERT INTO incident_entry (id, incident_id, number, change, colour, alarms, active, event_time, recorded_at,
        actor, comment, detail)
    SELECT new.id, CAST(:id AS uuid), new.number, new.change, CAST(:colour AS text), CAST(:alarms AS integer),
        CAST(:active AS integer), CAST(:at AS timestamptz), CAST(:now AS timestamptz), CAST(:actor AS text),
        CAST(:comment AS text), CAST(new.detail AS jsonb)
    FROM unnest(CAST(:change_ids AS uuid[]), CAST(:numbers AS integer[]), CAST(:changes AS text[]),
        CAST(:details AS text[])) AS new (id, number, change, detail)
    """  # noqa: S608  (names of this file)
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
    news = {IncidentChange.CLOSED: {"reason_kind": kind}}
    told = await write(connection, after, news, now, now, actor=actor)
    await outbox.enqueue_all(connection, [(STREAM, fact) for fact in told])
    return after


async def lock_parks(connection: AsyncConnection, park_ids: Iterable[str]) -> None:
    """Nobody else changes the incidents of these parks until the end of the transaction."""
    await connection.execute(
        text(
            "SELECT pg_advisory_xact_lock(hashtext('fenceline-incidents'), hashtext(park_id)) "
            "FROM unnest(CAST(:park_ids AS text[])) AS park_id"
        ),
        {"park_ids": sorted(park_ids)},
    )


async def one(connection: AsyncConnection, park_id: str, incident_id: UUID) -> Incident | None:
    """One incident of a park."""
    return next((found for found in await load(connection, [incident_id]) if found.park_id == park_id), None)


async def load(connection: AsyncConnection, ids: list[UUID]) -> list[Incident]:
    """The incidents with these ids, in their order."""
    rows = await connection.execute(text("SELECT * FROM incident WHERE id = ANY(:ids) ORDER BY id"), {"ids": ids})
    return [incident_of(row) for row in rows]


async def write(
    connection: AsyncConnection,
    incident: Incident,
    news: Mapping[IncidentChange, Mapping[str, Any] | None],
    at: datetime,
    now: datetime,
    *,
    joined: Sequence[UUID] = (),
    actor: str | None = None,
) -> list[IncidentChanged]:
    """Keep an incident as it stands, with the alarms that came into it and its last changes in its time line.

    `news` are these changes, in their order, each with its detail; gives the facts for subscribers.
    """
    standing = incident.standing
    lists = {"property_ids": list(standing.property_ids), "station_ids": list(standing.station_ids)}
    own = {name: getattr(incident, name) for name in _NAMES if name not in _STANDING}
    numbers = range(incident.entries - len(news) + 1, incident.entries + 1)
    ids = [uuid5(incident.id, str(number)) for number in numbers]
    closing = IncidentChange.CLOSED in news
    reason = incident.reason if closing else None
    listed = {
        "joined": list(joined),
        "change_ids": ids,
        "numbers": list(numbers),
        "changes": [change.value for change in news],
        "details": [json.dumps(detail) for detail in news.values()],
        "at": at,
        "now": now,
        "actor": actor,
        "comment": reason,
    }
    await connection.execute(_WRITE, own | {name: getattr(standing, name) for name in _STANDING} | lists | listed)
    return [
        IncidentChanged(
            change_id=change_id,
            incident_id=incident.id,
            park_id=incident.park_id,
            change=change,
            at=at,
            recorded_at=now,
            actor=actor,
            reason_kind=incident.reason_kind if closing else None,
            reason=reason,
            **_told(standing),
        )
        for change_id, change in zip(ids, news, strict=True)
    ]


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
