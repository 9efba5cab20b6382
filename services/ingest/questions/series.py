"""Questions about observations: latest values, ranges, the weather of a park."""

import base64
import binascii
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import schemas
from services.ingest.meaning.wind import mean_direction, mean_wind
from shared.problems import BadRequest, NotFound
from shared.quality import Quality
from shared.time import EPOCH, from_microseconds, to_microseconds
from shared.vocabulary import observed_properties

Resolution = Literal["raw", "minute", "hour", "day"]
VALID_SHARE = 0.75
"""A mean is normal when at least this share of the readings is valid (HJ 212-2017: 75 %)."""
DEFAULT_SPAN: dict[Resolution, timedelta] = {
    "raw": timedelta(hours=1),
    "minute": timedelta(days=1),
    "hour": timedelta(days=30),
    "day": timedelta(days=365),
}

_LATEST = text(
    """
    SELECT d.id AS datastream_id, d.station_id, d.property_id, d.cadence, o.time, o.value, o.quality
    FROM datastream d JOIN station s ON s.id = d.station_id
    CROSS JOIN LATERAL (
        SELECT time, value, quality FROM observation WHERE datastream_id = d.id ORDER BY time DESC LIMIT 1
    ) o
    WHERE s.park_id = :park AND s.active AND d.active AND d.cadence = :cadence ORDER BY d.id
    """
)
_OWNED = text(
    """
    SELECT d.id, d.property_id, p.timezone FROM datastream d JOIN station s ON s.id = d.station_id
    JOIN park p ON p.id = s.park_id WHERE s.park_id = :park AND d.id = ANY(:ids)
    """
)
_RANGE = """
    WHERE datastream_id = ANY(:ids) AND {column} >= :start AND {column} < :end
      AND (datastream_id, {column}) > (:after_id, :after_time)
"""
_ROLL_UP_COLUMNS = "datastream_id, bucket AS time, mean, minimum, maximum, count AS readings, valid, over_range"
_SERIES: dict[Resolution, Any] = {
    "raw": text(
        "SELECT datastream_id, time, value, quality, minimum, maximum FROM observation"  # noqa: S608
        + _RANGE.format(column="time")
        + "ORDER BY datastream_id, time LIMIT :limit"
    ),
    **{
        resolution: text(
            f"SELECT {_ROLL_UP_COLUMNS}, total_sine, total_cosine FROM observation_{resolution}"  # noqa: S608
            + _RANGE.format(column="bucket")
            + "ORDER BY datastream_id, bucket LIMIT :limit"
        )
        for resolution in ("minute", "hour")
    },
    # Days are the park's own, so they are put together from hours.
    "day": text(
        """
        SELECT datastream_id, date_trunc('day', bucket, :zone) AS time,
               sum(total) / nullif(sum(valid), 0) AS mean, min(minimum) AS minimum, max(maximum) AS maximum,
               sum(count)::bigint AS readings, sum(valid)::bigint AS valid, sum(over_range)::bigint AS over_range,
               sum(total_sine) AS total_sine, sum(total_cosine) AS total_cosine
        FROM observation_hour
        WHERE datastream_id = ANY(:ids) AND bucket >= :start AND bucket < :end
        GROUP BY 1, 2
        HAVING (datastream_id, date_trunc('day', bucket, :zone)) > (:after_id, :after_time)
        ORDER BY 1, 2 LIMIT :limit
        """
    ),
}
_WEATHER = text(
    """
    SELECT d.station_id, d.property_id, d.cadence, o.time, o.value
    FROM datastream d JOIN station s ON s.id = d.station_id JOIN observation o ON o.datastream_id = d.id
    WHERE s.park_id = :park AND s.active AND s.ring = 'meteorology' AND d.active
      AND d.cadence IN ('realtime', 'minute')
      AND d.property_id IN ('wind-speed', 'wind-direction', 'temperature', 'pressure', 'humidity')
      AND o.time > :start AND o.time <= :at AND o.quality = 'N' AND o.value IS NOT NULL
    ORDER BY o.time
    """
)


async def latest(connection: AsyncConnection, park_id: str, cadence: str) -> list[schemas.LatestValue]:
    """The latest observation of every datastream of a park with this cadence."""
    rows = (await connection.execute(_LATEST, {"park": park_id, "cadence": cadence})).mappings()
    return [
        schemas.LatestValue.model_validate({**row, "unit": observed_properties()[row["property_id"]].unit})
        for row in rows
    ]


