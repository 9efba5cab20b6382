"""The steady plume: what a constant release in steady wind comes to.

Used where time does not matter: source tracing and checks against field trials. In calm air it refuses; puffs do
that case.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.model.dispersion.growth import GrowthCurve, growth_curve
from services.model.dispersion.meteorology import Meteorology
from services.model.dispersion.profile import FloatArray
from services.model.dispersion.sigma import REFERENCE_AVERAGING_S
from services.model.dispersion.vertical import vertical_density

LEAST_PLUME_WIND_M_S = 0.5
INITIAL_SIGMA_M = 0.25


@dataclass(frozen=True, slots=True)
class Plume:
    """A plume of one source height in one weather; build with `plume`."""

    weather: Meteorology
    release_height_m: float
    curve: GrowthCurve
    initial_sigma_m: float

    def concentration(
        self, rate_kg_s: float, downwind_m: npt.ArrayLike, crosswind_m: npt.ArrayLike, height_m: npt.ArrayLike
    ) -> FloatArray:
        """Return concentrations [kg/m3], the broadcast shape of the coordinates; zero upwind.

        C = Q / (u sqrt(2 pi) sigma_y) exp(-y^2 / 2 sigma_y^2) V(z), u the transport speed at the receptor's
        distance (Turner 1970, eq. 3.1, with the wind at 0.6 sigma_z).
        """
        x = np.asarray(downwind_m, dtype=np.float64)
        y = np.asarray(crosswind_m, dtype=np.float64)
        path = np.maximum(x, 1e-3)
        sigma_y, sigma_z = self.curve.spread_at(path)
        sigma_y = np.hypot(sigma_y, self.initial_sigma_m)
        sigma_z = np.hypot(sigma_z, self.initial_sigma_m)
        speed = self.curve.transport_speed(path)
        vertical = vertical_density(height_m, self.release_height_m, sigma_z, self.weather.mixing_height_m)
        across = np.exp(-0.5 * (y / sigma_y) ** 2) / (np.sqrt(2.0 * np.pi) * sigma_y)
        return np.asarray(np.where(x > 0.0, rate_kg_s / speed * across * vertical, 0.0))

    def concentration_at(
        self,
        rate_kg_s: float,
        east_m: npt.ArrayLike,
        north_m: npt.ArrayLike,
        height_m: npt.ArrayLike,
    ) -> FloatArray:
        """Return concentrations [kg/m3] at points given in metres east and north of the source."""
        toward_east, toward_north = self.weather.toward
        e = np.asarray(east_m, dtype=np.float64)
        n = np.asarray(north_m, dtype=np.float64)
        return self.concentration(
            rate_kg_s, e * toward_east + n * toward_north, -e * toward_north + n * toward_east, height_m
        )


def plume(
    weather: Meteorology,
    release_height_m: float,
    averaging_s: float = REFERENCE_AVERAGING_S,
    initial_sigma_m: float = INITIAL_SIGMA_M,
) -> Plume:
    """Prepare a plume.

    Raises ValueError in calm air (below `LEAST_PLUME_WIND_M_S`), where a plume's formula divides by the wind.
    """
    if weather.wind_speed_m_s < LEAST_PLUME_WIND_M_S:
        raise ValueError(
            f"a plume needs a wind of at least {LEAST_PLUME_WIND_M_S} m/s, not {weather.wind_speed_m_s:g}: use puffs"
        )
    curve = growth_curve(weather, release_height_m, averaging_s)
    return Plume(weather, release_height_m, curve, initial_sigma_m)
