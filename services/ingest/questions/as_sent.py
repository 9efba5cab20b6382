"""What readings were when they were sent: before any conversion, and before any correction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.time import EPOCH

NOT_SENT = "`as_sent` goes with `resolution=raw`: means were not sent. Leave one of the two out."

# From the first to the last reading of each datastream, so that no more is read than was found; all together from the
# earliest to the latest, so that TimescaleDB looks into no other chunks.
_SPANS = """
    unnest(CAST(:ids AS integer[]), CAST(:first AS timestamptz[]), CAST(:last AS timestamptz[]))
        AS span (id, first, last)
"""
_CONVERTED = text(
    f"""
    SELECT s.* FROM {_SPANS} CROSS JOIN LATERAL (
        SELECT datastream_id, time, unit, value, minimum, maximum FROM observation_as_sent
        WHERE datastream_id = span.id AND time >= span.first AND time <= span.last
          AND time >= :earliest AND time <= :latest
    ) s
    """  # noqa: S608  (constants of this file)
)
_CORRECTED = text(
    f"""
    SELECT DISTINCT ON (c.datastream_id, c.time) c.datastream_id, c.time, c.before_value, c.before_minimum,
           c.before_maximum
    FROM {_SPANS} JOIN correction c ON c.datastream_id = span.id AND c.time >= span.first AND c.time <= span.last
    ORDER BY c.datastream_id, c.time, c.id
    """  # noqa: S608  (constants of this file)
)
_SINCE = text("SELECT max(since) FROM as_sent_since")


class AsSent(NamedTuple):
    """One reading as it was sent; a ``unit`` of None tells that this is not known any more."""

    unit: str | None
    value: float | None
    minimum: float | None
    maximum: float | None


_UNKNOWN = AsSent(None, None, None, None)


async def as_sent(connection: AsyncConnection, readings: Sequence[Row[Any]], units: Mapping[int, str]) -> list[AsSent]:
    """What each of some readings was as sent.

    ``readings`` have datastream_id, time, value, quality, minimum and maximum, and come by datastream and time;
    ``units`` are those that the datastreams are stored in.
    """
    if not readings:
        return []
    groups = [list(own) for _, own in groupby(readings, itemgetter(0))]
    first, last = [own[0].time for own in groups], [own[-1].time for own in groups]
    asked: dict[str, Any] = {"ids": [own[0].datastream_id for own in groups], "first": first, "last": last}
    bounds = {"earliest": min(first), "latest": max(last)}
    since = (await connection.execute(_SINCE)).scalar_one() or EPOCH
    told: dict[tuple[int, datetime], AsSent] = {}
    for number, time, *before in (await connection.execute(_CORRECTED, asked)).all():
        told[number, time] = AsSent(units[number], *before) if time >= since else _UNKNOWN
    for number, time, *sent in (await connection.execute(_CONVERTED, asked | bounds)).all():
        told[number, time] = AsSent(*sent)
    return [
        told.get((row.datastream_id, row.time))
        or (AsSent(units[row.datastream_id], row.value, row.minimum, row.maximum) if row.time >= since else _UNKNOWN)
        for row in readings
    ]