async def observations(
    connection: AsyncConnection,
    park_id: str,
    ids: Sequence[int],
    resolution: Resolution,
    start: datetime,
    end: datetime,
    limit: int,
    cursor: str | None,
) -> schemas.SeriesPage:
    """Observations with ``start <= time < end``; at most ``limit`` in all. Raises NotFound, BadRequest."""
    wanted = sorted(set(ids))
    owned = {row.id: row for row in await connection.execute(_OWNED, {"park": park_id, "ids": wanted})}
    missing = [str(number) for number in wanted if number not in owned]
    if missing:
        raise NotFound(f"Park '{park_id}' has no datastream {', '.join(missing[:10])}.")
    after_id, after_time = (0, EPOCH) if cursor is None else _read_cursor(cursor)
    parameters: dict[str, Any] = {
        "ids": wanted,
        "start": start,
        "end": end,
        "after_id": after_id,
        "after_time": after_time,
        "limit": limit + 1,
    }
    if resolution == "day":
        parameters["zone"] = next(iter(owned.values())).timezone
    rows = (await connection.execute(_SERIES[resolution], parameters)).all()
    following = _cursor(rows[limit - 1]) if len(rows) > limit else None
    parts: dict[int, schemas.Series] = {}
    for number in wanted:
        unit = observed_properties()[owned[number].property_id].unit
        extra: dict[str, Any] = {} if resolution == "raw" else {"count": [], "valid": []}
        parts[number] = schemas.Series(datastream_id=number, unit=unit, resolution=resolution, **extra)
    for row in rows[:limit]:
        _append(parts[row.datastream_id], row)
    return schemas.SeriesPage(items=list(parts.values()), next=following)


async def meteorology(
    connection: AsyncConnection, park_id: str, at: datetime, window: timedelta
) -> schemas.Meteorology:
    """The weather of a park in the window that ends at ``at``; raises NotFound where there is no wind in it."""
    rows = (await connection.execute(_WEATHER, {"park": park_id, "start": at - window, "at": at})).all()
    for cadence in ("realtime", "minute"):
        chosen = [row for row in rows if row.cadence == cadence]
        samples = _wind_samples(chosen)
        if samples:
            return _weather(chosen, samples, at, window)
    raise NotFound(
        f"Park '{park_id}' has no normal wind reading in the {window.total_seconds():g} s up to {at.isoformat()}."
    )


def _append(series: schemas.Series, row: Row[Any]) -> None:
    series.time.append(row.time)
    series.minimum.append(row.minimum)
    series.maximum.append(row.maximum)
    if series.count is None or series.valid is None:
        series.value.append(row.value)
        series.quality.append(Quality(row.quality))
        return
    series.count.append(row.readings)
    series.valid.append(row.valid)
    direction = series.unit == "deg" and row.total_sine is not None
    series.value.append(mean_direction(row.total_sine, row.total_cosine) if direction else row.mean)
    series.quality.append(_quality_of_mean(row))


def _quality_of_mean(row: Row[Any]) -> Quality:
    if row.over_range:
        return Quality.OVER_RANGE
    return Quality.NORMAL if row.valid >= VALID_SHARE * row.readings else Quality.FAULT


def _wind_samples(rows: Sequence[Row[Any]]) -> dict[tuple[str, datetime], tuple[float, float]]:
    """(speed, direction) by station and time, where both were measured."""
    pairs: dict[tuple[str, datetime], dict[str, float]] = defaultdict(dict)
    for row in rows:
        if row.property_id in ("wind-speed", "wind-direction"):
            pairs[row.station_id, row.time][row.property_id] = row.value
    return {key: (pair["wind-speed"], pair["wind-direction"]) for key, pair in pairs.items() if len(pair) == 2}


def _weather(
    rows: Sequence[Row[Any]],
    samples: dict[tuple[str, datetime], tuple[float, float]],
    at: datetime,
    window: timedelta,
) -> schemas.Meteorology:
    wind = mean_wind(list(samples.values()))
    newest = max(time for _, time in samples)
    return schemas.Meteorology(
        at=at,
        window_s=window.total_seconds(),
        wind_speed_m_s=wind.speed,
        wind_vector_speed_m_s=wind.vector_speed,
        wind_from_deg=wind.from_deg,
        sigma_theta_deg=wind.sigma_theta_deg,
        temperature_c=_mean(rows, "temperature"),
        pressure_kpa=_mean(rows, "pressure"),
        humidity_percent=_mean(rows, "humidity"),
        stations=sorted({station for station, _ in samples}),
        samples=len(samples),
        age_s=(at - newest).total_seconds(),
    )


def _mean(rows: Sequence[Row[Any]], property_id: str) -> float | None:
    values = [row.value for row in rows if row.property_id == property_id]
    return sum(values) / len(values) if values else None


def _cursor(row: Row[Any]) -> str:
    return base64.urlsafe_b64encode(f"{row.datastream_id}:{to_microseconds(row.time)}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[int, datetime]:
    try:
        number, time = base64.urlsafe_b64decode(cursor.encode()).decode().split(":")
        return int(number), from_microseconds(int(time))
    except (ValueError, binascii.Error, OverflowError) as error:
        raise BadRequest("The cursor is not one of ours; pass on `next` of the page before, unchanged.") from error
