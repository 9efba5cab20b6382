"""The registry in the database: what a park file says of parks, enterprises, stations, devices and datastreams.

Putting the same file twice changes nothing. What a new file leaves out becomes inactive: it is no longer listed and its
device no longer known, but its observations stay.
"""

import json
from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.archive.replays import begin_for_the_registered
from services.ingest.meaning.units import UnitError
from services.ingest.registry.snapshot import Stream
from shared.messages import RegistryChanged
from shared.outbox import enqueue
from shared.park_file import Datastream, ParkFile, Ring, Station
from shared.problems import Conflict, Unprocessable
from shared.text import BilingualText
from shared.vocabulary import observed_properties

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
    INSERT INTO station (id, park_id, code, name, ring, enterprise_id, longitude, latitude, height_m, active)
    VALUES (:id, :park_id, :code, CAST(:name AS jsonb), :ring, :enterprise_id, :longitude, :latitude, :height_m, true)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, ring = excluded.ring,
        enterprise_id = excluded.enterprise_id, longitude = excluded.longitude, latitude = excluded.latitude,
        height_m = excluded.height_m, active = true
    """
)
_PUT_DEVICE = text(
    """
    INSERT INTO device (mn, station_id, password, crc_mode, acknowledge, registered_at)
    VALUES (:mn, :station_id, :password, :crc_mode, :acknowledge,
        coalesce(CAST(:registered_at AS timestamptz), now()))
    """
)
_PUT_DATASTREAM = text(
    """
    INSERT INTO datastream (station_id, property_id, cadence, factor, device_unit, standard_state_c, range_upper,
        detection_limit, active)
    VALUES (:station_id, :property_id, :cadence, :factor, :device_unit, :standard_state_c, :range_upper,
        :detection_limit, true)
    ON CONFLICT (station_id, property_id, cadence) DO UPDATE SET factor = excluded.factor,
        device_unit = excluded.device_unit, standard_state_c = excluded.standard_state_c,
        range_upper = excluded.range_upper, detection_limit = excluded.detection_limit, active = true
    """
)
_RETIRE = (
    text("UPDATE enterprise SET active = false WHERE park_id = :park"),
    text("UPDATE station SET active = false WHERE park_id = :park"),
    text(
        "UPDATE datastream SET active = false FROM station s WHERE s.id = datastream.station_id AND s.park_id = :park"
    ),
    text("DELETE FROM device USING station s WHERE s.id = device.station_id AND s.park_id = :park"),
)
_FOREIGN_DEVICES = text("SELECT mn FROM device WHERE mn = ANY(:mns) ORDER BY mn LIMIT 5")
_REGISTERED_AT = text(
    "SELECT mn, registered_at FROM device d JOIN station s ON s.id = d.station_id WHERE s.park_id = :park"
)
_SNAPSHOT_DEVICES = text(
    """
    SELECT d.mn, s.park_id, d.station_id, p.timezone, d.password, d.crc_mode, d.acknowledge
    FROM device d JOIN station s ON s.id = d.station_id JOIN park p ON p.id = s.park_id
    """
)
_SNAPSHOT_STREAMS = text(
    """
    SELECT d.id, d.station_id, s.park_id, d.property_id, d.cadence, d.factor, d.device_unit, d.standard_state_c
    FROM datastream d JOIN station s ON s.id = d.station_id WHERE d.active AND s.active
    """
)


async def put_park(connection: AsyncConnection, file: ParkFile) -> None:
    """Take over a park file, in the transaction of ``connection``. Raises Conflict, Unprocessable."""
    for station in file.stations:
        _check_units(station)
    park = file.park
    # Two files of one park at once take turns.
    await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": f"registry-{park.id}"})
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
    registered: dict[str, datetime] = dict((await connection.execute(_REGISTERED_AT, {"park": park.id})).all())
    for statement in _RETIRE:
        await connection.execute(statement, {"park": park.id})
    await _refuse_devices_of_others(connection, file)
    await _put_all(
        connection, _PUT_ENTERPRISE, [_enterprise_row(file, index) for index in range(len(file.enterprises))]
    )
    await _put_all(connection, _PUT_STATION, [_station_row(file, station) for station in file.stations])
    await _put_all(connection, _PUT_DEVICE, _device_rows(file, registered))
    await _put_all(connection, _PUT_DATASTREAM, _datastream_rows(file))
    await begin_for_the_registered(connection)
    await enqueue(connection, REGISTRY_STREAM, RegistryChanged(park_id=park.id))


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


async def _put_all(connection: AsyncConnection, statement: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        await connection.execute(statement, rows)


async def _refuse_devices_of_others(connection: AsyncConnection, file: ParkFile) -> None:
    mns = [station.device.mn for station in file.stations if station.device]
    taken = (await connection.execute(_FOREIGN_DEVICES, {"mns": mns})).scalars().all()
    if taken:
        # Whose they are is not told: a key for one park learns nothing of another.
        raise Conflict(f"These device numbers (MN) are registered elsewhere: {', '.join(taken)}. An MN is unique.")


def _check_units(station: Station) -> None:
    for entry in station.datastreams:
        stored = observed_properties()[entry.property]
        stream = Stream(0, station.id, entry.property, "", 1.0, entry.standard_state_c, 0)
        try:
            stream.scale_of(entry.unit or stored.unit)
        except UnitError as error:
            raise Unprocessable(f"Station {station.id}, property {entry.property}: {error}.") from error


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
        "ring": station.ring,
        "enterprise_id": None if station.enterprise is None else file.id_of(station.enterprise),
        **station.location.model_dump(),
    }


def _device_rows(file: ParkFile, registered: dict[str, datetime]) -> list[dict[str, Any]]:
    return [
        {
            "station_id": file.id_of(station.id),
            "registered_at": registered.get(station.device.mn),
            **station.device.model_dump(),
        }
        for station in file.stations
        if station.device is not None
    ]


def _datastream_rows(file: ParkFile) -> list[dict[str, Any]]:
    rows: dict[tuple[str, str, str], dict[str, Any]] = defaultdict(dict)
    for station in file.stations:
        for entry in station.datastreams:
            for cadence in entry.cadences:
                key = (file.id_of(station.id), entry.property, cadence)
                rows[key] = _datastream_row(key, entry)
    return [rows[key] for key in sorted(rows)]


def _datastream_row(key: tuple[str, str, str], entry: Datastream) -> dict[str, Any]:
    station_id, property_id, cadence = key
    return {
        "station_id": station_id,
        "property_id": property_id,
        "cadence": cadence,
        "factor": entry.factor_code(),
        "device_unit": entry.unit or observed_properties()[entry.property].unit,
        "standard_state_c": entry.standard_state_c,
        "range_upper": entry.range_upper,
        "detection_limit": entry.detection_limit,
    }
