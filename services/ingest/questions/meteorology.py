"""The weather of a park, from its own stations."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import schemas
from services.ingest.meaning.wind import mean_wind
from shared.problems import NotFound

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
