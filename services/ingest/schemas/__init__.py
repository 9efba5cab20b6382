"""Bodies of ingest's HTTP interface."""

from services.ingest.schemas.intake import (
    BatchResult,
    ObservationBatch,
    ObservationRow,
    RowResult,
)
from services.ingest.schemas.registry import (
    Datastream,
    DatastreamPage,
    DeviceCounters,
    DevicePage,
    Enterprise,
    EnterprisePage,
    Location,
    Park,
    ParkPage,
    RegistryTaken,
    Station,
    StationDatastream,
    StationPage,
    UnknownDevice,
    UnknownDevicePage,
)
from services.ingest.schemas.series import (
    LatestPage,
    LatestValue,
    Meteorology,
    Series,
    SeriesPage,
)

__all__ = [
    "BatchResult",
    "Datastream",
    "DatastreamPage",
    "DeviceCounters",
    "DevicePage",
    "Enterprise",
    "EnterprisePage",
    "LatestPage",
    "LatestValue",
    "Location",
    "Meteorology",
    "ObservationBatch",
    "ObservationRow",
    "Park",
    "ParkPage",
    "RegistryTaken",
    "RowResult",
    "Series",
    "SeriesPage",
    "Station",
    "StationDatastream",
    "StationPage",
    "UnknownDevice",
    "UnknownDevicePage",
]
