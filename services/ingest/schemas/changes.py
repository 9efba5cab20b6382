"""Bodies of the change feed."""

from typing import Literal

from pydantic import BaseModel

from shared.park_file import Cadence
from shared.quality import Quality
from shared.time import UtcDatetime

ChangeKind = Literal["stored", "corrected"]


class Change(BaseModel):
    """One observation as it was committed: ``stored`` new, or ``corrected`` by a reviewer (the later one counts).

    ``value`` is in ``unit``; ``minimum`` and ``maximum`` are those of the period that the device told, as they stand
    now.
    """

    change: ChangeKind
    datastream_id: int
    station_id: str
    property_id: str
    cadence: Cadence
    unit: str
    time: UtcDatetime
    value: float | None
    quality: Quality
    minimum: float | None = None
    maximum: float | None = None


class ChangePage(BaseModel):
    """What was committed after the cursor that was asked with.

    ``next`` is the cursor to ask with next, always there. ``more`` tells that the feed goes on already: ask at once.
    A page may be empty and yet have more after it.
    """

    items: list[Change]
    next: str
    more: bool
