"""The wind's profile with height in the surface layer (Monin-Obukhov similarity).

References
----------
.. [1] Businger et al. (1971), J. Atmos. Sci. 28, 181-189; Dyer (1974), Boundary-Layer Meteorol. 7, 363-372,
   doi:10.1007/BF00240838.
.. [2] Paulson (1970), J. Appl. Meteorol. 9, 857-861 (integrated form, unstable).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

VON_KARMAN = 0.4


def stability_function(height_over_length: npt.ArrayLike) -> FloatArray:
    """Return psi_m(z/L), dimensionless: Dyer's for stable air, Paulson's integral [2] for unstable.

    Past z/L = 1 the stable form is continued with a logarithm, since the linear law is not observed there.
    """
    zeta = np.asarray(height_over_length, dtype=np.float64)
    stable = np.where(zeta <= 1.0, -5.0 * zeta, -5.0 * (1.0 + np.log(np.maximum(zeta, 1.0))))
    x = (1.0 - 16.0 * np.minimum(zeta, 0.0)) ** 0.25
    unstable = 2.0 * np.log((1.0 + x) / 2.0) + np.log((1.0 + x**2) / 2.0) - 2.0 * np.arctan(x) + np.pi / 2.0
    return np.where(zeta >= 0.0, stable, unstable)


def wind_shape(height_m: npt.ArrayLike, roughness_m: float, inverse_length_per_m: float) -> FloatArray:
    """Return kappa u(z) / u*, dimensionless, at heights [m] (never below 2 z0, where the law ends)."""
    z = np.maximum(np.asarray(height_m, dtype=np.float64), 2.0 * roughness_m)
    return (
        np.log(z / roughness_m)
        - stability_function(z * inverse_length_per_m)
        + stability_function(roughness_m * inverse_length_per_m)
    )


def wind_at(
    height_m: npt.ArrayLike,
    wind_speed_m_s: float,
    wind_height_m: float,
    roughness_m: float,
    inverse_length_per_m: float,
) -> FloatArray:
    """Return the wind [m/s] at heights [m] from one measured at `wind_height_m` [m]."""
    measured = wind_shape(wind_height_m, roughness_m, inverse_length_per_m)
    return np.asarray(wind_speed_m_s * wind_shape(height_m, roughness_m, inverse_length_per_m) / measured)


def friction_velocity(
    wind_speed_m_s: float, wind_height_m: float, roughness_m: float, inverse_length_per_m: float
) -> float:
    """Return u* [m/s] from a wind measured at one height."""
    shape = wind_shape(wind_height_m, roughness_m, inverse_length_per_m)
    return float(VON_KARMAN * wind_speed_m_s / shape)
