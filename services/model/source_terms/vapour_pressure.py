"""How the boiling point and the vapour pressure belong together, for an ideal vapour (Clausius and Clapeyron).

ln(p / p0) = H M / R (1 / Tb - 1 / T), with the heat of vaporisation H held constant: good to some tens of percent
within 60 K or so of the boiling point.
"""

from __future__ import annotations

from math import exp, log

from services.model.source_terms.constants import ATMOSPHERE_PA, GAS_CONSTANT_J_MOL_K
from services.model.source_terms.errors import OutOfRange, require_positive


def vapour_pressure(
    temperature_k: float, boiling_point_k: float, heat_of_vaporisation_j_kg: float, molar_mass_kg_mol: float
) -> float:
    """Return the vapour pressure [Pa] at a temperature [K].

    `boiling_point_k` [K] is at 101.325 kPa, the heat of vaporisation in J/kg, the molar mass in kg/mol. Raises
    `OutOfRange`.
    """
    require_positive("temperature", temperature_k, "K")
    steepness = _steepness_k(boiling_point_k, heat_of_vaporisation_j_kg, molar_mass_kg_mol)
    return ATMOSPHERE_PA * exp(min(steepness * (1.0 / boiling_point_k - 1.0 / temperature_k), 50.0))


def boiling_point_at(
    pressure_pa: float, boiling_point_k: float, heat_of_vaporisation_j_kg: float, molar_mass_kg_mol: float
) -> float:
    """Return the boiling point [K] at a pressure [Pa]; the rest as `vapour_pressure`."""
    require_positive("pressure", pressure_pa, "Pa")
    steepness = _steepness_k(boiling_point_k, heat_of_vaporisation_j_kg, molar_mass_kg_mol)
    inverse = 1.0 / boiling_point_k - log(pressure_pa / ATMOSPHERE_PA) / steepness
    if inverse <= 0.0:
        raise OutOfRange("pressure", pressure_pa, "below the pressure at which this vapour law ends")
    return 1.0 / inverse


def _steepness_k(boiling_point_k: float, heat_of_vaporisation_j_kg: float, molar_mass_kg_mol: float) -> float:
    require_positive("boiling point", boiling_point_k, "K")
    require_positive("heat of vaporisation", heat_of_vaporisation_j_kg, "J/kg")
    require_positive("molar mass", molar_mass_kg_mol, "kg/mol")
    return heat_of_vaporisation_j_kg * molar_mass_kg_mol / GAS_CONSTANT_J_MOL_K
