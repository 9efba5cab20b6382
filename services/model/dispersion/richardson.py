"""Is the gas dense? The Richardson number of HJ 169-2018, Appendix G."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GRAVITY_M_S2 = 9.81
GAS_CONSTANT_J_MOL_K = 8.314
AIR_MOLAR_MASS_KG_MOL = 0.028964

CONTINUOUS_CUT_OFF = 1.0 / 6.0
INSTANTANEOUS_CUT_OFF = 0.04


@dataclass(frozen=True, slots=True)
class DenseGasDecision:
    """The number, the cut-off it was held against, and what follows.

    `value` is None when the gas is not denser than air: then the formula has no meaning and the gas is light.
    """

    mode: Literal["continuous", "instantaneous"]
    value: float | None
    cut_off: float
    dense: bool
    gas_density_kg_m3: float
    air_density_kg_m3: float
    source_diameter_m: float


def ideal_gas_density(molar_mass_kg_mol: float, temperature_k: float, pressure_pa: float) -> float:
    """Return p M / (R T) [kg/m3]."""
    return pressure_pa * molar_mass_kg_mol / (GAS_CONSTANT_J_MOL_K * temperature_k)


def continuous_richardson(
    rate_kg_s: float, gas_density: float, air_density: float, diameter_m: float, wind_10m_m_s: float
) -> float:
    """Return Ri of a continuous release: [g (Q / rho) / D (rho - rho_a) / rho_a]^(1/3) / U (eq. G.2)."""
    buoyancy = GRAVITY_M_S2 * (rate_kg_s / gas_density) / diameter_m * (gas_density - air_density) / air_density
    return float(buoyancy ** (1.0 / 3.0) / wind_10m_m_s)


def instantaneous_richardson(mass_kg: float, gas_density: float, air_density: float, wind_10m_m_s: float) -> float:
    """Return Ri of a sudden release: g (Qt / rho)^(1/3) / U^2 (rho - rho_a) / rho_a (eq. G.3)."""
    length = (mass_kg / gas_density) ** (1.0 / 3.0)
    return float(GRAVITY_M_S2 * length / wind_10m_m_s**2 * (gas_density - air_density) / air_density)


def decide(
    *,
    rate_kg_s: float,
    duration_s: float,
    molar_mass_g_mol: float,
    gas_temperature_k: float,
    air_temperature_k: float,
    pressure_pa: float,
    wind_10m_m_s: float,
    diameter_m: float,
    nearest_receptor_m: float,
) -> DenseGasDecision:
    """Apply Appendix G: continuous when the release outlasts T = 2 X / U, else instantaneous.

    Wind below 0.5 m/s counts as 0.5 m/s, since both forms divide by it.
    """
    wind = max(wind_10m_m_s, 0.5)
    gas = ideal_gas_density(molar_mass_g_mol / 1000.0, gas_temperature_k, pressure_pa)
    air = ideal_gas_density(AIR_MOLAR_MASS_KG_MOL, air_temperature_k, pressure_pa)
    continuous = duration_s > 2.0 * nearest_receptor_m / wind
    mode: Literal["continuous", "instantaneous"] = "continuous" if continuous else "instantaneous"
    cut_off = CONTINUOUS_CUT_OFF if continuous else INSTANTANEOUS_CUT_OFF
    if gas <= air:
        return DenseGasDecision(mode, None, cut_off, False, gas, air, diameter_m)
    if continuous:
        value = continuous_richardson(rate_kg_s, gas, air, diameter_m, wind)
        dense = value >= cut_off
    else:
        value = instantaneous_richardson(rate_kg_s * duration_s, gas, air, wind)
        dense = value > cut_off
    return DenseGasDecision(mode, value, cut_off, dense, gas, air, diameter_m)
