"""Measures that take one reading out of several by its rank: a percentile, and n of the last m."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from services.alerts.conditions.measures.matrix import ranked, windows
from services.alerts.conditions.measures.measure import Measure, Windowed
from services.alerts.conditions.measures.series import Series
from services.alerts.conditions.readings import Bools, Floats, Ints, Readings

MOST_SAMPLES = 100


@dataclass(frozen=True, slots=True)
class Percentile(Windowed):
    """The reading that `percent` of those in the window are not above (nearest rank), once they cover the window."""

    kind: ClassVar[str] = "percentile"

    percent: float

    def __post_init__(self) -> None:
        if self.window <= 0:
            raise ValueError("the window of a measure must be above zero")
        if not 0 < self.percent <= 100:
            raise ValueError(f"a percentile lies above 0 and up to 100, not at {self.percent:g}")

    def over(self, series: Series, rows: Ints) -> Readings:
        """The percentile at each row."""
        begin = series.begin(rows, self.window)
        rank = np.ceil(self.percent / 100 * (rows + 1 - begin)).astype(np.int64) - 1
        return _ranked(series, begin, rows, rank, series.covered(rows, self.window))


@dataclass(frozen=True, slots=True)
class NOfM(Measure):
    """The n-th highest of the last m readings without a gap: it reaches a level where n of them do."""

    kind: ClassVar[str] = "n_of_m"

    n: int
    m: int

    def __post_init__(self) -> None:
        if not 1 <= self.n <= self.m <= MOST_SAMPLES:
            raise ValueError(f"n of m needs 1 <= n <= m <= {MOST_SAMPLES}, not {self.n} of {self.m}")

    @property
    def lookback(self) -> None:
        """Over any time without a gap."""
        return None

    @property
    def samples(self) -> int:
        """The last m."""
        return self.m

    def over(self, series: Series, rows: Ints) -> Readings:
        """The n-th highest at each row; NaN while there are fewer than n."""
        begin = np.maximum(series.start[rows], rows + 1 - self.m)
        rank = rows + 1 - begin - self.n
        return _ranked(series, begin, rows, np.maximum(rank, 0), rank >= 0)


def _ranked(series: Series, begin: Ints, rows: Ints, rank: Ints, proven: Bools) -> Readings:
    """The reading of rank `rank[i]`, from 0 for the lowest, among rows `begin[i]` to `rows[i]`."""
    found: Floats = np.empty(len(rows))
    for part, matrix in windows(series.readings.height(), begin, rows + 1):
        found[part] = ranked(matrix, rank[part])
    beyond = proven & np.isposinf(found)
    return Readings(series.readings.time[rows], np.where(proven & ~beyond, found, np.nan), beyond)
