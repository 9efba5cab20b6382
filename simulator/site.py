"""The park as the simulator sees it: places in metres, one row an observed property at a station."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from shared.park_file import Datastream, Location, ParkFile, RiskSource, Station
from shared.vocabulary import observed_properties, property_of_cas
from simulator.geometry import Floats, LocalPlane
from simulator.plume import Leak

MOLAR_VOLUME_0C = 22.414  # l/mol at 0 degC and 101.325 kPa
KELVIN_AT_0C = 273.15


@dataclass(frozen=True)
class Channel:
    """One measured property of one station. `sent_per_stored` turns the stored unit into the sent one."""

    station: int
    property_id: str
    is_gas: bool
    factor: str
    sent_per_stored: float
    range_upper: float
    detection_limit: float
    cadences: frozenset[str]


@dataclass(frozen=True)
class Source:
    """A risk source that a story may open."""

    code: str
    property_id: str
    leak: Leak


class Site:
    """Stations with a device, their channels and the risk sources of one park file."""

    def __init__(self, park: ParkFile) -> None:
        self.park = park
        self._zone = ZoneInfo(park.park.timezone)
        ring = np.array(park.park.boundary)
        middle = (ring.min(axis=0) + ring.max(axis=0)) / 2.0
        self.plane = LocalPlane(float(middle[0]), float(middle[1]))
        self.stations: list[Station] = [entry for entry in park.stations if entry.device is not None]
        self.places: Floats = np.array([self._place(entry.location) for entry in self.stations]).reshape(-1, 3)
        self.channels = [
            _channel(index, stream)
            for index, station in enumerate(self.stations)
            for stream in station.datastreams
            if stream.factor_code() is not None
        ]
        self.sources = [source for entry in park.risk_sources if (source := self._source(entry)) is not None]

    def local_time(self, moment: int) -> datetime:
        """The park's local time at `moment` (seconds since 1970), without zone, as HJ 212 writes it."""
        return datetime.fromtimestamp(moment, self._zone).replace(tzinfo=None)

    def stations_measuring(self, property_id: str, ring: str) -> list[int]:
        """Indices of the stations of a ring that measure this property."""
        return sorted(
            {
                channel.station
                for channel in self.channels
                if channel.property_id == property_id and self.stations[channel.station].ring == ring
            }
        )

    def _place(self, location: Location) -> tuple[float, float, float]:
        east, north = self.plane.to_metres(location.longitude, location.latitude)
        return east, north, location.height_m

    def _source(self, entry: RiskSource) -> Source | None:
        observed = property_of_cas(entry.chemical)
        if observed is None:
            return None
        east, north, height = self._place(entry.location)
        return Source(entry.id, observed.id, Leak(east, north, height))


def _channel(station: int, stream: Datastream) -> Channel:
    observed = observed_properties()[stream.property]
    return Channel(
        station=station,
        property_id=stream.property,
        is_gas=observed.kind == "gas",
        factor=stream.factor_code() or "",
        sent_per_stored=_sent_per_stored(stream),
        range_upper=stream.range_upper or float("inf"),
        detection_limit=stream.detection_limit or 0.0,
        cadences=frozenset(stream.cadences),
    )


def _sent_per_stored(stream: Datastream) -> float:
    """Number of sent units in one stored unit (mg/m3 for gases). Raises ValueError where none exists."""
    observed = observed_properties()[stream.property]
    unit = stream.unit or observed.unit
    if unit == observed.unit:
        return 1.0
    mass_units = {"mg/m3": 1.0, "ug/m3": 1e3, "ng/m3": 1e6}
    if observed.unit == "mg/m3" and unit in mass_units:
        return mass_units[unit]
    if observed.unit == "mg/m3" and unit in ("ppm", "ppb") and observed.molar_mass_g_mol:
        volume = MOLAR_VOLUME_0C * (KELVIN_AT_0C + stream.standard_state_c) / KELVIN_AT_0C
        return volume / observed.molar_mass_g_mol * (1.0 if unit == "ppm" else 1e3)
    if (observed.unit, unit) == ("kPa", "hPa"):
        return 10.0
    raise ValueError(f"{stream.property}: an instrument that sends {unit} is not simulated")
