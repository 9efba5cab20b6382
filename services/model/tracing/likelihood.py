"""How well a prediction explains readings: log space, heavy tails, detection limit and end of range.

A sensor that reads nothing says as much as one that alarms, so readings below the detection limit count as
"below", not as missing; a reading beyond the range counts as "above".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# Spread of log(observed / predicted) of a Gaussian plume at single points: half of predictions within a factor 2
# (Chang & Hanna 2004, Meteorol. Atmos. Phys. 87, 167-196, doi:10.1007/s00703-003-0070-7) is ln 2 / 0.74 for t4.
LOG_SPREAD = 0.94
_DEGREES = 4

# Within this distance [m] of a source a reading hangs more on the wake of the equipment and on the turns of the wind
# within the averaging time than on the mean plume: some ten metres sideways decide between everything and nothing,
# where the plume itself is a few metres wide. The spread of the logarithm grows as 1 / distance.
_NEAR_M = 60.0
_NEAREST_M = 20.0

# Gas that no model foresees (recirculation, another small leak) reads like a fraction of the detection limit.
_BACKGROUND_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Readings:
    """Arrays of one length: value [any unit], detection limit and end of range [same unit; inf for none].

    `over_range`: the value is a lower bound, as some of what it is the mean of lay beyond the range; left out, it is
    where the value reaches the end of the range.
    """

    value: FloatArray
    detection_limit: FloatArray
    range_upper: FloatArray
    over_range: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    def __post_init__(self) -> None:
        if self.over_range.size == 0:
            object.__setattr__(self, "over_range", np.zeros(self.value.shape, dtype=np.bool_))
        columns = (self.detection_limit, self.range_upper, self.over_range)
        if any(self.value.shape != column.shape for column in columns):
            raise ValueError("readings: the columns differ in length")
        if np.any(~np.isfinite(self.value)) or np.any(self.detection_limit <= 0.0):
            raise ValueError("readings must be finite and detection limits above zero")

    def of(self, which: npt.NDArray[np.bool_]) -> Readings:
        """Return the readings of some stations."""
        return Readings(self.value[which], self.detection_limit[which], self.range_upper[which], self.over_range[which])


def spread_at(distance_m: FloatArray) -> FloatArray:
    """Return the spread of log(observed / predicted) at these distances from the source."""
    return np.asarray(LOG_SPREAD * (1.0 + _NEAR_M / np.maximum(distance_m, _NEAREST_M)))


def log_likelihood(readings: Readings, predicted: FloatArray, spread: FloatArray | float = LOG_SPREAD) -> FloatArray:
    """Return the log likelihood of each reading, the shape of `predicted` (..., stations).

    `spread` is that of log(observed / predicted), one for all stations or one each.

    Student-t with 4 degrees of freedom in the logarithm of the ratio; its integral where a reading is censored.
    """
    floor = np.log(_BACKGROUND_SHARE * readings.detection_limit)
    level = np.logaddexp(np.log(np.maximum(predicted, 1e-300)), floor)
    below = (readings.value < readings.detection_limit) & ~readings.over_range
    above = readings.over_range | (readings.value >= readings.range_upper)
    shown = np.log(np.clip(readings.value, readings.detection_limit, readings.range_upper))
    t = (shown - level) / spread
    exact = _log_density(t) - np.log(spread)
    return np.asarray(np.where(below, np.log(_distribution(t)), np.where(above, np.log(_distribution(-t)), exact)))


def _log_density(t: FloatArray) -> FloatArray:
    return np.asarray(math.log(3.0 / 8.0) - 2.5 * np.log1p(t**2 / _DEGREES))


def _distribution(t: FloatArray) -> FloatArray:
    """The cumulative Student-t with 4 degrees of freedom, in closed form; never quite 0."""
    s = t / np.sqrt(1.0 + t**2 / _DEGREES)
    return np.asarray(np.maximum(0.5 + 0.375 * s * (1.0 - s**2 / 12.0), 1e-12))
