"""Bodies of answers about observations."""

from typing import Literal

from pydantic import BaseModel

from shared.park_file import Cadence
from shared.quality import Quality
from shared.time import UtcDatetime


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

    Beyond ``raw``, ``time`` is the start of a period, ``value`` its mean (of directions: as vectors, and then
    ``sigma_theta_deg`` is their standard deviation by Yamartino), ``quality`` is T where any reading was over range,
    else N where enough are valid (three quarters, unless set otherwise), else D; ``count`` and ``valid`` tell the
    numbers. Days are the park's own, and whole ones: also the first and the last that a span touches.

    Where it is asked for, ``sent_value``, ``sent_minimum`` and ``sent_maximum`` [``sent_unit``] are what was sent,
    before any conversion or correction. A ``sent_unit`` of null tells that this is not known any more.
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
    sigma_theta_deg: list[float | None] | None = None
    sent_value: list[float | None] | None = None
    sent_unit: list[str | None] | None = None
    sent_minimum: list[float | None] | None = None
    sent_maximum: list[float | None] | None = None


class SeriesPage(BaseModel):
    """Series by datastream.

    ``next`` is the cursor for what the limit cut off; it holds resolution, start and end as well. A page of means may
    show fewer points than the limit, even none, and still have a next one.
    """

    items: list[Series]
    next: str | None = None


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
