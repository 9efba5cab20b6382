"""What a measure is, and the one that most rules have: the reading itself.

A measure gives one reading for each that came, at the same time: so the levels, with their delays and their order of
event time, are evaluated as of raw values. Where the readings do not prove anything (a window that they do not fill)
what it gives is NaN, which is neither above nor below any level: nothing is raised on it, and what stands stays.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from services.alerts.conditions.measures.series import Series
    from services.alerts.conditions.readings import Ints, Readings

MOST_IN_WINDOW = 4096
"""Readings in one window, at most: with more a second than that, it is the window that is shorter."""
COVERAGE = 0.75
"""Of a window that has to be covered by readings. Validity of means in HJ 212-2017: 75 % of the samples."""


@dataclass(frozen=True, slots=True)
class Measure:
    """The reading itself. Others derive from it."""

    kind: ClassVar[str] = "raw"
    is_prepared: ClassVar[bool] = False
    """Whether what it gives is made of each reading alone, and kept instead of the reading; see `baseline`."""

    @property
    def lookback(self) -> int | None:
        """How far back in event time it looks, in microseconds; None where only the number of readings bounds it."""
        return 0

    @property
    def samples(self) -> int:
        """How many readings it looks at, at most."""
        return 1

    @property
    def is_amount(self) -> bool:
        """Whether it says how much there is: of two such levels the higher one says all that the lower does."""
        return True

    def wake(self, threshold: float) -> float:
        """The lowest raw value with which what it gives could come to `threshold`.

        While all readings that it looks at are below, nothing needs to be computed.
        """
        return threshold

    def unit_of(self, unit: str) -> str:
        """The unit of what it gives, for readings in `unit`."""
        return unit

    def told(self) -> dict[str, Any]:
        """What it is, as rules say it; times in seconds."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"kind": self.kind} | {
            "window_s" if name == "window" else name: value / 1e6 if name == "window" else value
            for name, value in own.items()
        }

    def over(self, series: Series, rows: Ints) -> Readings:
        """What it gives at these rows of the series."""
        return series.readings.take(rows)


RAW = Measure()


@dataclass(frozen=True, slots=True)
class Windowed(Measure):
    """Looks at the readings of `window` microseconds up to each, not across a gap."""

    window: int

    def __post_init__(self) -> None:
        if self.window <= 0:
            raise ValueError("the window of a measure must be above zero")

    @property
    def lookback(self) -> int:
        """The window."""
        return self.window

    @property
    def samples(self) -> int:
        """What a window holds at most."""
        return MOST_IN_WINDOW


ALWAYS = -inf
"""For `wake`: any reading may matter."""
