"""How a vessel empties: pressure and level fall with what is left in it.

A hole's rate depends on the mass that is left alone, so the time to come down to it is the integral of dm / Q(m). The
mass is cut into equal parts; a part's rate is taken at its middle. No mass is lost or made by that, and no rate can be
negative; the error falls with the square of the number of parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from services.model.source_terms.constants import ATMOSPHERE_PA, GRAVITY_M_S2
from services.model.source_terms.errors import OutOfRange, require_positive
from services.model.source_terms.gas import gas_outflow
from services.model.source_terms.liquid import liquid_outflow
from services.model.source_terms.result import FloatArray

PARTS = 400


@dataclass(frozen=True, slots=True)
class Emptying:
    """What has left a vessel: times (n,) [s] from 0, rising, and the mass (n,) [kg] that has left until each."""

    times_s: FloatArray
    left_kg: FloatArray

    def until(self, time_s: float) -> Emptying:
        """The same, shut at a time [s]."""
        if time_s >= self.times_s[-1]:
            return self
        before = self.times_s < time_s
        mass = np.interp(time_s, self.times_s, self.left_kg)
        return Emptying(np.append(self.times_s[before], time_s), np.append(self.left_kg[before], mass))

    def mean_rates(self, edges_s: FloatArray) -> FloatArray:
        """Return the mean rate [kg/s] between edges (m,) [s], shape (m - 1,); between them the mass is exact."""
        return np.asarray(np.diff(np.interp(edges_s, self.times_s, self.left_kg)) / np.diff(edges_s))


def empty(mass_kg: float, rest_kg: float, rate_of: Callable[[float], float], parts: int = PARTS) -> Emptying:
    """Empty a vessel from `mass_kg` down to `rest_kg` [kg], its rate [kg/s] given by the mass [kg] that is left.

    The rate has to be above zero all the way. Raises `OutOfRange` where there is nothing to lose.
    """
    require_positive("mass in the vessel", mass_kg, "kg")
    masses = np.linspace(mass_kg, min(rest_kg, mass_kg), parts + 1)
    rates = np.array([rate_of(float(middle)) for middle in (masses[:-1] + masses[1:]) / 2.0])
    if rest_kg >= mass_kg or rates.min() <= 0.0:
        raise OutOfRange("pressure in the vessel", "too low", "above what holds the content back")
    left = mass_kg - masses
    return Emptying(np.concatenate(([0.0], np.cumsum(np.diff(left) / rates))), left)


@dataclass(frozen=True, slots=True)
class GasVessel:
    """An ideal gas in a closed vessel: its volume [m3] follows from mass, pressure and temperature.

    `isothermal` keeps the temperature, as a vessel does whose walls warm the gas: the faster, careful case. Otherwise
    the gas cools as it expands (adiabatic).
    """

    mass_kg: float
    pressure_pa: float
    temperature_k: float
    molar_mass_kg_mol: float
    heat_capacity_ratio: float
    isothermal: bool = True

    def state(self, mass_kg: float) -> tuple[float, float]:
        """Return pressure [Pa] and temperature [K] when a mass [kg] is left."""
        share = mass_kg / self.mass_kg
        if self.isothermal:
            return self.pressure_pa * share, self.temperature_k
        cooling = share ** (self.heat_capacity_ratio - 1.0)
        return self.pressure_pa * share * cooling, self.temperature_k * cooling

    def rest_kg(self, ambient_pa: float = ATMOSPHERE_PA) -> float:
        """Return what stays in the vessel [kg] at ambient pressure [Pa]."""
        exponent = 1.0 if self.isothermal else 1.0 / self.heat_capacity_ratio
        return float(self.mass_kg * min(ambient_pa / self.pressure_pa, 1.0) ** exponent)


def empty_gas(
    vessel: GasVessel, discharge_coefficient: float, area_m2: float, ambient_pa: float = ATMOSPHERE_PA
) -> Emptying:
    """Let the gas out of a hole of an area [m2] until the pressure is the ambient one (eqs. F.2 to F.5)."""

    def rate_of(mass_kg: float) -> float:
        pressure, temperature = vessel.state(mass_kg)
        mass, gamma = vessel.molar_mass_kg_mol, vessel.heat_capacity_ratio
        return gas_outflow(discharge_coefficient, area_m2, pressure, mass, gamma, temperature, ambient_pa)

    return empty(vessel.mass_kg, vessel.rest_kg(ambient_pa), rate_of)


@dataclass(frozen=True, slots=True)
class LiquidVessel:
    """A liquid in an upright vessel with a hole at its bottom.

    `height_m` is the level above the hole when it is full with `mass_kg`; it falls with the mass. `gas_space_m3` [m3]
    is what the gas above fills, and expands from at a constant temperature as the liquid leaves; None holds the
    pressure, as the vapour of a boiling liquid or a blanket of gas does.
    """

    mass_kg: float
    pressure_pa: float
    density_kg_m3: float
    height_m: float
    gas_space_m3: float | None = None

    def state(self, mass_kg: float) -> tuple[float, float]:
        """Return pressure [Pa] and height above the hole [m] when a mass [kg] is left."""
        height = self.height_m * mass_kg / self.mass_kg
        if self.gas_space_m3 is None:
            return self.pressure_pa, height
        freed = (self.mass_kg - mass_kg) / self.density_kg_m3
        return self.pressure_pa * self.gas_space_m3 / (self.gas_space_m3 + freed), height


def rest_of_liquid(vessel: LiquidVessel, ambient_pa: float = ATMOSPHERE_PA) -> float:
    """Return what stays in the vessel [kg], held back by its vacuum: 0 where nothing is."""

    def driving_pa(mass_kg: float) -> float:
        pressure, height = vessel.state(mass_kg)
        return pressure - ambient_pa + vessel.density_kg_m3 * GRAVITY_M_S2 * height

    if driving_pa(0.0) >= 0.0:
        return 0.0
    if driving_pa(vessel.mass_kg) <= 0.0:
        return vessel.mass_kg
    return float(brentq(driving_pa, 0.0, vessel.mass_kg, xtol=1e-9 * vessel.mass_kg))


def empty_liquid(
    vessel: LiquidVessel, discharge_coefficient: float, area_m2: float, ambient_pa: float = ATMOSPHERE_PA
) -> Emptying:
    """Let the liquid out of a hole of an area [m2] until it is gone or a vacuum holds it (eq. F.1)."""

    def rate_of(mass_kg: float) -> float:
        pressure, height = vessel.state(mass_kg)
        return liquid_outflow(discharge_coefficient, area_m2, vessel.density_kg_m3, pressure, height, ambient_pa)

    return empty(vessel.mass_kg, rest_of_liquid(vessel, ambient_pa), rate_of)
