"""Bodies of ingest's HTTP interface."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.ingest.batch import RowStatus
from shared.park_file import Cadence, StationRing, Unit
from shared.quality import Quality
from shared.text import BilingualText
from shared.time import UtcDatetime

MAX_ROWS = 10_000


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


class DeviceCounters(BaseModel):
    """What came from a device since it was first heard of. ``last_seen`` is the time of its last whole frame."""

    mn: str
    station_id: str
    crc_mode: str
    acknowledge: str
    last_seen: UtcDatetime | None
    frames: int
    accepted: int
    crc_errors: int
    bad_length: int
    refused: int
    resync_bytes: int
    unmapped: int


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
    property_name: BilingualText
    unit: str
    cadence: Cadence
    range_upper: float | None
    detection_limit: float | None


class Station(BaseModel):
    """A station with its device and datastreams."""

    id: str
    code: str
    name: BilingualText
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


class LatestValue(BaseModel):
    """The latest observation of one datastream."""

    datastream_id: int
    station_id: str
    property_id: str
    cadence: Cadence
    time: UtcDatetime
    value: float | None
    quality: Quality
    unit: str


class LatestPage(BaseModel):
    """Latest values by datastream."""

    items: list[LatestValue]
    next: str | None = None


class Series(BaseModel):
    """Observations of one datastream in columns, by time.

    Beyond ``raw``, ``time`` is the start of a period, ``value`` its mean (of directions: as vectors), ``quality`` is T
    where any reading was over range, else N where three quarters are valid, else D; ``count`` and ``valid`` tell the
    numbers.
    """

    datastream_id: int
    unit: str
    resolution: Literal["raw", "minute", "hour", "day"]
    time: list[UtcDatetime] = []
    value: list[float | None] = []
    quality: list[Quality] = []
    minimum: list[float | None] = []
    maximum: list[float | None] = []
    count: list[int] | None = None
    valid: list[int] | None = None


class SeriesPage(BaseModel):
    """Series by datastream; ``next`` is the cursor for what the limit cut off."""

    items: list[Series]
    next: str | None = None


class ObservationRow(BaseModel):
    """One observation to store. ``unit`` is that of the value; left out, it is the datastream's stored unit."""

    model_config = ConfigDict(extra="forbid")

    station_id: Annotated[str | None, Field(description="such as bohai-demo.s01")] = None
    station: Annotated[str | None, Field(description="the code within the park, such as s01")] = None
    property: str
    time: UtcDatetime
    value: Annotated[float | None, Field(allow_inf_nan=False)]
    quality: Quality = Quality.NORMAL
    unit: Unit | None = None
    cadence: Cadence = "realtime"


class ObservationBatch(BaseModel):
    """Observations to store. A row that is not as ``ObservationRow`` says is refused by itself, not with the batch."""

    observations: Annotated[
        list[Annotated[ObservationRow | Any, Field(union_mode="left_to_right")]],
        Field(min_length=1, max_length=MAX_ROWS),
    ]


class RowResult(BaseModel):
    """What became of the row with this index."""

    index: int
    status: RowStatus
    detail: str | None = None


class BatchResult(BaseModel):
    """What became of each row; the answer comes after the commit."""

    accepted: int
    duplicate: int
    conflicting: int
    refused: int
    results: list[RowResult]


class Meteorology(BaseModel):
    """Weather of a park over the window that ends at ``at``, from the readings that are normal.

    ``wind_speed_m_s`` is the mean speed; ``wind_from_deg`` the direction of the mean vector, which is
    ``wind_vector_speed_m_s`` long; ``sigma_theta_deg`` by Yamartino. ``age_s`` is the age of the latest wind reading.
    """

    at: UtcDatetime
    window_s: float
    wind_speed_m_s: float
    wind_vector_speed_m_s: float
    wind_from_deg: float
    sigma_theta_deg: float
    temperature_c: float | None
    pressure_kpa: float | None
    humidity_percent: float | None
    stations: list[str]
    samples: int
    age_s: float
