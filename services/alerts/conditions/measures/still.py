"""How long the readings have stood still."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from services.alerts.conditions.measures.measure import ALWAYS, Windowed
from services.alerts.conditions.measures.series import Series
from services.alerts.conditions.readings import Ints, Readings


@dataclass(frozen=True, slots=True)
class Stuck(Windowed):
    """For how many seconds no reading has differed by more than `tolerance` from the one before it.

    At most the window. A value at or below `above` (the detection limit, say) may stand still for ever, and so may
    one beyond the range: for them it is 0.
    """

    kind: ClassVar[str] = "stuck"

    tolerance: float = 0.0
    above: float = 0.0

    def __post_init__(self) -> None:
        if self.window <= 0:
            raise ValueError("the window of a measure must be above zero")
        if not self.tolerance >= 0:
            raise ValueError("a tolerance cannot be negative")

    @property
    def is_amount(self) -> bool:
        """It is not."""
        return False

    def wake(self, threshold: float) -> float:  # noqa: ARG002
        """It is no height that counts."""
        return ALWAYS

    def unit_of(self, unit: str) -> str:  # noqa: ARG002
        """Seconds, whatever is measured."""
        return "s"

    def over(self, series: Series, rows: Ints) -> Readings:
        """The seconds at each row."""
        readings, time = series.readings, series.readings.time
        live = (readings.value > self.above) & ~readings.over_range
        with np.errstate(invalid="ignore"):
            same = np.abs(np.diff(readings.value, prepend=np.nan)) <= self.tolerance
        same[1:] &= live[:-1]
        moved = series.broken | ~same | ~live
        run = np.maximum.accumulate(np.where(moved, np.arange(len(series)), 0))[rows]
        begin = np.maximum(run, series.begin(rows, self.window))
        seconds = np.where(live[rows], (time[rows] - time[begin]) / 1e6, 0.0)
        return Readings(time[rows], seconds, np.zeros(len(rows), np.bool_))
