"""Mean and maximum over a sliding window."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from services.alerts.conditions.measures.fixed import UNIT, fixed
from services.alerts.conditions.measures.measure import Windowed
from services.alerts.conditions.measures.series import Series, sums
from services.alerts.conditions.readings import Floats, Ints, Readings


@dataclass(frozen=True, slots=True)
class Mean(Windowed):
    """The arithmetic mean of the readings, once they cover the window.

    With one beyond the instrument's range among them, it is beyond the range: no number is known that it is below.
    """

    kind: ClassVar[str] = "mean"

    def wake(self, threshold: float) -> float:
        """A mean is not above all of its readings, but for the rounding to millionths."""
        return threshold - 1 / UNIT

    def over(self, series: Series, rows: Ints) -> Readings:
        """The mean at each row."""
        given = ~np.isnan(series.readings.value)
        begin, end = series.begin(rows, self.window), rows + 1
        total, count, beyond = sums(fixed(series.readings.value)), sums(given), sums(series.readings.over_range)
        many = count[end] - count[begin]
        covered = series.covered(rows, self.window)
        mean = (total[end] - total[begin]) / (np.maximum(many, 1) * UNIT)
        return Readings(
            series.readings.time[rows],
            np.where(covered & (many > 0), mean, np.nan),
            covered & (beyond[end] > beyond[begin]),
        )


@dataclass(frozen=True, slots=True)
class Maximum(Windowed):
    """The highest of the readings: what one of them reached stands for the window. It needs no coverage to be true."""

    kind: ClassVar[str] = "maximum"

    def over(self, series: Series, rows: Ints) -> Readings:
        """The maximum at each row."""
        begin, end = series.begin(rows, self.window), rows + 1
        beyond = sums(series.readings.over_range)
        return Readings(
            series.readings.time[rows],
            _highest(series.readings.value, begin, end),
            beyond[end] > beyond[begin],
        )


def _highest(value: Floats, begin: Ints, end: Ints) -> Floats:
    """The maximum of rows `begin[i]` to before `end[i]`, NaN passed over: from maxima over powers of two."""
    found = np.empty(len(begin))
    power = np.frexp((end - begin).astype(np.float64))[1] - 1
    maxima, width = value, 1
    for step in range(int(power.max(initial=-1)) + 1):
        if step:
            maxima = np.fmax(maxima[: len(maxima) - width], maxima[width:])
            width *= 2
        which = power == step
        found[which] = np.fmax(maxima[begin[which]], maxima[end[which] - width])
    return found
