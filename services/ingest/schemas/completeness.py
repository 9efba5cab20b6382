"""Bodies about how much of what should have come has come."""

from pydantic import BaseModel

from shared.park_file import Cadence
from shared.time import UtcDatetime


class DatastreamCompleteness(BaseModel):
    """One datastream. Hours are those of UTC that begin in the month and are over.

    ``hours`` have readings and ``hours_valid`` enough valid ones (three quarters, unless set otherwise).
    ``readings_expected`` is null for real-time values, which come at an interval of the device's own: their
    ``completeness`` is that of hours, else it is that of readings. ``validity`` is the share of the hours that are
    valid. Shares are null while the month has no whole hour yet.
    """

    datastream_id: int
    property_id: str
    cadence: Cadence
    hours_expected: int
    hours: int
    hours_valid: int
    readings_expected: int | None
    readings: int
    readings_valid: int
    completeness: float | None
    validity: float | None


class StationCompleteness(BaseModel):
    """A station: the means of its datastreams."""

    station_id: str
    completeness: float | None
    validity: float | None
    datastreams: list[DatastreamCompleteness]


class CompletenessPage(BaseModel):
    """A month of the park's own, by station; ``end`` is the last whole hour while the month goes on."""

    month: str
    start: UtcDatetime
    end: UtcDatetime
    items: list[StationCompleteness]
    next: str | None = None
