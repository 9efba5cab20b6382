"""Bodies about parks, stations, devices and datastreams."""

from typing import Any

from pydantic import BaseModel, Field, JsonValue

from shared.park_file import Cadence, StationRing
from shared.text import BilingualText
from shared.time import UtcDatetime
from shared.vocabulary import Kind


class Park(BaseModel):
    """A park; ``boundary`` is a GeoJSON Polygon."""

    id: str
    name: BilingualText
    fictitious: bool
    timezone: str
    boundary: dict[str, Any]
    station_count: int


class ParkPage(BaseModel):
    """Parks by id."""

    items: list[Park]
    next: str | None = None


class RegistryTaken(BaseModel):
    """What a park has after its file was taken over."""

    stations: int
    datastreams: int


class Enterprise(BaseModel):
    """A company; ``area`` is a GeoJSON Polygon."""

    id: str
    name: BilingualText
    area: dict[str, Any] | None


class EnterprisePage(BaseModel):
    """Enterprises by id."""

    items: list[Enterprise]
    next: str | None = None


class Location(BaseModel):
    """WGS 84; height above ground in metres."""

    longitude: float
    latitude: float
    height_m: float


class StationLocation(Location):
    """Where a station has stood from ``since`` on, until the next."""

    since: UtcDatetime


class StationLocationPage(BaseModel):
    """Locations of a station, the latest first."""

    items: list[StationLocation]
    next: str | None = Field(default=None, description="pass it as `cursor` to go on")


class DeviceCounters(BaseModel):
    """What came from a device since it was first heard of. ``last_seen`` is the time of its last whole frame;
    ``silent_since`` is when it was noticed that nothing comes any more.

    From ``connected_at`` on all is some seconds old: ``resent`` counts messages that say they are sent again
    (``RF=1``), ``incomplete`` messages in parts (``PNUM``, ``PNO``) of which parts did not come. ``clock_skew_s`` is
    the device's clock minus ours [s] as of ``clock_measured_at``, None before it is known; ``clock_skewed`` tells
    whether it is beyond the limit, so that normal readings are flagged W.
    """

    mn: str
    station_id: str
    crc_mode: str
    acknowledge: str
    last_seen: UtcDatetime | None
    silent_since: UtcDatetime | None
    frames: int
    accepted: int
    crc_errors: int
    bad_length: int
    refused: int
    resync_bytes: int
    unmapped: int
    encrypted: bool
    connected_at: UtcDatetime | None
    connections: int
    resent: int
    incomplete: int
    wrong_passwords: int
    clock_skew_s: float | None
    clock_skewed: bool | None
    clock_measured_at: UtcDatetime | None


class DevicePage(BaseModel):
    """Devices by station."""

    items: list[DeviceCounters]
    next: str | None = None


class UnknownDevice(BaseModel):
    """A device number that no park has; its frames are kept raw and not acknowledged."""

    mn: str
    frames: int
    remote: str
    first_seen: UtcDatetime
    last_seen: UtcDatetime


class UnknownDevicePage(BaseModel):
    """Unknown devices, latest first."""

    items: list[UnknownDevice]
    next: str | None = None


class StationDatastream(BaseModel):
    """One observed property of a station at one cadence; range and detection limit in ``unit``."""

    id: int
    property_id: str
    property_kind: Kind
    property_name: BilingualText
    unit: str
    cadence: Cadence
    range_upper: float | None
    detection_limit: float | None
    sensor: str | None = Field(description="maker and model")
    sensor_metadata: str | None = Field(description="address of its papers")


class Station(BaseModel):
    """A station with its device and datastreams; `properties` are the park's own."""

    id: str
    code: str
    name: BilingualText
    description: BilingualText | None
    properties: dict[str, JsonValue]
    ring: StationRing
    enterprise_id: str | None
    location: Location
    device: DeviceCounters | None
    datastreams: list[StationDatastream]


class StationPage(BaseModel):
    """Stations by id."""

    items: list[Station]
    next: str | None = None


class Datastream(BaseModel):
    """A datastream with its station, for the other services."""

    id: int
    park_id: str
    station_id: str
    station_name: BilingualText
    ring: StationRing
    longitude: float
    latitude: float
    property_id: str
    unit: str
    cadence: Cadence
    range_upper: float | None
    detection_limit: float | None


class DatastreamPage(BaseModel):
    """Datastreams by id."""

    items: list[Datastream]
    next: str | None = None
