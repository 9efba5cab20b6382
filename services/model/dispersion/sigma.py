"""How wide and how high a plume has grown after a distance.

Vertical spread: Pasquill-Gifford curves (ISC3 fits [1]) with the class interpolated in log sigma, scaled with the
roughness of the ground by (z0 / 0.03 m)^0.2 [2]. Lateral spread: from the measured standard deviation of wind
direction where there is one, as a function of travel time [3]; else Pasquill-Gifford, scaled with averaging time by
(t / 600 s)^0.2.

References
----------
.. [1] EPA (1995), User's Guide for the ISC3 Dispersion Models, Vol. II, EPA-454/B-95-003b, tables 1-1 and 1-2.
.. [2] Pasquill (1976), Atmospheric dispersion parameters in Gaussian plume modelling, EPA-600/4-76-030b.
.. [3] Draxler (1976), Determination of atmospheric diffusion parameters, Atmos. Environ. 10, 99-105:
   sigma_y = sigma_v t f, f = 1 / (1 + 0.9 sqrt(t / T)); T = 300 s for releases at the surface, 1000 s for elevated
   ones (the latter also in Irwin 1983, J. Clim. Appl. Meteorol. 22, 92-114). Between them T is interpolated here with
   the release's height.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from services.model.dispersion.profile import FloatArray
from services.model.dispersion.stability import CURVES_ROUGHNESS_M

REFERENCE_AVERAGING_S = 600.0

# [1] table 1-2, sigma_z [m] = a x^b with x in km: (x up to, a, b) for classes A to F.
_SIGMA_Z: tuple[tuple[tuple[float, float, float], ...], ...] = (
    (
        (0.10, 122.800, 0.94470),
        (0.15, 158.080, 1.05420),
        (0.20, 170.220, 1.09320),
        (0.25, 179.520, 1.12620),
        (0.30, 217.410, 1.26440),
        (0.40, 258.890, 1.40940),
        (0.50, 346.750, 1.72830),
        (math.inf, 453.850, 2.11660),
    ),
    ((0.20, 90.673, 0.93198), (0.40, 98.483, 0.98332), (math.inf, 109.300, 1.09710)),
    ((math.inf, 61.141, 0.91465),),
    (
        (0.30, 34.459, 0.86974),
        (1.00, 32.093, 0.81066),
        (3.00, 32.093, 0.64403),
        (10.0, 33.504, 0.60486),
        (30.0, 36.650, 0.56589),
        (math.inf, 44.053, 0.51179),
    ),
    (
        (0.10, 24.260, 0.83660),
        (0.30, 23.331, 0.81956),
        (1.00, 21.628, 0.75660),
        (2.00, 21.628, 0.63077),
        (4.00, 22.534, 0.57154),
        (10.0, 24.703, 0.50527),
        (20.0, 26.970, 0.46713),
        (40.0, 35.420, 0.37615),
        (math.inf, 47.618, 0.29592),
    ),
    (
        (0.20, 15.209, 0.81558),
        (0.70, 14.457, 0.78407),
        (1.00, 13.953, 0.68465),
        (2.00, 13.953, 0.63227),
        (3.00, 14.823, 0.54503),
        (7.00, 16.187, 0.46490),
        (15.0, 17.836, 0.41507),
        (30.0, 22.651, 0.32681),
        (60.0, 27.074, 0.27436),
        (math.inf, 34.219, 0.21716),
    ),
)
_SIGMA_Z_MAX_M = 5000.0

# [1] table 1-1, sigma_y [m] = 465.11628 x tan(c - d ln x), x in km, degrees; classes A to F.
_SIGMA_Y_C = (24.1670, 18.3330, 12.5000, 8.3330, 6.2500, 4.1667)
_SIGMA_Y_D = (2.5334, 1.8096, 1.0857, 0.72382, 0.54287, 0.36191)

# [3] Draxler's time scales. That a source counts as elevated from 100 m on is a choice made here.
_SURFACE_TIME_S = 300.0
_ELEVATED_TIME_S = 1000.0
_ELEVATED_M = 100.0


def sigma_z_m(distance_m: npt.ArrayLike, stability: float, roughness_m: float) -> FloatArray:
    """Return sigma_z [m] at travel distances [m] for a continuous stability and a roughness z0 [m]."""
    x_km = np.maximum(np.asarray(distance_m, dtype=np.float64), 1e-3) / 1000.0
    base = _between_classes(stability, lambda index: _curve_z(x_km, index))
    return np.asarray(np.minimum(base * (roughness_m / CURVES_ROUGHNESS_M) ** 0.2, _SIGMA_Z_MAX_M))


def sigma_y_m(distance_m: npt.ArrayLike, stability: float, averaging_s: float) -> FloatArray:
    """Return Pasquill-Gifford sigma_y [m] at travel distances [m], for an averaging time [s]."""
    x_km = np.maximum(np.asarray(distance_m, dtype=np.float64), 1e-3) / 1000.0
    base = _between_classes(stability, lambda index: _curve_y(x_km, index))
    return np.asarray(base * averaging_factor(averaging_s))


def sigma_y_from_direction_m(
    distance_m: npt.ArrayLike, travel_time_s: npt.ArrayLike, sigma_theta_deg: float, release_height_m: float
) -> FloatArray:
    """Return sigma_y [m] from the standard deviation of wind direction [deg] ([3]); no class is involved.

    Parameters
    ----------
    distance_m, travel_time_s : path [m] and the time [s] that it took, of one shape.
    sigma_theta_deg : standard deviation of wind direction; its averaging time becomes that of the concentrations.
    release_height_m : height of the source [m].

    Time, not distance, limits the spread: eddies are outlived, so a slow cloud spreads by less than its path times
    sigma_theta. A function of distance alone knows nothing of calm or turning wind.
    """
    scale = float(np.interp(release_height_m, [0.0, _ELEVATED_M], [_SURFACE_TIME_S, _ELEVATED_TIME_S]))
    x = np.maximum(np.asarray(distance_m, dtype=np.float64), 0.0)
    time = np.maximum(np.asarray(travel_time_s, dtype=np.float64), 0.0)
    return np.asarray(math.radians(sigma_theta_deg) * x / (1.0 + 0.9 * np.sqrt(time / scale)))


def averaging_factor(averaging_s: float) -> float:
    """Return (t / 600 s)^0.2: how the lateral spread grows with averaging time; PG curves hold for 10 minutes."""
    if not (1.0 <= averaging_s <= 7200.0):
        raise ValueError(f"averaging time is {averaging_s:g} s: it must lie between 1 and 7200 s")
    return float((averaging_s / REFERENCE_AVERAGING_S) ** 0.2)


def _between_classes(stability: float, curve: Callable[[int], FloatArray]) -> FloatArray:
    lower = min(int(stability), 5)
    share = stability - lower
    first = np.log(curve(lower - 1))
    if share == 0.0:
        return np.asarray(np.exp(first))
    return np.asarray(np.exp((1.0 - share) * first + share * np.log(curve(lower))))


def _curve_z(x_km: FloatArray, index: int) -> FloatArray:
    pieces = _SIGMA_Z[index]
    which = np.searchsorted([piece[0] for piece in pieces[:-1]], x_km, side="left")
    a = np.array([piece[1] for piece in pieces])[which]
    b = np.array([piece[2] for piece in pieces])[which]
    return np.asarray(np.minimum(a * x_km**b, _SIGMA_Z_MAX_M))


def _curve_y(x_km: FloatArray, index: int) -> FloatArray:
    # Past 100 km the fit's angle would shrink to nothing; no run goes there.
    angle = np.radians(_SIGMA_Y_C[index] - _SIGMA_Y_D[index] * np.log(np.minimum(x_km, 100.0)))
    return np.asarray(465.11628 * x_km * np.tan(angle))
