"""Questions about what a device has reported of itself: by kind and time, the latest first."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import schemas
from services.ingest.archive.frames import Place
from services.ingest.registry.questions import require_device
from shared.hj212.reports import Kind
from shared.problems import BadRequest
from shared.time import EPOCH

_NEWEST = Place(datetime(9999, 1, 1, tzinfo=UTC), 0)
# The time alone bounds what the index gives; the pair then tells reports of one moment apart.
_REPORTS = text(
    """
    SELECT id, kind, subject, time, received_at, content FROM device_report
    WHERE park_id = :park AND mn = :mn AND kind = ANY(CAST(:kinds AS text[]))
      AND (CAST(:subject AS text) IS NULL OR subject = :subject)
      AND time >= :start AND time < :end AND time <= :at AND (time, id) < (:at, :number)
    ORDER BY time DESC, id DESC LIMIT :limit
    """
)


async def reports(
    connection: AsyncConnection,
    park_id: str,
    mn: str,
    *,
    kinds: Sequence[Kind] | None = None,
    subject: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int,
    cursor: str | None = None,
) -> schemas.DeviceReportPage:
    """A page of reports from ``start`` on and before ``end``. Raises NotFound, BadRequest."""
    rows, after = await _page(connection, park_id, mn, kinds, subject, start, end, limit, cursor)
    items = [schemas.DeviceReport.model_validate(row, from_attributes=True) for row in rows]
    return schemas.DeviceReportPage(items=items, next=after)


async def standard_checks(
    connection: AsyncConnection,
    park_id: str,
    mn: str,
    *,
    factor: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int,
    cursor: str | None = None,
) -> schemas.StandardCheckPage:
    """A page of checks with standard samples. Raises NotFound, BadRequest."""
    rows, after = await _page(connection, park_id, mn, [Kind.STANDARD_CHECK], factor, start, end, limit, cursor)
    return schemas.StandardCheckPage(items=[_check(row) for row in rows], next=after)


async def _page(
    connection: AsyncConnection,
    park_id: str,
    mn: str,
    kinds: Sequence[Kind] | None,
    subject: str | None,
    start: datetime | None,
    end: datetime | None,
    limit: int,
    cursor: str | None,
) -> tuple[list[Row[Any]], str | None]:
    if start is not None and end is not None and start >= end:
        raise BadRequest("`start` has to lie before `end`.")
    before = _NEWEST if cursor is None else Place.of(cursor)
    await require_device(connection, park_id, mn)
    values = {
        "park": park_id,
        "mn": mn,
        "kinds": [kind.value for kind in (Kind if kinds is None else kinds)],
        "subject": subject,
        "start": start or EPOCH,
        "end": end or _NEWEST.at,
        "at": before.at,
        "number": before.number,
        "limit": limit + 1,
    }
    found = list(await connection.execute(_REPORTS, values))
    rows = found[:limit]
    return rows, Place(rows[-1].time, rows[-1].id).cursor() if len(found) > limit else None


def _check(row: Row[Any]) -> schemas.StandardCheck:
    measured, standard = (_number(row.content.get(name)) for name in ("SampleRd", "StandardValue"))
    return schemas.StandardCheck(
        factor=row.subject,
        time=row.time,
        received_at=row.received_at,
        measured=measured,
        standard_value=standard,
        relative_error=(measured - standard) / standard if measured is not None and standard else None,
        passed={"1": True, "0": False}.get(row.content.get("ResultType", "")),
    )


def _number(sent: str | None) -> float | None:
    try:
        value = float(sent or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
