"""How far a spilled liquid spreads, with and without a bund: HJ 169-2018, under eq. F.12."""

from __future__ import annotations

from math import pi, sqrt

from services.model.source_terms.errors import require_not_negative, require_positive
from services.model.source_terms.heat_evaporation import SurfaceName

# The thinnest layer that a liquid forms [m]. From memory: the standard names the depth and gives no table.
LEAST_DEPTH_M: dict[SurfaceName, float] = {
    "cement": 0.005,
    "moist-soil": 0.020,
    "dry-soil": 0.020,
    "wet-land": 0.020,
    "gravel": 0.025,
}


def pool_area(volume_m3: float, least_depth_m: float, bund_area_m2: float | None = None) -> float:
    """Return the area [m2]: volume / least depth, and no more than the bund's.

    `volume_m3` [m3] of the spill, `least_depth_m` [m], `bund_area_m2` [m2] or None without a bund. Raises `OutOfRange`.
    """
    require_not_negative("spilled volume", volume_m3, "m3")
    require_positive("least depth of the pool", least_depth_m, "m")
    free = volume_m3 / least_depth_m
    if bund_area_m2 is None:
        return free
    require_positive("bund area", bund_area_m2, "m2")
    return min(free, bund_area_m2)


def equivalent_radius(area_m2: float) -> float:
    """Return r = sqrt(S / pi) [m] of an area [m2]."""
    require_not_negative("pool area", area_m2, "m2")
    return sqrt(area_m2 / pi)


def evaporated_mass(
    flash_kg_s: float, flash_s: float, heat_kg_s: float, heat_s: float, mass_kg_s: float, mass_s: float
) -> float:
    """Return Wp = Q1 t1 + Q2 t2 + Q3 t3 [kg] (eq. F.13) of constant rates [kg/s] and times [s]. Raises `OutOfRange`."""
    for quantity, value in (("evaporation rate", rate) for rate in (flash_kg_s, heat_kg_s, mass_kg_s)):
        require_not_negative(quantity, value, "kg/s")
    for quantity, value in (("evaporation time", time) for time in (flash_s, heat_s, mass_s)):
        require_not_negative(quantity, value, "s")
    return flash_kg_s * flash_s + heat_kg_s * heat_s + mass_kg_s * mass_s
