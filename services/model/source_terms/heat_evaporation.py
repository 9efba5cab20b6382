"""What the ground's heat boils off a pool: HJ 169-2018, eq. F.11 and Table F.2."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt
from typing import Literal

from services.model.source_terms.errors import require_not_negative, require_positive

SurfaceName = Literal["cement", "moist-soil", "dry-soil", "wet-land", "gravel"]


@dataclass(frozen=True, slots=True)
class Surface:
    """Heat conductivity [W/(m K)] and thermal diffusivity [m2/s] of the ground."""

    conductivity_w_m_k: float
    diffusivity_m2_s: float


# HJ 169-2018, Table F.2; moist soil holds 8 % of water.
SURFACES: dict[SurfaceName, Surface] = {
    "cement": Surface(1.1, 1.29e-7),
    "moist-soil": Surface(0.9, 4.3e-7),
    "dry-soil": Surface(0.3, 2.3e-7),
    "wet-land": Surface(0.6, 3.3e-7),
    "gravel": Surface(2.5, 11.0e-7),
}


def heat_evaporation(
    surface: Surface,
    area_m2: float,
    ground_k: float,
    boiling_point_k: float,
    heat_of_vaporisation_j_kg: float,
    time_s: float,
) -> float:
    """Return the rate [kg/s] at a time: Q2 = lambda S (T0 - Tb) / (H sqrt(pi alpha t)) (eq. F.11).

    Parameters
    ----------
    area_m2 : of the pool [m2].
    ground_k, boiling_point_k : [K]; 0 is returned for ground that is not warmer.
    heat_of_vaporisation_j_kg : [J/kg].
    time_s : since the liquid met the ground [s], above 0.

    Raises `OutOfRange`.
    """
    require_positive("time since the spill", time_s, "s")
    scale = _kg_per_root_second(surface, area_m2, ground_k, boiling_point_k, heat_of_vaporisation_j_kg)
    return scale / sqrt(time_s)


def mean_heat_evaporation(
    surface: Surface,
    area_m2: float,
    ground_k: float,
    boiling_point_k: float,
    heat_of_vaporisation_j_kg: float,
    start_s: float,
    end_s: float,
) -> float:
    """Return the mean rate [kg/s] of eq. F.11 between two times: finite also from 0 on. As `heat_evaporation` else."""
    require_not_negative("time since the spill", start_s, "s")
    require_positive("duration", end_s - start_s, "s")
    scale = _kg_per_root_second(surface, area_m2, ground_k, boiling_point_k, heat_of_vaporisation_j_kg)
    return scale * 2.0 / (sqrt(end_s) + sqrt(start_s))


def _kg_per_root_second(
    surface: Surface, area_m2: float, ground_k: float, boiling_point_k: float, heat_of_vaporisation_j_kg: float
) -> float:
    require_not_negative("pool area", area_m2, "m2")
    require_positive("ground temperature", ground_k, "K")
    require_positive("boiling point", boiling_point_k, "K")
    require_positive("heat of vaporisation", heat_of_vaporisation_j_kg, "J/kg")
    warmer_k = max(ground_k - boiling_point_k, 0.0)
    flux = surface.conductivity_w_m_k * warmer_k / sqrt(pi * surface.diffusivity_m2_s)
    return flux * area_m2 / heat_of_vaporisation_j_kg
