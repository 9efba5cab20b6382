"""Bodies of answers with statistics of observations."""

from typing import Literal

from pydantic import BaseModel

from shared.park_file import Cadence
from shared.time import UtcDatetime


class WindSector(BaseModel):
    """Wind from one sector. ``shares`` by class of speed, of all samples of the rose; ``share`` is their sum."""

    from_deg: float
    share: float
    shares: list[float]
    mean_speed_m_s: float | None


class WindRose(BaseModel):
    """How often the wind came from where, and how strong, at one station.

    Sectors go clockwise from north, ``from_deg`` is the middle of each. Class i of speed reaches from
    ``speed_edges_m_s[i - 1]`` up to, not including, ``speed_edges_m_s[i]``; the last one has no end. A sample at or
    below ``calm_m_s`` is calm: it is in ``calm_share`` and in no sector. The shares of all sectors and of calm add up
    to 1. ``steadiness`` is the length of the mean vector over the mean speed: 1 where the wind never turns.
    ``cadence`` is None, and all else empty, where the station has no valid pair of speed and direction.
    """

    station_id: str
    cadence: Cadence | None
    samples: int
    calm_m_s: float
    calm_share: float | None
    speed_edges_m_s: list[float]
    mean_speed_m_s: float | None
    vector_speed_m_s: float | None
    from_deg: float | None
    steadiness: float | None
    sectors: list[WindSector]


class WindRosePage(BaseModel):
    """Roses by station, from ``start`` on and before ``end``; ``next`` is the cursor for more stations."""

    start: UtcDatetime
    end: UtcDatetime
    items: list[WindRose]
    next: str | None = None


class Percentile(BaseModel):
    """``percent`` of the values are at or below ``value`` (interpolated)."""

    percent: float
    value: float | None


class Exceedance(BaseModel):
    """Values above a threshold [unit of the datastream].

    ``share`` is of the values looked at; ``episodes`` counts unbroken runs; ``highest_ratio`` is the highest value over
    the threshold. A reading that the instrument calls over range without giving a value is counted as above.
    """

    threshold: float
    count: int
    share: float | None
    episodes: int
    first_at: UtcDatetime | None
    last_at: UtcDatetime | None
    highest_ratio: float | None


class Statistics(BaseModel):
    """Statistics of one datastream.

    ``values`` are those that are valid: readings that are normal or over range, or means of periods in which enough
    readings are valid; ``left_out`` counts the others, ``over_range`` the readings, or periods with readings, beyond
    the instrument's range.
    """

    datastream_id: int
    station_id: str
    property_id: str
    unit: str
    values: int
    left_out: int
    over_range: int
    mean: float | None
    standard_deviation: float | None
    minimum: float | None
    maximum: float | None
    maximum_at: UtcDatetime | None
    percentiles: list[Percentile]
    exceedances: list[Exceedance]


class StatisticsPage(BaseModel):
    """Statistics by datastream, of readings or of periods that begin from ``start`` on and before ``end``.

    Days are the park's own, and whole ones: also the first and the last that the span touches.
    """

    start: UtcDatetime
    end: UtcDatetime
    basis: Literal["raw", "minute", "hour", "day"]
    items: list[Statistics]
    next: str | None = None
