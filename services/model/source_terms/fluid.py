"""The properties of a substance that a source term needs."""

from __future__ import annotations

from dataclasses import dataclass

from services.model.chemicals.catalogue import Chemical
from services.model.chemicals.sourced import Sourced
from services.model.source_terms.constants import ATMOSPHERE_PA, GAS_CONSTANT_J_MOL_K, ZERO_CELSIUS_K
from services.model.source_terms.errors import MissingProperty
from services.model.source_terms.vapour_pressure import vapour_pressure


@dataclass(frozen=True, slots=True)
class Fluid:
    """One substance; None for what is not known.

    molar_mass_kg_mol [kg/mol]; heat_capacity_ratio cp / cv of the gas [1]; boiling_point_k [K] at 101.325 kPa;
    heat_of_vaporisation_j_kg [J/kg]; heat_capacity_liquid_j_kg_k [J/(kg K)]; liquid_density_kg_m3 [kg/m3];
    viscosity_pa_s of the liquid [Pa s]; vapour_pressure_pa [Pa] at the temperature of the surroundings.
    """

    name: str
    molar_mass_kg_mol: float | None = None
    heat_capacity_ratio: float | None = None
    boiling_point_k: float | None = None
    heat_of_vaporisation_j_kg: float | None = None
    heat_capacity_liquid_j_kg_k: float | None = None
    liquid_density_kg_m3: float | None = None
    viscosity_pa_s: float | None = None
    vapour_pressure_pa: float | None = None

    def need(self, quantity: str) -> float:
        """Return a property by its name here; raises `MissingProperty` where it is not known."""
        value: float | None = getattr(self, quantity)
        if value is None:
            raise MissingProperty(self.name, quantity)
        return value

    def vapour_pressure_at(self, temperature_k: float) -> float:
        """Return the vapour pressure [Pa] at a temperature [K]: the given one, else by Clausius and Clapeyron."""
        if self.vapour_pressure_pa is not None:
            return self.vapour_pressure_pa
        heat, mass = self.need("heat_of_vaporisation_j_kg"), self.need("molar_mass_kg_mol")
        return vapour_pressure(temperature_k, self.need("boiling_point_k"), heat, mass)

    def vapour_density(self, temperature_k: float, pressure_pa: float = ATMOSPHERE_PA) -> float:
        """Return the density [kg/m3] of the vapour as an ideal gas."""
        return pressure_pa * self.need("molar_mass_kg_mol") / (GAS_CONSTANT_J_MOL_K * temperature_k)


def fluid_of(entry: Chemical) -> Fluid:
    """Return what the catalogue knows of a substance, in SI units."""
    known = entry.properties
    boiling_c = _value(known.boiling_point)
    return Fluid(
        name=entry.name.en,
        molar_mass_kg_mol=None if entry.molar_mass_g_mol is None else entry.molar_mass_g_mol / 1000.0,
        heat_capacity_ratio=_value(known.heat_capacity_ratio),
        boiling_point_k=None if boiling_c is None else boiling_c + ZERO_CELSIUS_K,
        heat_of_vaporisation_j_kg=_value(known.heat_of_vaporisation),
        heat_capacity_liquid_j_kg_k=_value(known.heat_capacity_liquid),
        liquid_density_kg_m3=_value(known.liquid_density),
    )


def _value(known: Sourced | None) -> float | None:
    return None if known is None else known.value
