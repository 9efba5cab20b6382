"""Devices and datastreams in the database: what measures at each station, and what its device sends."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.archive.replays import begin_for_the_registered, begin_for_the_unlisted
from services.ingest.meaning.units import UnitError
from services.ingest.registry.snapshot import Stream
from shared.park_file import Datastream, Device, Instruments
from shared.problems import Conflict, Unprocessable
from shared.vocabulary import observed_properties

_OF_DEVICE = tuple(Device.model_fields)
"""Each field of a device has a column of its name."""
_PUT_DEVICE = text(
    f"""
    INSERT INTO device (station_id, registered_at, password_set, {", ".join(_OF_DEVICE)})
    VALUES (:station_id, coalesce(CAST(:registered_at AS timestamptz), now()), :password_set, :{", :".join(_OF_DEVICE)})
    """  # noqa: S608  (names of our own model)
)
_PUT_DATASTREAM = text(
    """
    INSERT INTO datastream (station_id, property_id, cadence, factor, device_unit, standard_state_c,
        at_measured_state, range_upper, detection_limit, sensor, sensor_metadata, active)
    VALUES (:station_id, :property_id, :cadence, :factor, :device_unit, :standard_state_c,
        :at_measured_state, :range_upper, :detection_limit, :sensor, :sensor_metadata, true)
    ON CONFLICT (station_id, property_id, cadence) DO UPDATE SET factor = excluded.factor,
        device_unit = excluded.device_unit, standard_state_c = excluded.standard_state_c,
        at_measured_state = excluded.at_measured_state,
        range_upper = excluded.range_upper, detection_limit = excluded.detection_limit, sensor = excluded.sensor,
        sensor_metadata = excluded.sensor_metadata, active = true
    """
)
# Of the stations named, or of all of the park.
_RETIRE = (
    text(
        """
        UPDATE datastream SET active = false FROM station s WHERE s.id = datastream.station_id AND s.park_id = :park
          AND (CAST(:stations AS text[]) IS NULL OR s.id = ANY(:stations))
        """
    ),
    text(
        """
        DELETE FROM device USING station s WHERE s.id = device.station_id AND s.park_id = :park
          AND (CAST(:stations AS text[]) IS NULL OR s.id = ANY(:stations))
        """
    ),
)
_FOREIGN_DEVICES = text("SELECT mn FROM device WHERE mn = ANY(:mns) ORDER BY mn LIMIT 5")
_REGISTERED_AT = text(
    """
    SELECT d.mn, d.registered_at, d.password_set FROM device d JOIN station s ON s.id = d.station_id
    WHERE s.park_id = :park
    """
)


def check_units(instruments: Mapping[str, Instruments]) -> None:
    """Raises Unprocessable where a device's unit cannot become the stored one; keys are ids of stations."""
    for station_id, entry in instruments.items():
        for datastream in entry.datastreams:
            stored = observed_properties()[datastream.property]
            stream = Stream(0, station_id, datastream.property, "", 1.0, datastream.standard_state_c, 0)
            try:
                stream.scale_of(datastream.unit or stored.unit)
            except UnitError as error:
                raise Unprocessable(f"Station {station_id}, property {datastream.property}: {error}.") from error


async def put_instruments(
    connection: AsyncConnection,
    park_id: str,
    instruments: Mapping[str, Instruments],
    *,
    retire: Collection[str] | None,
) -> None:
    """Give stations (by id) these instruments. Raises Conflict where another station has a device already.

    What the stations in ``retire`` had before, or all of the park's for None, and have no more becomes inactive.
    """
    found = await connection.execute(_REGISTERED_AT, {"park": park_id})
    registered: dict[str, tuple[datetime, str | None]] = {
        row.mn: (row.registered_at, row.password_set) for row in found
    }
    stations = None if retire is None else list(retire)
    for statement in _RETIRE:
        await connection.execute(statement, {"park": park_id, "stations": stations})
    devices = [
        {"station_id": station_id, "registered_at": since, "password_set": password_set, **device.model_dump()}
        for station_id, entry in instruments.items()
        if (device := entry.device) is not None
        for since, password_set in [registered.get(device.mn, (None, None))]
    ]
    await _refuse_devices_of_others(connection, [device["mn"] for device in devices])
    await put_all(connection, _PUT_DEVICE, devices)
    await put_all(connection, _PUT_DATASTREAM, _datastream_rows(instruments))
    new = [device["mn"] for device in devices if device["registered_at"] is None]
    await begin_for_the_unlisted(connection, park_id, new)
    await begin_for_the_registered(connection)


async def put_all(connection: AsyncConnection, statement: TextClause, rows: list[dict[str, Any]]) -> None:
    """Execute a statement for each of the rows, if there are any."""
    if rows:
        await connection.execute(statement, rows)


async def _refuse_devices_of_others(connection: AsyncConnection, mns: list[str]) -> None:
    taken = (await connection.execute(_FOREIGN_DEVICES, {"mns": mns})).scalars().all()
    if taken:
        # Whose they are is not told: a key for one park learns nothing of another.
        raise Conflict(f"These device numbers (MN) are registered elsewhere: {', '.join(taken)}. An MN is unique.")


def _datastream_rows(instruments: Mapping[str, Instruments]) -> list[dict[str, Any]]:
    rows = {
        (station_id, datastream.property, cadence): datastream
        for station_id, entry in instruments.items()
        for datastream in entry.datastreams
        for cadence in datastream.cadences
    }
    return [_datastream_row(key, rows[key]) for key in sorted(rows)]


def _datastream_row(key: tuple[str, str, str], entry: Datastream) -> dict[str, Any]:
    station_id, property_id, cadence = key
    return {
        "station_id": station_id,
        "property_id": property_id,
        "cadence": cadence,
        "factor": entry.factor_code(),
        "device_unit": entry.unit or observed_properties()[entry.property].unit,
        "standard_state_c": entry.standard_state_c,
        "at_measured_state": entry.at_measured_state,
        "range_upper": entry.range_upper,
        "detection_limit": entry.detection_limit,
        "sensor": entry.sensor,
        "sensor_metadata": entry.sensor_metadata,
    }
