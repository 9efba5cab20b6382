"""What a computation needs, all of it: nothing is asked of anyone once a plan stands."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from services.model.chemicals import Chemical
from services.model.dispersion.release import Release, constant_release
from services.model.runs.levels import ZoneLevel
from services.model.runs.result import Remark, SourceView
from services.model.runs.weather import EngineWeather
from shared.text import BilingualText


@dataclass(frozen=True, slots=True)
class ReceptorPlace:
    """A sensitive target of the park."""

    id: str
    name: BilingualText
    kind: str
    population: int
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class PointPlace:
    """A point that the caller asks about."""

    id: str
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class RunPlan:
    """All that a computation needs. Times in seconds after the release began at `release_start`.

    `rate_kg_s` is the rate of a constant release and the mean of one that changes, whose course is `release`.
    `members` of the ensemble: 0 for none.
    """

    chemical: Chemical
    source: SourceView
    rate_kg_s: float
    rate_interval: tuple[float, float] | None
    weather: EngineWeather
    release_start: datetime
    now_s: float
    release_end_s: float
    end_s: float
    levels: list[ZoneLevel]
    receptors: list[ReceptorPlace]
    points: list[PointPlace] = field(default_factory=list)
    release: Release | None = None
    averaging_s: float = 600.0
    source_diameter_m: float = 1.0
    gas_temperature_k: float | None = None
    inventory_kg: float | None = None
    indoor_air_changes_per_h: float = 0.5
    deposition_velocity_m_s: float = 0.0
    members: int = 60
    seed: int = 0
    nodes: int = 400
    warnings: list[Remark] = field(default_factory=list)
    assumptions: list[Remark] = field(default_factory=list)

    @property
    def whole_release(self) -> Release:
        """The release as planned: `release`, else a constant one."""
        if self.release is not None:
            return self.release
        constant = constant_release(
            self.rate_kg_s, self.release_end_s, self.source.height_m, diameter_m=self.source_diameter_m
        )
        return replace(constant, deposition_velocity_m_s=self.deposition_velocity_m_s)

    @property
    def gas_temperature_c(self) -> float:
        """What comes out has the temperature that was told, else the colder of air and boiling point: what boils off a
        liquid is as cold as that."""
        if self.gas_temperature_k is not None:
            return self.gas_temperature_k - 273.15
        ambient, boiling = self.weather.weather.temperature_c, self.chemical.boiling_point_c
        return ambient if boiling is None else min(ambient, boiling)

    @property
    def rate_is_constant(self) -> bool:
        """Whether one rate holds over the whole release."""
        return self.release is None or len(self.release.rates_kg_s) == 1

    @property
    def mass_kg(self) -> float:
        """The mass [kg] that leaves the source in all."""
        return self.whole_release.total_kg

    def release_at(self, rate_kg_s: float) -> Release:
        """The release with every rate scaled so that `rate_kg_s` takes the place of the plan's own.

        It ends early when the source holds no more: a rate far above the likely one cannot last as long.
        """
        whole = self.whole_release
        factor = rate_kg_s / self.rate_kg_s
        scaled = replace(whole, rates_kg_s=tuple(factor * rate for rate in whole.rates_kg_s))
        held = max(self.inventory_kg or float("inf"), self.mass_kg)
        if scaled.total_kg <= held or not self.rate_is_constant:
            return scaled
        return replace(scaled, edges_s=(scaled.start_s, scaled.start_s + held / scaled.rates_kg_s[0]))
