"""Readings one by one and in columns: what a condition rests on."""

from dataclasses import dataclass
from math import inf, isnan, nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Sample(NamedTuple):
    """One reading that may feed a gas alarm, or what a measure made of some.

    `time` in microseconds since 1970 UTC (event time); `value` in the rule's unit, None where there is none;
    `over_range`: beyond the instrument's range (HJ 212 flag T), which is above every level.
    """

    time: int
    value: float | None
    over_range: bool = False

    @property
    def height(self) -> float:
        """What is compared with the thresholds. NaN proves nothing: it is neither above nor below any."""
        if self.over_range:
            return inf
        return nan if self.value is None else self.value


@dataclass(slots=True)
class Readings:
    """Columns: time [us], value (NaN: none), whether the reading is beyond the instrument's range."""

    time: Ints
    value: Floats
    over_range: Bools

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def of(cls, samples: list[Sample]) -> "Readings":
        """The columns of some samples."""
        return cls(
            np.array([sample.time for sample in samples], np.int64),
            np.array([nan if sample.value is None else sample.value for sample in samples], np.float64),
            np.array([sample.over_range for sample in samples], np.bool_),
        )

    def take(self, which: Ints | Bools | slice) -> "Readings":
        """Some of the rows."""
        return Readings(self.time[which], self.value[which], self.over_range[which])

    def samples(self) -> list[Sample]:
        """The rows one by one."""
        columns = zip(self.time.tolist(), self.value.tolist(), self.over_range.tolist(), strict=True)
        return [Sample(time, None if isnan(value) else value, over_range) for time, value, over_range in columns]

    def height(self) -> Floats:
        """What is compared with the thresholds; see `Sample.height`."""
        return np.where(self.over_range, np.inf, self.value)


def no_readings(rows: int = 0) -> Readings:
    """Columns to be written to."""
    return Readings(np.zeros(rows, np.int64), np.zeros(rows), np.zeros(rows, np.bool_))
