"""Outflow of a liquid through a hole: HJ 169-2018, eq. F.1 (Bernoulli)."""

from __future__ import annotations

from math import sqrt

from services.model.source_terms.constants import ATMOSPHERE_PA, GRAVITY_M_S2
from services.model.source_terms.errors import require_not_negative, require_positive, require_within


def liquid_outflow(
    discharge_coefficient: float,
    area_m2: float,
    density_kg_m3: float,
    pressure_pa: float,
    height_m: float,
    ambient_pa: float = ATMOSPHERE_PA,
) -> float:
    """Return the rate [kg/s]: QL = Cd A rho sqrt(2 (P - P0) / rho + 2 g h) (eq. F.1).

    Parameters
    ----------
    discharge_coefficient : Cd [1], 0 to 1.
    area_m2 : of the hole [m2].
    density_kg_m3 : of the liquid [kg/m3].
    pressure_pa, ambient_pa : absolute, in the vessel above the liquid and outside [Pa].
    height_m : of the liquid above the hole [m].

    Nothing flows (0) where the vessel's vacuum holds the liquid back. Raises `OutOfRange`.
    """
    require_within("discharge coefficient", discharge_coefficient, 0.0, 1.0, "")
    require_not_negative("hole area", area_m2, "m2")
    require_positive("liquid density", density_kg_m3, "kg/m3")
    require_not_negative("pressure in the vessel", pressure_pa, "Pa")
    require_positive("ambient pressure", ambient_pa, "Pa")
    require_not_negative("liquid height above the hole", height_m, "m")
    squared = 2.0 * (pressure_pa - ambient_pa) / density_kg_m3 + 2.0 * GRAVITY_M_S2 * height_m
    return discharge_coefficient * area_m2 * density_kg_m3 * sqrt(max(squared, 0.0))
