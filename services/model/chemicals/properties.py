"""Physical properties of one substance, from `properties.csv`: what a source term needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.model.chemicals.sourced import Sourced


@dataclass(frozen=True, slots=True)
class Properties:
    """Each with its source; None where the tables have none: nothing is guessed.

    boiling_point [degC] at 101.325 kPa; heat_of_vaporisation [J/kg] at the boiling point; heat_capacity_liquid
    [J/(kg K)]; liquid_density [kg/m3] at 20 deg C; heat_capacity_ratio of the gas, cp / cv [1]; critical_quantity [t]
    of HJ 169-2018, Appendix B.
    """

    boiling_point: Sourced | None = None
    heat_of_vaporisation: Sourced | None = None
    heat_capacity_liquid: Sourced | None = None
    liquid_density: Sourced | None = None
    heat_capacity_ratio: Sourced | None = None
    critical_quantity: Sourced | None = None


def properties_from_rows(rows: Iterable[Mapping[str, str]]) -> Properties:
    """Read the rows of one substance."""
    return Properties(
        **{
            row["property"]: Sourced(float(row["value"]), row["unit"], row["source"], row["verified"] == "yes")
            for row in rows
        }
    )
