"""Turbulence near the ground by surface-layer similarity.

Notes
-----
Mean wind: logarithmic with Businger-Dyer stability functions [1]_. Vertical spread of velocity
sigma_w = 1.3 u* in neutral and stable air, 1.3 u* (1 - 3 z/L)^(1/3) in unstable air [2]_. Dissipation
eps = u*^3 / (k z) phi_eps with the Kaimal-Finnigan forms [3]_, and the Lagrangian time scale that a
Langevin model asks for, T_L = 2 sigma^2 / (C0 eps) [4]_.

References
----------
.. [1] Dyer (1974), Boundary-Layer Meteorology 7, doi:10.1007/BF00240838.
.. [2] Panofsky et al. (1977), Boundary-Layer Meteorology 11, doi:10.1007/BF02186086.
.. [3] Kaimal and Finnigan (1994), Atmospheric Boundary Layer Flows, chapter 1.
.. [4] Thomson (1987), Journal of Fluid Mechanics 180, doi:10.1017/S0022112087001940.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from simulator.geometry import Floats

VON_KARMAN = 0.4
KOLMOGOROV_C0 = 4.0  # between 3 and 5 in the surface layer (Rodean 1996)
SIGMA_W_OVER_USTAR = 1.3
SIGMA_U_OVER_USTAR = 2.4
SIGMA_V_OVER_USTAR = 1.9
ANEMOMETER_HEIGHT_M = 10.0
# Below this height the profiles are held: T_L would go to zero and ask for endless small steps.
LOWEST_HEIGHT_M = 1.5


@dataclass(frozen=True)
class SurfaceLayer:
    """The state of the air near the ground.

    Parameters: friction velocity [m/s], inverse Obukhov length [1/m] (0 neutral, negative unstable),
    roughness length [m], height of the lid [m].
    """

    friction_velocity: float
    inverse_obukhov: float = 0.0
    roughness_m: float = 0.2
    lid_m: float = 800.0

    @classmethod
    def from_wind(
        cls,
        speed_10m: float,
        inverse_obukhov: float = 0.0,
        roughness_m: float = 0.2,
        lid_m: float = 800.0,
    ) -> SurfaceLayer:
        """The layer in which the mean wind at 10 m has this speed [m/s]."""
        unit = cls(1.0, inverse_obukhov, roughness_m, lid_m)
        at_ten = float(unit.mean_wind(np.array([ANEMOMETER_HEIGHT_M]))[0])
        return replace(unit, friction_velocity=max(speed_10m, 0.1) / at_ten)

    def mean_wind(self, height_m: Floats) -> Floats:
        """Mean wind speed [m/s] at each height."""
        z = np.maximum(height_m, LOWEST_HEIGHT_M)
        psi = stability_correction(z * self.inverse_obukhov)
        return self.friction_velocity / VON_KARMAN * (np.log(z / self.roughness_m) - psi)

    def sigma_w(self, height_m: Floats) -> Floats:
        """Standard deviation of the vertical velocity [m/s] at each height."""
        z = np.maximum(height_m, LOWEST_HEIGHT_M)
        instability = np.maximum(-3.0 * z * self.inverse_obukhov, 0.0)
        return SIGMA_W_OVER_USTAR * self.friction_velocity * np.cbrt(1.0 + instability)

    def variance_gradient(self, height_m: Floats) -> Floats:
        """Derivative of the vertical velocity variance by height [m/s2]; zero in neutral air."""
        if self.inverse_obukhov >= 0.0:
            return np.zeros_like(height_m)
        slope = -3.0 * self.inverse_obukhov
        z = np.maximum(height_m, LOWEST_HEIGHT_M)
        variance = (SIGMA_W_OVER_USTAR * self.friction_velocity) ** 2
        gradient = variance * 2.0 / 3.0 * slope / np.cbrt(1.0 + slope * z)
        return np.where(height_m > LOWEST_HEIGHT_M, gradient, 0.0)

    def dissipation(self, height_m: Floats) -> Floats:
        """Dissipation rate of turbulent energy [m2/s3] at each height."""
        z = np.maximum(height_m, LOWEST_HEIGHT_M)
        zeta = z * self.inverse_obukhov
        phi = 1.0 + 5.0 * zeta if self.inverse_obukhov >= 0.0 else (1.0 + 0.5 * np.cbrt(zeta) ** 2) ** 1.5
        return self.friction_velocity**3 / (VON_KARMAN * z) * phi

    def vertical_time_scale(self, height_m: Floats) -> Floats:
        """Lagrangian time scale of the vertical velocity [s] at each height."""
        return 2.0 * self.sigma_w(height_m) ** 2 / (KOLMOGOROV_C0 * self.dissipation(height_m))

    def sigma_u(self) -> float:
        """Standard deviation of the velocity along the wind [m/s]."""
        return SIGMA_U_OVER_USTAR * self.friction_velocity

    def sigma_v(self) -> float:
        """Standard deviation of the velocity across the wind [m/s]."""
        return SIGMA_V_OVER_USTAR * self.friction_velocity


def stability_correction(zeta: Floats) -> Floats:
    """Businger-Dyer psi_m of z/L: negative in stable air, positive in unstable air."""
    stable = -5.0 * np.clip(zeta, 0.0, 1.0)
    x = np.sqrt(np.sqrt(1.0 - 16.0 * np.minimum(zeta, 0.0)))
    unstable = 2.0 * np.log((1.0 + x) / 2.0) + np.log((1.0 + x**2) / 2.0) - 2.0 * np.arctan(x) + math.pi / 2.0
    return np.where(zeta >= 0.0, stable, unstable)


def inverse_obukhov_at(hour: float) -> float:
    """A plain day [1/m]: mildly unstable around noon, mildly stable at night, neutral between.

    `hour` is the local hour, 0 up to 24. The amplitude 1/200 m is a light-wind spring day on a coast.
    """
    height_of_sun = math.cos((hour - 13.0) / 24.0 * 2.0 * math.pi)
    return -0.005 * math.copysign(max(abs(height_of_sun) - 0.3, 0.0) / 0.7, height_of_sun)
