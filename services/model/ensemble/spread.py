"""How far the inputs may be off: the spread of wind, stability and rate that an ensemble draws from.

References
----------
.. [1] NOAA (2013), ALOHA 5.4.4 technical documentation, NOS OR&R 43: the wind-direction confidence lines come from
   the standard deviation of wind direction, as here.
.. [2] Hutchinson, Oh & Chen (2017), doi:10.1016/j.inffus.2016.11.010: a class from surface weather is often one off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.model.dispersion.growth import CALM_GROWTH_M_S
from services.model.dispersion.meteorology import Meteorology

FloatArray = npt.NDArray[np.float64]

# Without a vane that tells its sigma: 10 degrees from 2 m/s up, more in lighter wind; never all around.
_UNMEASURED_DIRECTION_DEG = 10.0
_LEAST_DIRECTION_DEG = 3.0
_WIDEST_DIRECTION_DEG = 72.0

# An anemometer is true to some 0.3 m/s, and the wind a kilometre on or ten minutes later to some 20 %.
_SPEED_SHARE = 0.2
_SPEED_ERROR_M_S = 0.3
_WIDEST_SPEED_LOG = 0.7

# Two thirds of the members lie within half a class, the rest mostly within one [2].
_STABILITY_CLASSES = 0.5

# 5 % and 95 % of a normal distribution.
_Z_90 = 1.6448536


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviations: wind direction [deg], log of its speed, stability [classes].

    `rate_interval` [kg/s] holds 90 % of the rate's probability; None for a rate that is taken as it is given.
    """

    direction_deg: float
    speed_log: float
    stability: float
    rate_interval: tuple[float, float] | None


def spread_of(weather: Meteorology, rate_interval: tuple[float, float] | None) -> Spread:
    """Return the spread for a weather: of direction as measured (`sigma_theta_deg`), the rest by its wind.

    Raises ValueError for an interval that does not rise from above zero.
    """
    if rate_interval is not None and not (0.0 < rate_interval[0] <= rate_interval[1] < math.inf):
        raise ValueError(f"the rate's interval {rate_interval} must rise from above zero")
    wind = max(weather.wind_speed_m_s, CALM_GROWTH_M_S)
    if weather.sigma_theta_deg is None:
        direction = _UNMEASURED_DIRECTION_DEG * max(1.0, 2.0 / wind)
    else:
        direction = max(weather.sigma_theta_deg, _LEAST_DIRECTION_DEG)
    speed = min(math.hypot(_SPEED_SHARE, _SPEED_ERROR_M_S / wind), _WIDEST_SPEED_LOG)
    return Spread(min(direction, _WIDEST_DIRECTION_DEG), speed, _STABILITY_CLASSES, rate_interval)


def rate_of_score(median: float, interval: tuple[float, float] | None, score: FloatArray) -> FloatArray:
    """Return rates [kg/s] for standard normal scores.

    The logarithm is normal on either side of the median, with a width of its own, so that the median and both ends
    of the 90 % interval come out as given: a saturated detector leaves the upper side far wider than the lower one.
    """
    if interval is None:
        return np.full(np.shape(score), median)
    low, high = (math.log(max(bound, 1e-300) / median) / z for bound, z in zip(interval, (-_Z_90, _Z_90), strict=True))
    return np.asarray(median * np.exp(np.where(score < 0.0, max(low, 0.0), max(high, 0.0)) * score))
