"""Bodies of answers about the wind."""

from typing import Literal

from pydantic import BaseModel

from shared.park_file import Cadence
from shared.quality import Quality
from shared.time import UtcDatetime

WindResolution = Literal["minute", "hour", "day"]


class Wind(BaseModel):
    """The wind at one station in columns, by period; periods without a reading are left out.

    ``time`` is the start of a period. ``speed_m_s`` is the mean of the speeds, ``from_deg`` the direction of the mean
    vector (weighted by speed), which is ``vector_speed_m_s`` long; ``sigma_theta_deg`` the standard deviation of the
    direction by Yamartino. ``count`` tells the simultaneous readings of speed and direction, ``valid`` those behind the
    means; ``quality`` is N where enough of them are valid. ``cadence`` tells the readings that were used.
    """

    station_id: str
    cadence: Cadence | None
    resolution: WindResolution
    time: list[UtcDatetime] = []
    speed_m_s: list[float | None] = []
    vector_speed_m_s: list[float | None] = []
    from_deg: list[float | None] = []
    sigma_theta_deg: list[float | None] = []
    quality: list[Quality] = []
    count: list[int] = []
    valid: list[int] = []


class WindPage(BaseModel):
    """The wind by station."""

    items: list[Wind]
    next: str | None = None
