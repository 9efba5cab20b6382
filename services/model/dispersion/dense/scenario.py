"""What a dense-gas engine is asked: substance, source, weather. Plain values that cross to another process."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Literal

from services.model.dispersion.meteorology import Meteorology
from services.model.dispersion.profile import wind_at
from services.model.dispersion.richardson import ideal_gas_density
from services.model.dispersion.stability import golder_inverse_length, stability_from_inverse_length

# Gas that rises from the ground faster than this is a jet, and no pool: past 1 m/s slabx's cloud is torn in its first
# step; at 0.1 m/s and below the far field no longer depends on the area (within 3 %, measured with both engines).
FASTEST_RISE_M_S = 1.0
CALM_RISE_M_S = 0.1

# The roughest ground [m] that field trials of dense gas have tested (slabx.scope; FLADIS had 0.04 m).
ROUGHEST_M = 0.1


@dataclass(frozen=True, slots=True)
class Substance:
    """Physical properties; None is "not known": an engine that needs it refuses, and names it.

    Heat capacities [J/(kg K)] at constant pressure, heat of vaporisation [J/kg] and liquid density [kg/m3] at the
    boiling point [K] at 101.325 kPa; molar mass [g/mol].
    """

    name: str
    molar_mass_g_mol: float | None = None
    boiling_point_k: float | None = None
    heat_capacity_gas_j_kg_k: float | None = None
    heat_capacity_liquid_j_kg_k: float | None = None
    heat_of_vaporisation_j_kg: float | None = None
    liquid_density_kg_m3: float | None = None

    def missing(self, *names: str) -> list[str]:
        """Return those of the named properties that are not known."""
        return [name for name in names if getattr(self, name) is None]

    def completed(self, other: Substance) -> Substance:
        """Return this substance with what is not known taken from another record of it."""
        gaps = {field.name: getattr(other, field.name) for field in fields(self) if getattr(self, field.name) is None}
        return replace(self, **gaps)


@cache
def standard_properties() -> dict[str, tuple[Substance, str]]:
    """Substance and source by CAS number: `properties.csv`, for what the caller's catalogue does not know."""
    with (Path(__file__).parent / "properties.csv").open(encoding="utf-8", newline="") as file:
        return {row["cas"]: (_substance(row), row["source"]) for row in csv.DictReader(file)}


def _substance(row: dict[str, str]) -> Substance:
    numbers = {field.name: float(row[field.name]) for field in fields(Substance) if field.name != "name"}
    return Substance(name=row["name"], **numbers)


@dataclass(frozen=True, slots=True)
class AreaSource:
    """Vapour that rises from the ground at `rate_kg_s` over `area_m2` for `duration_s`; a pool, or a low broad leak."""

    rate_kg_s: float
    area_m2: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class JetSource:
    """A jet of cross-section `area_m2` at air pressure, `height_m` above ground; horizontal means down the wind.

    `liquid_fraction` is the mass share of droplets; with droplets the jet stands at the boiling point.
    """

    rate_kg_s: float
    area_m2: float
    duration_s: float
    height_m: float
    direction: Literal["horizontal", "vertical"] = "horizontal"
    liquid_fraction: float = 0.0


@dataclass(frozen=True, slots=True)
class SuddenSource:
    """`mass_kg` of vapour at once, standing on `area_m2` of ground."""

    mass_kg: float
    area_m2: float


Source = AreaSource | JetSource | SuddenSource


@dataclass(frozen=True, slots=True)
class DenseWeather:
    """Steady weather over flat ground.

    `stability` is 1 (A) to 6 (F), continuous; `inverse_length_per_m` (1/L) where it was measured, else None.
    """

    wind_speed_m_s: float
    stability: float
    temperature_k: float
    roughness_m: float
    wind_height_m: float = 10.0
    inverse_length_per_m: float | None = None
    humidity_pct: float = 50.0
    pressure_pa: float = 101_325.0

    @property
    def obukhov_inverse_per_m(self) -> float:
        """1/L [1/m]: measured, else Golder's."""
        if self.inverse_length_per_m is not None:
            return self.inverse_length_per_m
        return golder_inverse_length(self.stability, self.roughness_m)

    @property
    def wind_10m_m_s(self) -> float:
        """Wind [m/s] at 10 m."""
        return float(
            wind_at(10.0, self.wind_speed_m_s, self.wind_height_m, self.roughness_m, self.obukhov_inverse_per_m)
        )


