"""Dose and toxic load: concentration over time, summed as people breathe it.

The unit of concentration is mg/m3 and that of time here is seconds; loads count minutes, as HJ 169-2018 does.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_S_PER_MIN = 60.0


def toxic_load(times_s: npt.ArrayLike, concentration: npt.ArrayLike, exponent: float) -> FloatArray:
    """Return the integral of C^n dt [(mg/m3)^n min] over the last axis.

    Parameters
    ----------
    times_s : rising times [s], shape (t,).
    concentration : concentrations [mg/m3] >= 0, shape (..., t), a straight line between two times.
    exponent : n > 0.

    C^n of a straight line is integrated exactly, so the load does not depend on how finely a line is cut.
    Raises ValueError for times that do not rise, negative concentrations or an exponent that is not above zero.
    """
    times = np.asarray(times_s, dtype=np.float64)
    values = np.asarray(concentration, dtype=np.float64)
    _check(times, values, exponent)
    before, after = values[..., :-1], values[..., 1:]
    return np.asarray((_mean_power(before, after, exponent) * np.diff(times)).sum(axis=-1) / _S_PER_MIN)


def dose(times_s: npt.ArrayLike, concentration: npt.ArrayLike) -> FloatArray:
    """Return the dose, the integral of C dt [mg min/m3], over the last axis: `toxic_load` with n = 1."""
    return toxic_load(times_s, concentration, 1.0)


def time_above_s(times_s: npt.ArrayLike, concentration: npt.ArrayLike, level: float) -> FloatArray:
    """Return for how long [s] the concentration stands above a level, over the last axis.

    Between two times the concentration is a straight line.
    """
    times = np.asarray(times_s, dtype=np.float64)
    values = np.asarray(concentration, dtype=np.float64)
    _check(times, values, 1.0)
    low = np.minimum(values[..., :-1], values[..., 1:])
    high = np.maximum(values[..., :-1], values[..., 1:])
    rise = np.maximum(high - low, 1e-300)
    share = np.where(low >= level, 1.0, np.clip((high - level) / rise, 0.0, 1.0))
    return np.asarray((share * np.diff(times)).sum(axis=-1))


def _mean_power(before: FloatArray, after: FloatArray, exponent: float) -> FloatArray:
    """The mean of C^n along a straight line from `before` to `after`."""
    change = after - before
    scale = np.maximum(before, after)
    # Nearly level lines would lose all digits in the difference of powers; there the middle's power is exact enough.
    level = np.abs(change) <= 1e-4 * scale
    safe = np.where(level, 1.0, change)
    exact = (after ** (exponent + 1.0) - before ** (exponent + 1.0)) / ((exponent + 1.0) * safe)
    return np.where(level, (0.5 * (before + after)) ** exponent, exact)


def _check(times: FloatArray, values: FloatArray, exponent: float) -> None:
    if times.ndim != 1 or values.shape[-1] != times.size:
        raise ValueError("a concentration needs one value for each time")
    if not np.all(np.diff(times) > 0.0):
        raise ValueError("times must rise")
    if not np.all(np.isfinite(values)) or np.any(values < 0.0):
        raise ValueError("concentrations must be finite and not negative")
    if not (np.isfinite(exponent) and exponent > 0.0):
        raise ValueError("the exponent of a toxic load must be above zero")
