"""What operators say about stations and datastreams: under maintenance, or out of service."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.lifecycle import Hold, Subject
from services.alerts.store import pages

_ENDED = "the time of the suppression is over"


class Kind(StrEnum):
    """What is said."""

    MAINTENANCE = "maintenance"
    """Its gas alarms are suppressed by design; its silence is told all the same."""
    OUT_OF_SERVICE = "out_of_service"
    """All its alarms."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """One of them, of a station or (with `datastream_id`) one datastream of it; all times are wall time."""

    id: UUID
    park_id: str
    station_id: str
    datastream_id: int | None
    kind: Kind
    reason: str
    until: datetime | None
    begun_at: datetime
    begun_by: str
    ended_at: datetime | None = None
    ended_by: str | None = None
    end_comment: str | None = None


_NAMES = tuple(field.name for field in fields(Suppression))


async def begin(connection: AsyncConnection, suppression: Suppression) -> bool:
    """Put one in force; False where the same is in force already."""
    rows = await connection.execute(
        text(
            f"INSERT INTO suppression ({', '.join(_NAMES)}) VALUES ({', '.join(':' + name for name in _NAMES)}) "  # noqa: S608
            "ON CONFLICT DO NOTHING RETURNING id"
        ),
        {name: getattr(suppression, name) for name in _NAMES},
    )
    return rows.first() is not None


async def lock(connection: AsyncConnection, park_id: str, suppression_id: UUID) -> Suppression | None:
    """One of a park, locked until the end of the transaction."""
    rows = await connection.execute(
        text("SELECT * FROM suppression WHERE park_id = :park_id AND id = :id FOR UPDATE"),
        {"park_id": park_id, "id": suppression_id},
    )
    row = rows.first()
    return _suppression(row) if row is not None else None


async def end(
    connection: AsyncConnection, suppression: Suppression, actor: str, comment: str | None, now: datetime
) -> Suppression:
    """Put it out of force; gives it as it is then."""
    await connection.execute(
        text("UPDATE suppression SET ended_at = :now, ended_by = :actor, end_comment = :comment WHERE id = :id"),
        {"now": now, "actor": actor, "comment": comment, "id": suppression.id},
    )
    return replace(suppression, ended_at=now, ended_by=actor, end_comment=comment)


async def end_due(connection: AsyncConnection, now: datetime) -> int:
    """Put those out of force whose time is over; how many."""
    rows = await connection.execute(
        text(
            "UPDATE suppression SET ended_at = :now, end_comment = :comment "
            "WHERE ended_at IS NULL AND until <= :now RETURNING id"
        ),
        {"now": now, "comment": _ENDED},
    )
    return len(rows.all())


async def page(
    connection: AsyncConnection, park_id: str, *, only_in_force: bool, limit: int, after: pages.Place | None
) -> list[Suppression]:
    """Those of a park, the latest first."""
    rows = await connection.execute(
        text(
            """
            SELECT * FROM suppression
            WHERE park_id = :park_id AND (NOT :only_in_force OR ended_at IS NULL)
                AND (CAST(:after_id AS uuid) IS NULL
                    OR (begun_at, id) < (CAST(:after_time AS timestamptz), CAST(:after_id AS uuid)))
            ORDER BY begun_at DESC, id DESC LIMIT :limit
            """
        ),
        {"park_id": park_id, "only_in_force": only_in_force, **pages.parameters(limit, after)},
    )
    return [_suppression(row) for row in rows]


async def in_force(connection: AsyncConnection, station_ids: Iterable[str]) -> list[Suppression]:
    """Those in force at these stations."""
    rows = await connection.execute(
        text("SELECT * FROM suppression WHERE ended_at IS NULL AND station_id = ANY(CAST(:station_ids AS text[]))"),
        {"station_ids": sorted(set(station_ids))},
    )
    return [_suppression(row) for row in rows]


def hold_of(subject: Subject, suppressions: Iterable[Suppression]) -> Hold:
    """What those in force mean for the alarms of one subject."""
    return hold(
        subject,
        {
            said.kind
            for said in suppressions
            if said.station_id == subject.station_id and said.datastream_id in (None, subject.datastream_id)
        },
    )


def hold(subject: Subject, kinds: Collection[str]) -> Hold:
    """What suppressions of these kinds mean for a subject. Maintenance is about gas, which datastreams measure."""
    return Hold(
        maintenance=Kind.MAINTENANCE in kinds and subject.datastream_id is not None,
        out_of_service=Kind.OUT_OF_SERVICE in kinds,
    )


def _suppression(row: Row[Any]) -> Suppression:
    return Suppression(**{name: getattr(row, name) for name in _NAMES} | {"kind": Kind(row.kind)})
