"""Outflow of a boiling mixture of liquid and vapour: HJ 169-2018, eqs. F.6 to F.8."""

from __future__ import annotations

from math import sqrt

from services.model.source_terms.errors import require_not_negative, require_positive, require_within

DISCHARGE_COEFFICIENT = 0.8
# The standard's text has "0.55 Pa"; what is meant is 0.55 of the pressure in the vessel.
CRITICAL_PRESSURE_SHARE = 0.55


def mixture_density(vapour_fraction: float, vapour_density_kg_m3: float, liquid_density_kg_m3: float) -> float:
    """Return rho_m = 1 / (Fv / rho_1 + (1 - Fv) / rho_2) [kg/m3] (eq. F.7); densities in kg/m3. Raises `OutOfRange`."""
    require_within("vapour fraction", vapour_fraction, 0.0, 1.0, "")
    require_positive("vapour density", vapour_density_kg_m3, "kg/m3")
    require_positive("liquid density", liquid_density_kg_m3, "kg/m3")
    return 1.0 / (vapour_fraction / vapour_density_kg_m3 + (1.0 - vapour_fraction) / liquid_density_kg_m3)


def two_phase_outflow(
    area_m2: float,
    mixture_density_kg_m3: float,
    pressure_pa: float,
    discharge_coefficient: float = DISCHARGE_COEFFICIENT,
) -> float:
    """Return the rate [kg/s]: QLG = Cd A sqrt(2 rho_m (P - Pc)) with Pc = 0.55 P (eq. F.6).

    Parameters
    ----------
    area_m2 : of the hole [m2].
    mixture_density_kg_m3 : `mixture_density` [kg/m3].
    pressure_pa : absolute, in the vessel [Pa].
    discharge_coefficient : Cd [1].

    Raises `OutOfRange`.
    """
    require_not_negative("hole area", area_m2, "m2")
    require_positive("mixture density", mixture_density_kg_m3, "kg/m3")
    require_positive("pressure in the vessel", pressure_pa, "Pa")
    require_within("discharge coefficient", discharge_coefficient, 0.0, 1.0, "")
    driving_pa = (1.0 - CRITICAL_PRESSURE_SHARE) * pressure_pa
    return discharge_coefficient * area_m2 * sqrt(2.0 * mixture_density_kg_m3 * driving_pa)
