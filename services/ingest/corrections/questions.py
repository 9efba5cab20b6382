"""What was corrected, and what contradicted what is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.schemas import Conflict, ConflictPage, Content, Correction, CorrectionPage

_OF_STREAMS = "(cardinality(CAST(:ids AS integer[])) = 0 OR {table}.datastream_id = ANY(CAST(:ids AS integer[])))"
_WITHIN = """
      AND (CAST(:start AS timestamptz) IS NULL OR {table}.time >= :start)
      AND (CAST(:end AS timestamptz) IS NULL OR {table}.time < :end)
      AND {table}.id < :before
    ORDER BY {table}.id DESC LIMIT :limit
"""
_CORRECTIONS = text(
    "SELECT * FROM correction c WHERE c.park_id = :park AND "  # noqa: S608  (constants of this file)
    + (_OF_STREAMS + _WITHIN).format(table="c")
)
_CONFLICTS = text(
    "SELECT c.* FROM conflict c JOIN datastream d ON d.id = c.datastream_id"  # noqa: S608  (constants of this file)
    " JOIN station s ON s.id = d.station_id WHERE s.park_id = :park AND " + (_OF_STREAMS + _WITHIN).format(table="c")
)
_NEWEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """A page of a park's journal: of some datastreams or all, of times with ``start <= time < end``."""

    park_id: str
    datastream_ids: Sequence[int]
    start: datetime | None
    end: datetime | None
    limit: int
    cursor: str | None


async def corrections(connection: AsyncConnection, asked: Asked) -> CorrectionPage:
    """Corrections, the latest first."""
    rows = await _page(connection, _CORRECTIONS, asked)
    return CorrectionPage(items=[_correction(row) for row in rows[: asked.limit]], next=_next(rows, asked.limit))


async def conflicts(connection: AsyncConnection, asked: Asked) -> ConflictPage:
    """Conflicts, the latest first."""
    rows = await _page(connection, _CONFLICTS, asked)
    return ConflictPage(items=[_conflict(row) for row in rows[: asked.limit]], next=_next(rows, asked.limit))


async def _page(connection: AsyncConnection, statement: TextClause, asked: Asked) -> Sequence[Row[Any]]:
    given = {
        "park": asked.park_id,
        "ids": list(asked.datastream_ids),
        "start": asked.start,
        "end": asked.end,
        "before": _NEWEST if asked.cursor is None else int(asked.cursor),
        "limit": asked.limit + 1,
    }
    return (await connection.execute(statement, given)).all()


def _next(rows: Sequence[Row[Any]], limit: int) -> str | None:
    return str(rows[limit - 1].id) if len(rows) > limit else None


def _correction(row: Row[Any]) -> Correction:
    return Correction(
        id=row.id,
        datastream_id=row.datastream_id,
        time=row.time,
        before=Content(
            value=row.before_value, quality=row.before_quality, minimum=row.before_minimum, maximum=row.before_maximum
        ),
        after=Content(
            value=row.after_value, quality=row.after_quality, minimum=row.after_minimum, maximum=row.after_maximum
        ),
        author=row.author,
        reviewer=row.reviewer,
        reason=row.reason,
        made_at=row.made_at,
    )


def _conflict(row: Row[Any]) -> Conflict:
    return Conflict(
        id=row.id,
        datastream_id=row.datastream_id,
        time=row.time,
        stored_value=row.stored_value,
        stored_quality=row.stored_quality,
        sent=Content(value=row.value, quality=row.quality, minimum=row.minimum, maximum=row.maximum),
        source=row.source,
        times=row.times,
        first_at=row.first_at,
        last_at=row.last_at,
    )
