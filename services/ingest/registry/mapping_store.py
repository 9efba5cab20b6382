"""The mapping of a park out of the database, and into it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.registry.instruments import check_units, put_instruments
from services.ingest.registry.mapping import ParkMapping, StationMapping
from services.ingest.registry.store import REGISTRY_STREAM, take_turn
from shared.messages import RegistryChanged
from shared.outbox import enqueue
from shared.park_file import Device
from shared.problems import Unprocessable

_CADENCES = ("realtime", "minute", "hour", "day")
_STATIONS = text(
    """
    SELECT id, code FROM station WHERE park_id = :park AND active
      AND (CAST(:codes AS text[]) IS NULL OR code = ANY(:codes)) ORDER BY code
    """
)
_DEVICES = text(
    f"SELECT station_id, {', '.join(Device.model_fields)} FROM device WHERE station_id = ANY(:stations)"  # noqa: S608
)
_DATASTREAMS = text(
    """
    SELECT station_id, property_id AS property, factor, device_unit AS unit, standard_state_c,
           at_measured_state, range_upper, detection_limit, sensor, sensor_metadata, array_agg(cadence) AS cadences
    FROM datastream WHERE active AND station_id = ANY(:stations)
    GROUP BY station_id, property_id, factor, device_unit, standard_state_c, at_measured_state, range_upper,
             detection_limit, sensor, sensor_metadata
    ORDER BY station_id, property_id
    """
)


async def read_mapping(connection: AsyncConnection, park_id: str, codes: Sequence[str] | None = None) -> ParkMapping:
    """The mapping of a park, or of some of its stations by code."""
    found = await connection.execute(_STATIONS, {"park": park_id, "codes": None if codes is None else [*codes]})
    stations = {row.id: row.code for row in found}
    given = {"stations": list(stations)}
    devices = {row.pop("station_id"): row for row in map(dict, (await connection.execute(_DEVICES, given)).mappings())}
    datastreams: dict[str, list[dict[str, Any]]] = {station_id: [] for station_id in stations}
    for row in map(dict, (await connection.execute(_DATASTREAMS, given)).mappings()):
        row["cadences"] = sorted(row["cadences"], key=_CADENCES.index)
        row["standard_state_c"] = int(row["standard_state_c"])
        datastreams[row.pop("station_id")].append(row)
    return ParkMapping(
        stations=[
            StationMapping.model_validate(
                {"station": code, "device": devices.get(station_id), "datastreams": datastreams[station_id]}
            )
            for station_id, code in stations.items()
        ]
    )


async def put_mapping(connection: AsyncConnection, park_id: str, mapping: ParkMapping) -> None:
    """Give the stations that it names exactly this mapping; the others keep theirs.

    In the transaction of ``connection``. Raises Unprocessable for a station that the park lacks, or a unit that does
    not fit; Conflict for a device of another station.
    """
    await take_turn(connection, park_id)
    codes = [entry.station for entry in mapping.stations]
    found = await connection.execute(_STATIONS, {"park": park_id, "codes": codes})
    stations = {row.code: row.id for row in found}
    unknown = [code for code in codes if code not in stations]
    if unknown:
        raise Unprocessable(
            f"Park '{park_id}' has no station {', '.join(unknown[:5])}. A mapping makes no stations: "
            "the park file does."
        )
    instruments = {stations[entry.station]: entry for entry in mapping.stations}
    check_units(instruments)
    await put_instruments(connection, park_id, instruments, retire=instruments)
    await enqueue(connection, REGISTRY_STREAM, RegistryChanged(park_id=park_id))
