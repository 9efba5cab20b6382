"""How far a reading departs from what its datastream has been doing."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from services.alerts.conditions.measures.matrix import ranked, windows
from services.alerts.conditions.measures.measure import ALWAYS, Windowed
from services.alerts.conditions.measures.series import Series
from services.alerts.conditions.readings import Floats, Ints, Readings

SIGMA = 1.4826
"""Of a normal distribution the standard deviation is this many times the median absolute deviation."""


@dataclass(frozen=True, slots=True)
class Deviation(Windowed):
    """By how many robust standard deviations a reading is above the median of those before it in the window.

    The standard deviation is 1.4826 times the median absolute deviation from the median, at least `least` (in the
    unit of the readings): else the first flicker of a value that hardly moves would be far out. Medians are the lower
    ones of an even number. F. R. Hampel, The influence curve and its role in robust estimation, J. Am. Stat. Assoc. 69
    (1974) 383-393.
    """

    kind: ClassVar[str] = "deviation"

    least: float

    def __post_init__(self) -> None:
        if self.window <= 0:
            raise ValueError("the window of a measure must be above zero")
        if not self.least > 0:
            raise ValueError("the least standard deviation must be above zero")

    @property
    def is_amount(self) -> bool:
        """It is not."""
        return False

    def wake(self, threshold: float) -> float:  # noqa: ARG002
        """The median may be anywhere."""
        return ALWAYS

    def unit_of(self, unit: str) -> str:  # noqa: ARG002
        """A number."""
        return "1"

    def over(self, series: Series, rows: Ints) -> Readings:
        """The deviation at each row, once the readings cover the window."""
        begin, height = series.begin(rows, self.window), series.readings.height()
        rank = np.maximum(rows - begin - 1, 0) // 2
        median, spread = np.empty(len(rows)), np.empty(len(rows))
        for part, matrix in windows(height, begin, rows):
            median[part] = ranked(matrix, rank[part])
            # With a median beyond the range nothing is known of what is usual.
            usual = np.where(np.isfinite(median[part]), median[part], 0.0)
            spread[part] = ranked(np.abs(matrix - usual[:, None]), rank[part])
        known = (rows > begin) & series.covered(rows, self.window) & np.isfinite(median) & np.isfinite(spread)
        beyond = known & series.readings.over_range[rows]
        scale: Floats = np.where(known, np.maximum(SIGMA * spread, self.least), 1.0)
        value = np.where(known & ~beyond, height[rows] - np.where(known, median, 0.0), np.nan) / scale
        return Readings(series.readings.time[rows], value, beyond)
