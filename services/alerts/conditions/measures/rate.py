"""How fast the readings rise."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from services.alerts.conditions.measures.fixed import UNIT, fixed
from services.alerts.conditions.measures.measure import ALWAYS, Windowed
from services.alerts.conditions.measures.series import Series, sums
from services.alerts.conditions.readings import Floats, Ints, Readings

_US_A_MINUTE = 60e6


@dataclass(frozen=True, slots=True)
class RateOfChange(Windowed):
    """The rise in units a minute over the window, once the readings cover it.

    The slope through the middle of the older and that of the newer half of the readings (A. Wald, The fitting of
    straight lines if both variables are subject to error, Ann. Math. Statist. 11 (1940) 284-300): exact on a straight
    line however the readings are spaced, and one that is off moves it by its share only. A reading beyond the range
    counts with the value that the instrument gave, if any: that the range is exceeded, the level on the value tells.
    """

    kind: ClassVar[str] = "rate_of_change"

    @property
    def is_amount(self) -> bool:
        """It is not."""
        return False

    def wake(self, threshold: float) -> float:  # noqa: ARG002
        """A value may rise from anywhere."""
        return ALWAYS

    def unit_of(self, unit: str) -> str:
        """The unit, a minute."""
        return f"{unit}/min"

    def over(self, series: Series, rows: Ints) -> Readings:
        """The rate at each row; NaN where either half of the window has no reading."""
        given, clock = ~np.isnan(series.readings.value), series.since_first()
        values, times, count = sums(fixed(series.readings.value)), sums(np.where(given, clock, 0)), sums(given)
        begin, middle, end = series.begin(rows, self.window), series.begin(rows, self.window // 2), rows + 1
        known = (count[middle] > count[begin]) & (count[end] > count[middle]) & series.covered(rows, self.window)

        def mean(low: Ints, high: Ints) -> tuple[Floats, Floats]:
            """Value in millionths and age [us] of the middle of some rows."""
            many = np.maximum(count[high] - count[low], 1)
            return (values[high] - values[low]) / many, (many * clock[rows] - (times[high] - times[low])) / many

        (older, before), (newer, since) = mean(begin, middle), mean(middle, end)
        elapsed = np.where(known, before - since, 1.0)
        rate = (newer - older) / UNIT / elapsed * _US_A_MINUTE
        return Readings(series.readings.time[rows], np.where(known, rate, np.nan), np.zeros(len(rows), np.bool_))
