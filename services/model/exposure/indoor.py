"""The air indoors, behind closed windows: one well-mixed room, dCi/dt = a (Co - Ci), a the air changes per hour.

No gas is lost on walls, so peak and dose indoors are rather too high than too low; after the cloud has passed, the
air indoors stays worse than that outside, which is when people should open windows.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.model.exposure.dose import FloatArray

_S_PER_H = 3600.0


def indoor_concentration(
    times_s: npt.ArrayLike, outdoor: npt.ArrayLike, air_changes_per_h: float, initial: float = 0.0
) -> FloatArray:
    """Return the concentration indoors, the shape and unit of `outdoor` (..., t).

    Exact for a concentration outdoors that is a straight line between two times, so it is stable and needs no small
    steps. Raises ValueError for times that do not rise or air changes that are negative or not finite.
    """
    times = np.asarray(times_s, dtype=np.float64)
    outside = np.asarray(outdoor, dtype=np.float64)
    if times.ndim != 1 or outside.shape[-1] != times.size or not np.all(np.diff(times) > 0.0):
        raise ValueError("the air outdoors needs one value for each of the rising times")
    if not (np.isfinite(air_changes_per_h) and air_changes_per_h >= 0.0):
        raise ValueError("air changes per hour must be finite and not negative")
    inside = np.empty_like(outside)
    inside[..., 0] = initial
    exchanged = air_changes_per_h * np.diff(times) / _S_PER_H
    for index, x in enumerate(exchanged):
        first, second = _weights(float(x))
        kept = np.exp(-x) * inside[..., index]
        inside[..., index + 1] = kept + first * outside[..., index] + second * outside[..., index + 1]
    return inside


def _weights(x: float) -> tuple[float, float]:
    """How much the air outdoors at the beginning and at the end of a step counts, x air changes long."""
    if x < 1e-4:
        # Series of the same, where the differences below would lose their digits.
        return 0.5 * x - x * x / 3.0, 0.5 * x - x * x / 6.0
    gone = float(-np.expm1(-x))
    return gone / x - float(np.exp(-x)), 1.0 - gone / x
