"""Growth and travel of gas in one weather, tabulated once along the path: what puffs and plumes both read.

A parcel is moved by the wind at its effective height, hypot(release height, 0.6 sigma_z) [1]: a low cloud is slow,
and speeds up as it grows. In calm air it still spreads, as if in a wind of `CALM_GROWTH_M_S`, but hardly moves.

References
----------
.. [1] Chaudhry & Meroney (1973), Boundary-Layer Meteorol. 4, 193-204 (mean transport height is 0.6 sigma_z).
.. [2] Kunkel (1991), User's Guide for the Air Force Toxic Chemical Dispersion Model (AFTOX), PL-TR-91-2119 (0.5 m/s
   as the least wind for which Gaussian spread is tabulated).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.model.dispersion.meteorology import Meteorology
from services.model.dispersion.profile import FloatArray
from services.model.dispersion.sigma import (
    REFERENCE_AVERAGING_S,
    averaging_factor,
    sigma_y_from_direction_m,
    sigma_y_m,
    sigma_z_m,
)

CALM_GROWTH_M_S = 0.5

# Air never stops meandering: AERMOD's least sigma_v of 0.2 m/s holds for an hour, (600/3600)^0.2 of it for 10 minutes.
LEAST_SIGMA_V_M_S = 0.2 * (600.0 / 3600.0) ** 0.2

# Wider than this the small-angle form sigma_y = sigma_theta x has no meaning.
_WIDEST_SIGMA_THETA_DEG = 60.0

_PATH_M = np.geomspace(0.1, 200_000.0, 600)


@dataclass(frozen=True, slots=True)
class GrowthCurve:
    """Tables over the path s [m]: spread [m], time since release [s] and distance moved over the ground [m]."""

    path: FloatArray
    sigma_y: FloatArray
    sigma_z: FloatArray
    time: FloatArray
    drift: FloatArray
    speed: FloatArray

    def spread_at(self, path_m: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return (sigma_y, sigma_z) [m] after a path [m]."""
        return _interpolate(path_m, self.path, self.sigma_y), _interpolate(path_m, self.path, self.sigma_z)

    def transport_speed(self, path_m: npt.ArrayLike) -> FloatArray:
        """Return the speed [m/s] at which gas moves over the ground after a path [m]."""
        return _interpolate(path_m, self.path, self.speed)

    def travel_time(self, path_m: npt.ArrayLike) -> FloatArray:
        """Return the time [s] that a path [m] takes from the release."""
        return _interpolate(path_m, self.path, self.time)

    def path_after(self, time_s: npt.ArrayLike) -> FloatArray:
        """Return the path [m] after a time [s] since release."""
        return _interpolate(time_s, self.time, self.path)

    def path_of_sigma_y(self, sigma_m: npt.ArrayLike) -> FloatArray:
        """Return the virtual path [m] after which sigma_y has this value."""
        return _interpolate(sigma_m, self.sigma_y, self.path)

    def path_of_sigma_z(self, sigma_m: npt.ArrayLike) -> FloatArray:
        """Return the virtual path [m] after which sigma_z has this value."""
        return _interpolate(sigma_m, self.sigma_z, self.path)

    def path_of_drift(self, distance_m: npt.ArrayLike) -> FloatArray:
        """Return the path [m] after which gas has moved this far over the ground [m]."""
        return _interpolate(distance_m, self.drift, self.path)

    def drift_at(self, path_m: npt.ArrayLike) -> FloatArray:
        """Return the distance [m] moved over the ground after a path [m]."""
        return _interpolate(path_m, self.path, self.drift)


def growth_curve(
    weather: Meteorology, release_height_m: float, averaging_s: float = REFERENCE_AVERAGING_S
) -> GrowthCurve:
    """Tabulate growth and travel in one weather.

    Parameters
    ----------
    weather : steady weather.
    release_height_m : height of the source [m].
    averaging_s : averaging time of the concentrations [s].

    Lateral spread comes from the measured sigma_theta where there is one, never below `LEAST_SIGMA_V_M_S` / u;
    else from Pasquill-Gifford.
    """
    sigma_z = np.maximum.accumulate(sigma_z_m(_PATH_M, weather.stability, weather.roughness_m))
    # Tables are inverted, so they must rise strictly even where a fit is capped.
    sigma_z = sigma_z + 1e-9 * _PATH_M
    height = np.maximum(np.hypot(release_height_m, 0.6 * sigma_z), 0.5)
    ceiling = weather.mixing_height_m
    speed = weather.wind_at(np.minimum(height, ceiling))
    growth_speed = np.maximum(speed, CALM_GROWTH_M_S)
    time = running_integral(1.0 / growth_speed)
    drift = running_integral(speed / growth_speed)
    if weather.sigma_theta_deg is None:
        sigma_y = sigma_y_m(_PATH_M, weather.stability, averaging_s)
    else:
        least_deg = math.degrees(LEAST_SIGMA_V_M_S / max(weather.wind_speed_m_s, CALM_GROWTH_M_S))
        angle = min(max(weather.sigma_theta_deg, least_deg), _WIDEST_SIGMA_THETA_DEG)
        sigma_y = sigma_y_from_direction_m(_PATH_M, time, angle, release_height_m) * averaging_factor(averaging_s)
    sigma_y = np.maximum.accumulate(sigma_y) + 1e-9 * _PATH_M
    return GrowthCurve(_PATH_M, sigma_y, sigma_z, time, drift, speed)


def running_integral(integrand: FloatArray) -> FloatArray:
    """Return the integral over the path from 0 at each of its nodes, by trapezoids; constant before the first node."""
    steps = 0.5 * (integrand[1:] + integrand[:-1]) * np.diff(_PATH_M)
    return np.concatenate(([integrand[0] * _PATH_M[0]], integrand[0] * _PATH_M[0] + np.cumsum(steps)))


def _interpolate(at: npt.ArrayLike, x: FloatArray, y: FloatArray) -> FloatArray:
    return np.asarray(np.interp(np.asarray(at, dtype=np.float64), x, y), dtype=np.float64)
