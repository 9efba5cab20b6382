"""Readings of many datastreams, each in order of time, one after the other; and what lies behind each of them."""

import numpy as np

from services.alerts.conditions.measures.measure import COVERAGE, MOST_IN_WINDOW
from services.alerts.conditions.readings import Bools, Ints, Readings


class Series:
    """`first` are the rows at which the datastreams begin; `max_gap` [us] is for each the gap that breaks evidence.

    `lookback` [us] is the longest window that will be asked for. `broken`: the row is the first, or after a gap.
    `start` is for each row the one at which its run without a gap begins, at most `MOST_IN_WINDOW` rows with itself.
    `clock` is a time that is right within the lookback, and rises over all rows, from one datastream to the next too.
    """

    def __init__(self, readings: Readings, first: Ints, max_gap: Ints, lookback: int) -> None:
        self.readings = readings
        count = len(readings)
        length = np.diff(first, append=count)
        elapsed = np.diff(readings.time, prepend=readings.time[:1])
        elapsed[first] = lookback + 1
        self.broken: Bools = elapsed > np.repeat(max_gap, length)
        self.broken[first] = True
        self.clock: Ints = np.cumsum(np.minimum(elapsed, lookback + 1))
        self._length = length
        self._first = first
        rows = np.arange(count)
        run: Ints = np.maximum.accumulate(np.where(self.broken, rows, 0))
        self.start: Ints = np.maximum(run, rows - (MOST_IN_WINDOW - 1))

    def __len__(self) -> int:
        return len(self.readings)

    def since_first(self) -> Ints:
        """The clock of each row, counted from the first row of its datastream."""
        return self.clock - np.repeat(self.clock[self._first], self._length)

    def begin(self, rows: Ints, window: int) -> Ints:
        """The first row of the window (t - window, t] that ends at each of `rows`."""
        place = np.searchsorted(self.clock, self.clock[rows] - window, side="right")
        return np.maximum(place, self.start[rows])

    def covered(self, rows: Ints, window: int) -> Bools:
        """Whether readings without a gap go back over enough of the window, or fill it with as many as it holds."""
        start, time = self.start[rows], self.readings.time
        enough: Bools = time[rows] - time[start] >= COVERAGE * window
        return enough | (rows - start >= MOST_IN_WINDOW - 1)


def sums(values: Ints | Bools) -> Ints:
    """Sums up to each row: those of rows `i` to `k` are `sums[k + 1] - sums[i]`."""
    found = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=found[1:])
    return found
