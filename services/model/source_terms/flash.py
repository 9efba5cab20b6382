"""What boils off at once when a liquid above its boiling point gets out: HJ 169-2018, eqs. F.8 to F.10."""

from __future__ import annotations

from services.model.source_terms.errors import require_not_negative, require_positive


def flash_fraction(
    temperature_k: float, boiling_point_k: float, heat_capacity_j_kg_k: float, heat_of_vaporisation_j_kg: float
) -> float:
    """Return the share that becomes vapour [1], 0 to 1: Fv = Cp (T - Tb) / H (eq. F.9; F.8 with Tb at Pc).

    Parameters
    ----------
    temperature_k : of the liquid before it gets out [K].
    boiling_point_k : at the pressure that it gets to [K].
    heat_capacity_j_kg_k : of the liquid [J/(kg K)].
    heat_of_vaporisation_j_kg : [J/kg].

    0 for a liquid below its boiling point; 1 where there is heat for more than all. Raises `OutOfRange`.
    """
    require_positive("liquid temperature", temperature_k, "K")
    require_positive("boiling point", boiling_point_k, "K")
    require_positive("heat capacity of the liquid", heat_capacity_j_kg_k, "J/(kg K)")
    require_positive("heat of vaporisation", heat_of_vaporisation_j_kg, "J/kg")
    share = heat_capacity_j_kg_k * (temperature_k - boiling_point_k) / heat_of_vaporisation_j_kg
    return min(max(share, 0.0), 1.0)


def flash_evaporation(liquid_rate_kg_s: float, fraction: float) -> float:
    """Return Q1 = QL Fv [kg/s] (eq. F.10) of an outflow [kg/s] and the share that flashes [1]."""
    require_not_negative("liquid outflow", liquid_rate_kg_s, "kg/s")
    require_not_negative("flash fraction", fraction, "")
    return liquid_rate_kg_s * min(fraction, 1.0)
