"""How far readings lie outside of what can be."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from services.alerts.conditions.measures.measure import ALWAYS, Measure
from services.alerts.conditions.measures.series import Series
from services.alerts.conditions.readings import Ints, Readings


@dataclass(frozen=True, slots=True)
class Implausible(Measure):
    """By how much a value lies below `low` or above `high`; 0 within.

    Where an instrument itself says that its range is exceeded, that is no fault of it, and it is 0 as well.
    """

    kind: ClassVar[str] = "implausible"

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"what is plausible lies between a low and a high end, not {self.low:g} and {self.high:g}")

    @property
    def is_amount(self) -> bool:
        """It is not."""
        return False

    def wake(self, threshold: float) -> float:  # noqa: ARG002
        """Too low counts as well."""
        return ALWAYS

    def over(self, series: Series, rows: Ints) -> Readings:
        """The distance at each row."""
        readings = series.readings.take(rows)
        beyond = np.fmax(self.low - readings.value, readings.value - self.high)
        return Readings(
            readings.time, np.where(readings.over_range, 0.0, np.fmax(beyond, 0.0)), np.zeros(len(rows), np.bool_)
        )
