"""Where stations stand and how the wind was, as ingest told."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.incidents import Place, Wind

KEEP = timedelta(days=7)
FRESH = timedelta(minutes=15)
"""Older, the wind says nothing about now."""


async def save_places(connection: AsyncConnection, places: Mapping[str, Place]) -> None:
    """Keep where stations stand, in the order of their ids; what has not changed is not written."""
    known = sorted(places)
    await connection.execute(
        text(
            """
            INSERT INTO station_place (station_id, longitude, latitude)
            SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:longitudes AS float8[]), CAST(:latitudes AS float8[]))
            ON CONFLICT (station_id) DO UPDATE SET longitude = excluded.longitude, latitude = excluded.latitude
            WHERE (station_place.longitude, station_place.latitude) <> (excluded.longitude, excluded.latitude)
            """
        ),
        {
            "ids": known,
            "longitudes": [places[i].longitude for i in known],
            "latitudes": [places[i].latitude for i in known],
        },
    )


async def save_wind(connection: AsyncConnection, park_id: str, at: datetime, wind: Wind) -> None:
    """Keep how the wind is at a park, and forget what was long ago."""
    await connection.execute(
        text(
            "INSERT INTO park_wind (park_id, at, from_deg, speed_m_s) VALUES (:park_id, :at, :from_deg, :speed_m_s) "
            "ON CONFLICT DO NOTHING"
        ),
        {"park_id": park_id, "at": at, "from_deg": wind.from_deg, "speed_m_s": wind.speed_m_s},
    )
    await connection.execute(
        text("DELETE FROM park_wind WHERE park_id = :park_id AND at < :before"),
        {"park_id": park_id, "before": at - KEEP},
    )
