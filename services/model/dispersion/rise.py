"""How high a hot or light plume rises by its buoyancy (Briggs).

References
----------
.. [1] Briggs (1975), Plume rise predictions, in Lectures on Air Pollution and Environmental Impact Analyses, American
   Meteorological Society, 59-111; the forms as in EPA (1995), ISC3 User's Guide Vol. II, EPA-454/B-95-003b, 1.1.4.
.. [2] Pasquill (1976), EPA-600/4-76-030b: a rising plume entrains air, so its spread grows by rise / 3.5.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from services.model.dispersion.meteorology import Meteorology
from services.model.dispersion.profile import FloatArray
from services.model.dispersion.richardson import GRAVITY_M_S2

ENTRAINED_SHARE = 1.0 / 3.5

# [1] the potential temperature's gradient [K/m] in E and F; none in D. Between them interpolated.
_GRADIENT_K_M = ([4.0, 5.0, 6.0], [0.0, 0.020, 0.035])

# The forms divide by the wind; EPA takes no less.
_LEAST_WIND_M_S = 1.0

# The lid stops a plume; one that would break through it is taken to stay below.
_HIGHEST_SHARE_OF_LID = 0.95


def buoyancy_flux_m4_s3(rate_kg_s: float, gas_density_kg_m3: float, air_density_kg_m3: float) -> float:
    """Return F = g V / pi (1 - rho / rho_a) [m4/s3], V the volume [m3/s] of gas; 0 for gas denser than air.

    With V = Q / rho this is g Q (1 / rho - 1 / rho_a) / pi. It covers hot gas and light gas alike.
    """
    flux = GRAVITY_M_S2 * rate_kg_s * (1.0 / gas_density_kg_m3 - 1.0 / air_density_kg_m3) / math.pi
    return max(flux, 0.0)


def plume_rise_m(path_m: npt.ArrayLike, flux_m4_s3: float, weather: Meteorology, release_height_m: float) -> FloatArray:
    """Return the rise [m] above the source after a path [m], levelling off at the final rise.

    1.6 F^(1/3) x^(2/3) / u up to where the plume's own turbulence ends: x = 49 F^(5/8) (F < 55), 119 F^(2/5) above,
    or 2.07 u / sqrt(s) in stable air, s = g / T dtheta/dz [1]; in stable calm air not above 4 F^(1/4) s^(-3/8).
    """
    x = np.maximum(np.asarray(path_m, dtype=np.float64), 0.0)
    if flux_m4_s3 <= 0.0:
        return np.zeros_like(x)
    wind = max(float(weather.wind_at(max(release_height_m, 10.0))), _LEAST_WIND_M_S)
    end = 49.0 * flux_m4_s3**0.625 if flux_m4_s3 < 55.0 else 119.0 * flux_m4_s3**0.4
    highest = _HIGHEST_SHARE_OF_LID * weather.mixing_height_m - release_height_m
    gradient = float(np.interp(weather.stability, *_GRADIENT_K_M))
    if gradient > 0.0:
        stiffness = GRAVITY_M_S2 / (weather.temperature_c + 273.15) * gradient
        end = min(end, 2.0715 * wind / math.sqrt(stiffness))
        highest = min(highest, 4.0 * flux_m4_s3**0.25 * stiffness**-0.375)
    rise = 1.6 * flux_m4_s3 ** (1.0 / 3.0) * np.minimum(x, end) ** (2.0 / 3.0) / wind
    return np.asarray(np.minimum(rise, max(highest, 0.0)))


def final_rise_m(flux_m4_s3: float, weather: Meteorology, release_height_m: float) -> float:
    """Return the rise [m] at which the plume levels off."""
    return float(plume_rise_m(1e6, flux_m4_s3, weather, release_height_m))
