"""Outflow of a gas through a hole: HJ 169-2018, eqs. F.2 to F.5."""

from __future__ import annotations

from math import sqrt

from services.model.source_terms.constants import ATMOSPHERE_PA, GAS_CONSTANT_J_MOL_K
from services.model.source_terms.errors import (
    OutOfRange,
    require_not_negative,
    require_positive,
    require_within,
)


def critical_pressure_ratio(heat_capacity_ratio: float) -> float:
    """Return the P0 / P at or below which the flow is sonic: (2 / (gamma + 1))^(gamma / (gamma - 1)) (eq. F.2)."""
    _require_gamma(heat_capacity_ratio)
    gamma = heat_capacity_ratio
    return float((2.0 / (gamma + 1.0)) ** (gamma / (gamma - 1.0)))


def is_critical(pressure_pa: float, heat_capacity_ratio: float, ambient_pa: float = ATMOSPHERE_PA) -> bool:
    """Whether the flow is sonic (eq. F.2), else subsonic (eq. F.3); pressures absolute [Pa]."""
    require_positive("pressure in the vessel", pressure_pa, "Pa")
    return ambient_pa / pressure_pa <= critical_pressure_ratio(heat_capacity_ratio)


def outflow_coefficient(pressure_pa: float, heat_capacity_ratio: float, ambient_pa: float = ATMOSPHERE_PA) -> float:
    """Return Y [1]: 1 for sonic flow, below it for subsonic flow (eq. F.5), 0 where nothing drives the flow."""
    require_positive("ambient pressure", ambient_pa, "Pa")
    if is_critical(pressure_pa, heat_capacity_ratio, ambient_pa):
        return 1.0
    if pressure_pa <= ambient_pa:
        return 0.0
    gamma, ratio = heat_capacity_ratio, ambient_pa / pressure_pa
    exponent = (gamma + 1.0) / (gamma - 1.0)
    scale = sqrt(2.0 / (gamma - 1.0) * ((gamma + 1.0) / 2.0) ** exponent)
    driven = sqrt(max(1.0 - ratio ** ((gamma - 1.0) / gamma), 0.0))
    return min(float(ratio ** (1.0 / gamma) * driven * scale), 1.0)


def gas_outflow(
    discharge_coefficient: float,
    area_m2: float,
    pressure_pa: float,
    molar_mass_kg_mol: float,
    heat_capacity_ratio: float,
    temperature_k: float,
    ambient_pa: float = ATMOSPHERE_PA,
) -> float:
    """Return the rate [kg/s] of an ideal gas (eq. F.4).

    QG = Y Cd A P sqrt(M gamma / (R T) (2 / (gamma + 1))^((gamma + 1) / (gamma - 1)))

    Parameters
    ----------
    discharge_coefficient : Cd [1], 0 to 1.
    area_m2 : of the hole [m2].
    pressure_pa, ambient_pa : absolute, in the vessel and outside [Pa].
    molar_mass_kg_mol : [kg/mol].
    heat_capacity_ratio : cp / cv [1], above 1 and up to 1.7.
    temperature_k : of the gas in the vessel [K].

    Raises `OutOfRange`.
    """
    require_within("discharge coefficient", discharge_coefficient, 0.0, 1.0, "")
    require_not_negative("hole area", area_m2, "m2")
    require_positive("molar mass", molar_mass_kg_mol, "kg/mol")
    require_positive("gas temperature", temperature_k, "K")
    gamma = heat_capacity_ratio
    share = outflow_coefficient(pressure_pa, gamma, ambient_pa)
    sonic = (2.0 / (gamma + 1.0)) ** ((gamma + 1.0) / (gamma - 1.0))
    flux = pressure_pa * sqrt(molar_mass_kg_mol * gamma / (GAS_CONSTANT_J_MOL_K * temperature_k) * sonic)
    return share * discharge_coefficient * area_m2 * flux


def _require_gamma(heat_capacity_ratio: float) -> None:
    if not 1.0 < heat_capacity_ratio <= 1.7:
        raise OutOfRange("heat capacity ratio", heat_capacity_ratio, "above 1 and up to 1.7")