@dataclass(frozen=True, slots=True)
class DenseScenario:
    """One release.

    Attributes
    ----------
    temperature_k : of the gas where it leaves the source.
    averaging_s : over which concentrations are means.
    x_max_m : how far down the wind.
    lowest_kg_m3 : concentrations below this are of no interest and count as zero.
    receptor_height_m : None asks for the maximum over the height of the cloud (footprints); a number for sensors there.
    """

    substance: Substance
    source: Source
    temperature_k: float
    weather: DenseWeather
    averaging_s: float = 60.0
    x_max_m: float = 10_000.0
    lowest_kg_m3: float = 1e-8
    receptor_height_m: float | None = None

    def gas_density(self) -> float:
        """Density [kg/m3] of the gas where it leaves the source; needs the molar mass."""
        assert self.substance.molar_mass_g_mol is not None
        return ideal_gas_density(self.substance.molar_mass_g_mol / 1000, self.temperature_k, self.weather.pressure_pa)

    def kg_m3_per_mole_fraction(self) -> float:
        """What a mole fraction of one weighs [kg/m3] at the temperature of the air: readings are taken in air."""
        assert self.substance.molar_mass_g_mol is not None
        weather = self.weather
        return ideal_gas_density(self.substance.molar_mass_g_mol / 1000, weather.temperature_k, weather.pressure_pa)


def dense_weather(weather: Meteorology, humidity_pct: float = 50.0) -> DenseWeather:
    """Return what a dense-gas engine asks of the weather of a run.

    A roughness above `ROUGHEST_M` is taken as that: what makes a park rough is higher than the cloud is deep, and no
    dense-gas engine stands for it. Less mixing than there is: an error on the safe side.
    """
    return DenseWeather(
        wind_speed_m_s=weather.wind_speed_m_s,
        stability=weather.stability,
        temperature_k=weather.temperature_c + 273.15,
        roughness_m=min(weather.roughness_m, ROUGHEST_M),
        wind_height_m=weather.wind_height_m,
        inverse_length_per_m=weather.measured_inverse_length_per_m,
        humidity_pct=humidity_pct,
        pressure_pa=weather.pressure_kpa * 1000.0,
    )


def weather_from_fluxes(
    wind_speed_m_s: float,
    wind_height_m: float,
    obukhov_length_m: float,
    roughness_m: float,
    temperature_k: float,
    humidity_pct: float,
    pressure_pa: float,
) -> DenseWeather:
    """Return the weather of a trial whose Monin-Obukhov length [m] was measured."""
    inverse = 1.0 / obukhov_length_m
    return DenseWeather(
        wind_speed_m_s=wind_speed_m_s,
        stability=stability_from_inverse_length(inverse, roughness_m),
        temperature_k=temperature_k,
        roughness_m=roughness_m,
        wind_height_m=wind_height_m,
        inverse_length_per_m=inverse,
        humidity_pct=humidity_pct,
        pressure_pa=pressure_pa,
    )


def broad_enough_area_m2(rate_kg_s: float, gas_density_kg_m3: float, area_m2: float = 0.0) -> float:
    """Return the area [m2], widened where need be so that the gas rises calmly: a small leak of dense gas slumps."""
    return max(area_m2, rate_kg_s / (gas_density_kg_m3 * CALM_RISE_M_S))


def slumped_area_m2(mass_kg: float, gas_density_kg_m3: float) -> float:
    """Return the ground [m2] under a sudden cloud that stands as a cylinder as high as it is wide.

    Yields the area for `SuddenSource` where only the mass is known.
    """
    radius = (mass_kg / gas_density_kg_m3 / (2.0 * math.pi)) ** (1.0 / 3.0)
    return float(math.pi * radius**2)


def evaporating_pool(
    substance: Substance,
    *,
    rate_kg_s: float,
    flux_kg_m2_s: float,
    duration_s: float,
    weather: DenseWeather,
    averaging_s: float,
    receptor_height_m: float | None = None,
    x_max_m: float = 3000.0,
) -> DenseScenario:
    """Return a boiling pool on water or land: vapour at the boiling point from the area rate / flux [m2].

    Raises ValueError when the boiling point is not known.
    """
    if substance.boiling_point_k is None:
        raise ValueError(f"the boiling point of {substance.name} is not known")
    return DenseScenario(
        substance=substance,
        source=AreaSource(rate_kg_s, rate_kg_s / flux_kg_m2_s, duration_s),
        temperature_k=substance.boiling_point_k,
        weather=weather,
        averaging_s=averaging_s,
        x_max_m=x_max_m,
        receptor_height_m=receptor_height_m,
    )
