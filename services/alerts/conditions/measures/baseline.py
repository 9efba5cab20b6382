"""How far a reading departs from what is usual for its datastream at this hour of the day."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from services.alerts.conditions.baselines import Usual
from services.alerts.conditions.measures.deviation import SIGMA
from services.alerts.conditions.measures.measure import Measure
from services.alerts.conditions.readings import Floats, Ints, Readings

NOTHING_USUAL: Mapping[int, Usual] = {}


@dataclass(frozen=True, slots=True)
class BaselineDeviation(Measure):
    """By how many robust standard deviations a reading is above the median of its hour of the day.

    The baseline is over `over` days, and says nothing until the hour has readings of `least_days` of them. The standard
    deviation is 1.4826 times the median absolute deviation, at least `least` (in the unit of the readings); see
    `Deviation`. What a reading makes does not change any more: it is made once, when it comes (`prepared`).
    """

    kind: ClassVar[str] = "baseline_deviation"
    is_prepared: ClassVar[bool] = True

    over_days: int
    least_days: int
    least: float

    def __post_init__(self) -> None:
        if not 1 <= self.least_days <= self.over_days:
            raise ValueError(f"of {self.over_days} days {self.least_days} cannot be known")
        if not self.least > 0:
            raise ValueError("the least standard deviation must be above zero")

    @property
    def is_amount(self) -> bool:
        """It is not."""
        return False

    def unit_of(self, unit: str) -> str:  # noqa: ARG002
        """A number."""
        return "1"

    def of(self, usual: Usual, ids: Ints, readings: Readings) -> Readings:
        """The deviation of each reading, which is of the datastream `ids[i]`; NaN while too little is known."""
        row = usual.find(ids, readings.time)
        known = row >= 0
        if known.any():
            known &= (usual.days[row] >= self.least_days) & np.isfinite(usual.median[row])
        median, scale = np.zeros(len(row)), np.ones(len(row))
        median[known] = usual.median[row[known]]
        scale[known] = self.standard_deviation(usual.mad[row[known]])
        beyond = known & readings.over_range
        return Readings(readings.time, np.where(known & ~beyond, (readings.value - median) / scale, np.nan), beyond)

    def standard_deviation(self, mad: Floats) -> Floats:
        """By which deviations are divided, in the unit of the readings."""
        return np.maximum(SIGMA * mad, self.least)

    def explained(self, usual: Usual | None, datastream_id: int, time: int) -> dict[str, Any]:
        """What a reading was compared with, for the journal."""
        hour = usual.hour(datastream_id, time) if usual is not None else None
        if hour is None:
            return {}
        spread = float(self.standard_deviation(np.array([hour.mad]))[0])
        return {
            "baseline": {
                "hour": hour.hour,
                "median": hour.median,
                "mad": hour.mad,
                "standard_deviation": spread,
                "readings": hour.readings,
                "days": hour.days,
            }
        }


def prepared(
    measures: list[Measure], measure: Ints, ids: Ints, readings: Readings, usual: Mapping[int, Usual] = NOTHING_USUAL
) -> Readings:
    """The same rows, with the deviation from its baseline for a reading whose measure, `measures[measure[i]]`, is that.

    `usual` is by the number of days.
    """
    found = readings
    for number in np.unique(measure).tolist():
        kind = measures[number]
        if not isinstance(kind, BaselineDeviation):
            continue
        if found is readings:
            found = Readings(readings.time, readings.value.copy(), readings.over_range.copy())
        rows = measure == number
        made = kind.of(usual.get(kind.over_days, Usual()), ids[rows], readings.take(rows))
        found.value[rows], found.over_range[rows] = made.value, made.over_range
    return found
