"""The registry in the database: what a park file says of parks, enterprises, stations, devices and datastreams.

Putting the same file twice changes nothing. What a new file leaves out becomes inactive: it is no longer listed and its
device no longer known, but its observations stay.
"""

import json
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.registry.instruments import check_units, put_all, put_instruments
from shared.messages import RegistryChanged
from shared.outbox import enqueue
from shared.park_file import ParkFile, Ring, Station
from shared.text import BilingualText

REGISTRY_STREAM = "registry"

_PUT_PARK = text(
    """
    INSERT INTO park (id, name, fictitious, timezone, boundary)
    VALUES (:id, CAST(:name AS jsonb), :fictitious, :timezone, CAST(:boundary AS jsonb))
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, fictitious = excluded.fictitious,
        timezone = excluded.timezone, boundary = excluded.boundary
    """
)
_PUT_ENTERPRISE = text(
    """
    INSERT INTO enterprise (id, park_id, name, area, active)
    VALUES (:id, :park_id, CAST(:name AS jsonb), CAST(:area AS jsonb), true)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, area = excluded.area, active = true
    """
)
_PUT_STATION = text(
    """
    INSERT INTO station (id, park_id, code, name, description, properties, ring, enterprise_id, longitude, latitude,
        height_m, active)
    VALUES (:id, :park_id, :code, CAST(:name AS jsonb), CAST(:description AS jsonb), CAST(:properties AS jsonb), :ring,
        :enterprise_id, :longitude, :latitude, :height_m, true)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description,
        properties = excluded.properties, ring = excluded.ring,
        enterprise_id = excluded.enterprise_id, longitude = excluded.longitude, latitude = excluded.latitude,
        height_m = excluded.height_m, active = true
    """
)
# A station that has moved has a new entry; the old ones tell where its readings of then were taken.
_NOTE_LOCATIONS = text(
    """
    INSERT INTO station_location (station_id, since, longitude, latitude, height_m)
    SELECT s.id, now(), s.longitude, s.latitude, s.height_m FROM station s
    LEFT JOIN LATERAL (
        SELECT * FROM station_location l WHERE l.station_id = s.id ORDER BY l.since DESC LIMIT 1
    ) l ON true
    WHERE s.park_id = :park AND s.active
      AND (l.longitude, l.latitude, l.height_m) IS DISTINCT FROM (s.longitude, s.latitude, s.height_m)
    """
)
_RETIRE = (
    text("UPDATE enterprise SET active = false WHERE park_id = :park"),
    text("UPDATE station SET active = false WHERE park_id = :park"),
)
_SNAPSHOT_DEVICES = text(
    """
    SELECT d.mn, s.park_id, d.station_id, p.timezone, d.password, d.crc_mode, d.acknowledge, d.sm4_key,
           d.password_set
    FROM device d JOIN station s ON s.id = d.station_id JOIN park p ON p.id = s.park_id
    """
)
_SNAPSHOT_STREAMS = text(
    """
    SELECT d.id, d.station_id, s.park_id, d.property_id, d.cadence, d.factor, d.device_unit, d.standard_state_c,
           d.at_measured_state
    FROM datastream d JOIN station s ON s.id = d.station_id WHERE d.active AND s.active
    """
)


async def put_park(connection: AsyncConnection, file: ParkFile) -> None:
    """Take over a park file, in the transaction of ``connection``. Raises Conflict, Unprocessable."""
    instruments = {file.id_of(station.id): station for station in file.stations}
    check_units(instruments)
    park = file.park
    await take_turn(connection, park.id)
    await connection.execute(
        _PUT_PARK,
        {
            "id": park.id,
            "name": _json(park.name),
            "fictitious": park.fictitious,
            "timezone": park.timezone,
            "boundary": json.dumps(polygon(park.boundary)),
        },
    )
    for statement in _RETIRE:
        await connection.execute(statement, {"park": park.id})
    await put_all(connection, _PUT_ENTERPRISE, [_enterprise_row(file, index) for index in range(len(file.enterprises))])
    await put_all(connection, _PUT_STATION, [_station_row(file, station) for station in file.stations])
    await connection.execute(_NOTE_LOCATIONS, {"park": park.id})
    await put_instruments(connection, park.id, instruments, retire=None)
    await enqueue(connection, REGISTRY_STREAM, RegistryChanged(park_id=park.id))


async def take_turn(connection: AsyncConnection, park_id: str) -> None:
    """Two files of one park at once take turns: wait for the other's transaction to end."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": f"registry-{park_id}"})


async def counts(connection: AsyncConnection, park_id: str) -> tuple[int, int]:
    """Active stations and datastreams of a park."""
    row = await connection.execute(
        text(
            """
            SELECT count(DISTINCT s.id), count(d.id) FROM station s
            LEFT JOIN datastream d ON d.station_id = s.id AND d.active WHERE s.park_id = :park AND s.active
            """
        ),
        {"park": park_id},
    )
    stations, datastreams = row.one()
    return stations, datastreams


async def read_rows(connection: AsyncConnection) -> tuple[list[Any], list[Any], list[tuple[str, str]], list[str]]:
    """What a snapshot is made of: rows of devices, of datastreams, (station, park) pairs, ids of parks."""
    devices = (await connection.execute(_SNAPSHOT_DEVICES)).all()
    streams = (await connection.execute(_SNAPSHOT_STREAMS)).all()
    stations = (await connection.execute(text("SELECT id, park_id FROM station WHERE active"))).all()
    parks = (await connection.execute(text("SELECT id FROM park"))).scalars().all()
    return list(devices), list(streams), [(station, park) for station, park in stations], list(parks)


def polygon(ring: Ring) -> dict[str, Any]:
    """A GeoJSON Polygon of one outer ring."""
    return {"type": "Polygon", "coordinates": [[list(position) for position in ring]]}


def _json(name: BilingualText) -> str:
    return name.model_dump_json()


def _enterprise_row(file: ParkFile, index: int) -> dict[str, Any]:
    entry = file.enterprises[index]
    return {
        "id": file.id_of(entry.id),
        "park_id": file.park.id,
        "name": _json(entry.name),
        "area": None if entry.area is None else json.dumps(polygon(entry.area)),
    }


def _station_row(file: ParkFile, station: Station) -> dict[str, Any]:
    return {
        "id": file.id_of(station.id),
        "park_id": file.park.id,
        "code": station.id,
        "name": _json(station.name),
        "description": None if station.description is None else _json(station.description),
        "properties": json.dumps(station.properties),
        "ring": station.ring,
        "enterprise_id": None if station.enterprise is None else file.id_of(station.enterprise),
        **station.location.model_dump(),
    }
