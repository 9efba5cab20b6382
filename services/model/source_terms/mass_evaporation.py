"""What the wind carries off a pool: HJ 169-2018, eq. F.12 and Table F.3."""

from __future__ import annotations

from services.model.source_terms.constants import GAS_CONSTANT_J_MOL_K
from services.model.source_terms.errors import (
    require_not_negative,
    require_positive,
    require_within,
)

# HJ 169-2018, Table F.3: (n, alpha). Class C is not printed there and takes D's.
_UNSTABLE, _NEUTRAL, _STABLE = (0.2, 3.846e-3), (0.25, 4.685e-3), (0.3, 5.285e-3)
_BY_CLASS = (_UNSTABLE, _UNSTABLE, _NEUTRAL, _NEUTRAL, _STABLE, _STABLE)


def stability_coefficients(stability: float) -> tuple[float, float]:
    """Return n and alpha [1] of a stability from 1 (A) to 6 (F), linear between two classes. Raises `OutOfRange`."""
    require_within("stability class", stability, 1.0, 6.0, "")
    below = min(int(stability), 5)
    share = stability - below
    (n_low, alpha_low), (n_high, alpha_high) = _BY_CLASS[below - 1], _BY_CLASS[below]
    return n_low + share * (n_high - n_low), alpha_low + share * (alpha_high - alpha_low)


def mass_evaporation(
    vapour_pressure_pa: float,
    molar_mass_kg_mol: float,
    temperature_k: float,
    wind_m_s: float,
    radius_m: float,
    stability: float,
) -> float:
    """Return the rate [kg/s]: Q3 = alpha p M / (R T0) u^((2 - n) / (2 + n)) r^((4 + n) / (2 + n)) (eq. F.12).

    Parameters
    ----------
    vapour_pressure_pa : of the liquid at its surface [Pa].
    molar_mass_kg_mol : [kg/mol].
    temperature_k : of the surroundings [K].
    wind_m_s : wind speed [m/s], up to 60.
    radius_m : of the pool [m].
    stability : 1 (A) to 6 (F).

    Raises `OutOfRange`.
    """
    require_not_negative("vapour pressure", vapour_pressure_pa, "Pa")
    require_positive("molar mass", molar_mass_kg_mol, "kg/mol")
    require_positive("ambient temperature", temperature_k, "K")
    require_within("wind speed", wind_m_s, 0.0, 60.0, "m/s")
    require_not_negative("pool radius", radius_m, "m")
    n, alpha = stability_coefficients(stability)
    density = vapour_pressure_pa * molar_mass_kg_mol / (GAS_CONSTANT_J_MOL_K * temperature_k)
    return float(alpha * density * wind_m_s ** ((2.0 - n) / (2.0 + n)) * radius_m ** ((4.0 + n) / (2.0 + n)))
