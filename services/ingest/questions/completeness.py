"""How much of what should have come in a month came, and how much of it was valid: by station and datastream."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import schemas
from shared.problems import BadRequest, NotFound

_HOUR = timedelta(hours=1)
_HOURLY = {"minute": 60, "hour": 1}
"""Readings of an hour, where the cadence says how many; a device sends real-time values at an interval of its own."""

_ZONE = text("SELECT timezone FROM park WHERE id = :park")
_STATIONS = text(
    """
    SELECT s.id FROM station s WHERE s.park_id = :park AND s.active AND s.id > :after
      AND (CAST(:station AS text) IS NULL OR s.id = :station)
    ORDER BY s.id LIMIT :limit
    """
)
_DATASTREAMS = text(
    """
    SELECT d.id, d.station_id, d.property_id, d.cadence FROM datastream d
    WHERE d.station_id = ANY(:stations) AND d.active AND d.cadence IN ('realtime', 'minute', 'hour') ORDER BY d.id
    """
)
# An hour is valid when enough of its readings are; where it should have a known number of them, enough of that number.
_HOURS = text(
    """
    SELECT h.datastream_id, count(*) AS hours, sum(h.count)::bigint AS readings, sum(h.valid)::bigint AS valid,
           count(*) FILTER (
               WHERE h.valid > 0 AND h.valid >= CAST(:share AS float8) * greatest(h.count, CASE d.cadence
                   WHEN 'minute' THEN 60 ELSE 1 END)
           ) AS valid_hours
    FROM observation_hours(:ids, :start, :end) h JOIN datastream d ON d.id = h.datastream_id
    GROUP BY h.datastream_id
    """
)


async def completeness(
    connection: AsyncConnection,
    park_id: str,
    month: str | None,
    now: datetime,
    *,
    station_id: str | None,
    valid_share: float,
    limit: int,
    cursor: str | None,
) -> schemas.CompletenessPage:
    """The hours of a month of the park's own, up to ``now``. Raises NotFound, BadRequest."""
    zone = (await connection.execute(_ZONE, {"park": park_id})).scalar_one_or_none()
    if zone is None:
        raise NotFound(f"There is no park '{park_id}'.")
    name, start, end = _month(ZoneInfo(zone), month, now)
    asked = {"park": park_id, "station": station_id, "after": cursor or "", "limit": limit + 1}
    stations = list((await connection.execute(_STATIONS, asked)).scalars())
    following = stations[limit - 1] if len(stations) > limit else None
    stations = stations[:limit]
    streams = (await connection.execute(_DATASTREAMS, {"stations": stations})).all()
    parameters = {"ids": [stream.id for stream in streams], "start": start, "end": end, "share": valid_share}
    counted = {row.datastream_id: row for row in await connection.execute(_HOURS, parameters)}
    hours = (end - start) // _HOUR
    by_station: dict[str, list[schemas.DatastreamCompleteness]] = defaultdict(list)
    for stream in streams:
        by_station[stream.station_id].append(_of_datastream(stream, counted.get(stream.id), hours))
    items = [_of_station(station, by_station[station]) for station in stations]
    return schemas.CompletenessPage(month=name, start=start, end=end, items=items, next=following)


def _month(zone: ZoneInfo, month: str | None, now: datetime) -> tuple[str, datetime, datetime]:
    """Its name, its start and its end [UTC], or the last whole hour before ``now``."""
    name = month or now.astimezone(zone).strftime("%Y-%m")
    year, number = int(name[:4]), int(name[5:])
    if not (1970 <= year <= 9000 and 1 <= number <= 12):
        raise BadRequest(f"`month` has to be such as 2026-03; there is no month '{name}'.")
    start = datetime(year, number, 1, tzinfo=zone).astimezone(UTC)
    end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=zone).astimezone(UTC)
    if start > now:
        raise BadRequest(f"The month {name} has not begun yet.")
    return name, start, start + (min(end, now) - start) // _HOUR * _HOUR


def _of_datastream(stream: Row[Any], row: Row[Any] | None, hours: int) -> schemas.DatastreamCompleteness:
    expected = _HOURLY[stream.cadence] * hours if stream.cadence in _HOURLY else None
    found, readings, valid, valid_hours = (row.hours, row.readings, row.valid, row.valid_hours) if row else (0, 0, 0, 0)
    came = _share(found, hours) if expected is None else _share(readings, expected)
    return schemas.DatastreamCompleteness(
        datastream_id=stream.id,
        property_id=stream.property_id,
        cadence=stream.cadence,
        hours_expected=hours,
        hours=found,
        hours_valid=valid_hours,
        readings_expected=expected,
        readings=readings,
        readings_valid=valid,
        completeness=came,
        validity=_share(valid_hours, hours),
    )


def _of_station(station_id: str, streams: list[schemas.DatastreamCompleteness]) -> schemas.StationCompleteness:
    return schemas.StationCompleteness(
        station_id=station_id,
        completeness=_mean([stream.completeness for stream in streams]),
        validity=_mean([stream.validity for stream in streams]),
        datastreams=streams,
    )


def _share(part: int, whole: int) -> float | None:
    return min(1.0, part / whole) if whole else None


def _mean(shares: list[float | None]) -> float | None:
    known = [share for share in shares if share is not None]
    return sum(known) / len(known) if known else None
