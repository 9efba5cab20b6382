"""Questions about the registry: parks, enterprises, stations, devices, datastreams."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import schemas
from services.ingest.questions.latest import cursor_after
from shared.problems import NotFound
from shared.text import BilingualText
from shared.vocabulary import observed_properties

_PARKS = text(
    """
    SELECT p.id, p.name, p.fictitious, p.timezone, p.boundary,
           (SELECT count(*) FROM station s WHERE s.park_id = p.id AND s.active) AS station_count
    FROM park p WHERE CAST(:park AS text) IS NULL OR p.id = :park ORDER BY p.id
    """
)
_ENTERPRISES = text("SELECT id, name, area FROM enterprise WHERE park_id = :park AND active ORDER BY id")
_STATIONS = text(
    """
    SELECT id, code, name, description, properties, ring, enterprise_id, longitude, latitude, height_m
    FROM station WHERE park_id = :park AND active ORDER BY id
    """
)
_LOCATIONS = text(
    """
    SELECT l.since, l.longitude, l.latitude, l.height_m FROM station_location l JOIN station s ON s.id = l.station_id
    WHERE s.park_id = :park AND s.id = :station AND (CAST(:before AS timestamptz) IS NULL OR l.since < :before)
    ORDER BY l.since DESC LIMIT :limit
    """
)
_STATION = text("SELECT 1 FROM station WHERE park_id = :park AND id = :station")
_DEVICES = text(
    """
    SELECT d.mn, d.station_id, d.crc_mode, d.acknowledge, c.last_seen,
           coalesce(c.frames, 0) AS frames, coalesce(c.accepted, 0) AS accepted,
           coalesce(c.crc_errors, 0) AS crc_errors, coalesce(c.bad_length, 0) AS bad_length,
           coalesce(c.refused, 0) AS refused, coalesce(c.resync_bytes, 0) AS resync_bytes,
           coalesce(c.unmapped, 0) AS unmapped, e.connected_at, coalesce(e.connections, 0) AS connections,
           coalesce(e.resent, 0) AS resent, coalesce(e.incomplete, 0) AS incomplete,
           coalesce(e.wrong_passwords, 0) AS wrong_passwords, d.sm4_key IS NOT NULL AS encrypted,
           k.skew_s AS clock_skew_s, k.beyond_limit AS clock_skewed, k.measured_at AS clock_measured_at,
           q.noticed_at AS silent_since
    FROM device d JOIN station s ON s.id = d.station_id
    LEFT JOIN device_counter c ON c.mn = d.mn LEFT JOIN device_session e ON e.mn = d.mn
    LEFT JOIN device_clock k ON k.mn = d.mn LEFT JOIN silent_device q ON q.mn = d.mn
    WHERE s.park_id = :park ORDER BY d.station_id
    """
)
_DEVICE_OF_PARK = text(
    "SELECT 1 FROM device d JOIN station s ON s.id = d.station_id WHERE d.mn = :mn AND s.park_id = :park"
)
_UNKNOWN_DEVICES = text(
    "SELECT mn, frames, remote, first_seen, last_seen FROM unknown_device ORDER BY last_seen DESC LIMIT :limit"
)
_DATASTREAMS = text(
    """
    SELECT d.id, s.park_id, d.station_id, s.name, s.ring, s.longitude, s.latitude, d.property_id, d.cadence,
           d.range_upper, d.detection_limit, d.sensor, d.sensor_metadata
    FROM datastream d JOIN station s ON s.id = d.station_id
    WHERE d.active AND s.active AND (CAST(:park AS text) IS NULL OR s.park_id = :park) AND d.id > :after
    ORDER BY d.id LIMIT CAST(:limit AS bigint)
    """
)


async def parks(connection: AsyncConnection) -> list[schemas.Park]:
    """All parks."""
    return [_park(row) for row in await connection.execute(_PARKS, {"park": None})]


async def park(connection: AsyncConnection, park_id: str) -> schemas.Park:
    """One park; raises NotFound."""
    row = (await connection.execute(_PARKS, {"park": park_id})).first()
    if row is None:
        raise NotFound(f"There is no park '{park_id}'.")
    return _park(row)


async def enterprises(connection: AsyncConnection, park_id: str) -> list[schemas.Enterprise]:
    """The enterprises of a park."""
    return [
        schemas.Enterprise(id=row.id, name=_name(row), area=row.area)
        for row in await connection.execute(_ENTERPRISES, {"park": park_id})
    ]


async def stations(connection: AsyncConnection, park_id: str) -> list[schemas.Station]:
    """The stations of a park with devices and datastreams."""
    by_station = {device.station_id: device for device in await devices(connection, park_id)}
    streams: dict[str, list[schemas.StationDatastream]] = defaultdict(list)
    for row in await connection.execute(_DATASTREAMS, {"park": park_id, "after": 0, "limit": None}):
        streams[row.station_id].append(_station_datastream(row))
    return [
        schemas.Station(
            id=row.id,
            code=row.code,
            name=_name(row),
            description=None if row.description is None else BilingualText.model_validate(row.description),
            properties=row.properties,
            ring=row.ring,
            enterprise_id=row.enterprise_id,
            location=schemas.Location(longitude=row.longitude, latitude=row.latitude, height_m=row.height_m),
            device=by_station.get(row.id),
            datastreams=streams[row.id],
        )
        for row in await connection.execute(_STATIONS, {"park": park_id})
    ]


async def locations(
    connection: AsyncConnection, park_id: str, station_id: str, before: datetime | None, limit: int
) -> list[schemas.StationLocation]:
    """Where a station has stood, the latest first; raises NotFound."""
    given = {"park": park_id, "station": station_id}
    if (await connection.execute(_STATION, given)).first() is None:
        raise NotFound(f"Park '{park_id}' has no station '{station_id}'.")
    found = await connection.execute(_LOCATIONS, given | {"before": before, "limit": limit})
    return [schemas.StationLocation.model_validate(dict(row)) for row in found.mappings()]


async def devices(connection: AsyncConnection, park_id: str) -> list[schemas.DeviceCounters]:
    """The devices of a park with their counters."""
    rows = (await connection.execute(_DEVICES, {"park": park_id})).mappings()
    return [schemas.DeviceCounters.model_validate(dict(row)) for row in rows]


async def require_device(connection: AsyncConnection, park_id: str, mn: str) -> None:
    """Raises NotFound unless the park has this device."""
    if (await connection.execute(_DEVICE_OF_PARK, {"park": park_id, "mn": mn})).first() is None:
        raise NotFound(f"Park '{park_id}' has no device '{mn}'.")


async def unknown_devices(connection: AsyncConnection, limit: int) -> list[schemas.UnknownDevice]:
    """Device numbers that no park has, latest first."""
    rows = (await connection.execute(_UNKNOWN_DEVICES, {"limit": limit})).mappings()
    return [schemas.UnknownDevice.model_validate(dict(row)) for row in rows]


async def datastreams(
    connection: AsyncConnection, park_id: str | None, after: int, limit: int
) -> schemas.DatastreamPage:
    """Datastreams with an id above ``after``, of one park or of all."""
    rows = await connection.execute(_DATASTREAMS, {"park": park_id, "after": after, "limit": limit + 1})
    items = [_datastream(row) for row in rows]
    return schemas.DatastreamPage(
        items=items[:limit], next=cursor_after(items[limit - 1].id) if len(items) > limit else None
    )


def _name(row: Row[Any]) -> BilingualText:
    return BilingualText.model_validate(row.name)


def _park(row: Row[Any]) -> schemas.Park:
    return schemas.Park(
        id=row.id,
        name=_name(row),
        fictitious=row.fictitious,
        timezone=row.timezone,
        boundary=row.boundary,
        station_count=row.station_count,
    )


def _station_datastream(row: Row[Any]) -> schemas.StationDatastream:
    known = observed_properties()[row.property_id]
    return schemas.StationDatastream(
        id=row.id,
        property_id=row.property_id,
        property_kind=known.kind,
        property_name=known.name,
        unit=known.unit,
        cadence=row.cadence,
        range_upper=row.range_upper,
        detection_limit=row.detection_limit,
        sensor=row.sensor,
        sensor_metadata=row.sensor_metadata,
    )


def _datastream(row: Row[Any]) -> schemas.Datastream:
    return schemas.Datastream(
        id=row.id,
        park_id=row.park_id,
        station_id=row.station_id,
        station_name=_name(row),
        ring=row.ring,
        longitude=row.longitude,
        latitude=row.latitude,
        property_id=row.property_id,
        unit=observed_properties()[row.property_id].unit,
        cadence=row.cadence,
        range_upper=row.range_upper,
        detection_limit=row.detection_limit,
    )
