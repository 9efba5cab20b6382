"""Bodies of reports."""

from typing import Literal

from pydantic import BaseModel

from services.ingest.schemas.statistics import WindRose
from shared.park_file import Cadence, StationRing
from shared.quality import Quality
from shared.text import BilingualText
from shared.time import UtcDatetime


class ReportRow(BaseModel):
    """One observed property at one station over the period of the report.

    ``means`` has a mean for each part of the period, None where too few of its readings are valid. ``mean`` is that of
    all valid readings, ``quality`` tells whether they are enough; ``maximum_at`` is the beginning of the part with the
    maximum. ``valid_parts`` counts the parts with a mean. Of directions there are no extremes.
    """

    station_id: str
    station_name: BilingualText
    ring: StationRing
    property_id: str
    property_name: BilingualText
    unit: str
    datastream_id: int
    cadence: Cadence
    readings: int
    valid: int
    over_range: int
    valid_parts: int
    mean: float | None
    quality: Quality
    minimum: float | None
    maximum: float | None
    maximum_at: UtcDatetime | None
    means: list[float | None]


class Report(BaseModel):
    """What a park measured on a day or in a month of its own zone, from ``start`` on and before ``end``.

    ``parts`` are the beginnings of its hours or days. ``ended`` is false while the period goes on. Where a station
    measures a property at several cadences, the row is of the first that has readings: minute, realtime, hour, day.
    ``wind`` has the roses of at most fifty stations; ask wind-rose for all.
    """

    park_id: str
    park_name: BilingualText
    kind: Literal["daily", "monthly"]
    period: str
    timezone: str
    start: UtcDatetime
    end: UtcDatetime
    ended: bool
    parts: list[UtcDatetime]
    rows: list[ReportRow]
    wind: list[WindRose]
