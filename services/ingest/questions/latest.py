"""The latest observation of every datastream of a park."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import cursors
from shared.vocabulary import observed_properties

# One probe of the index a datastream.
_LATEST = text(
    """
    SELECT d.id AS datastream_id, d.station_id, d.property_id, o.time, o.value, o.quality
    FROM datastream d JOIN station s ON s.id = d.station_id
    CROSS JOIN LATERAL (
        SELECT time, value, quality FROM observation WHERE datastream_id = d.id ORDER BY time DESC LIMIT 1
    ) o
    WHERE s.park_id = :park AND s.active AND d.active AND d.cadence = :cadence AND d.id > :after
    ORDER BY d.id LIMIT :limit
    """
)


async def latest(connection: AsyncConnection, park_id: str, cadence: str, limit: int, after: int) -> dict[str, Any]:
    """The fields of a ``schemas.LatestPage``: a park may have thousands of values, and no model is made of each.

    Datastreams with an id above ``after``.
    """
    parameters = {"park": park_id, "cadence": cadence, "after": after, "limit": limit + 1}
    return page_of((await connection.execute(_LATEST, parameters)).all(), cadence, limit)


def page_of(rows: Sequence[Any], cadence: str, limit: int) -> dict[str, Any]:
    """A page of (id, station, property, time, value, flag), of which there may be one more than ``limit``.

    A value that is not there is None or NaN: both are null in JSON.
    """
    units = {name: known.unit for name, known in observed_properties().items()}
    items = [
        {
            "datastream_id": number,
            "station_id": station,
            "property_id": name,
            "cadence": cadence,
            "time": time,
            "value": value,
            "quality": flag,
            "unit": units[name],
        }
        for number, station, name, time, value, flag in rows[:limit]
    ]
    return {"items": items, "next": cursor_after(items[-1]["datastream_id"]) if len(rows) > limit else None}


def cursor_after(datastream_id: int) -> str:
    """The cursor of the page that follows this datastream."""
    return cursors.write(datastream_id)


def read_cursor(cursor: str | None) -> int:
    """The id that a page begins after; raises BadRequest."""
    return 0 if cursor is None else cursors.read(cursor, _datastream_id)


def _datastream_id(parts: list[str]) -> int:
    (number,) = parts
    return cursors.count(number, bits=31)
