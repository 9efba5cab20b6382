"""What every dense-gas engine offers: one call, a result or a failure as a value, and the range it holds in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from services.model.dispersion.dense.scenario import (
    FASTEST_RISE_M_S,
    AreaSource,
    DenseScenario,
    JetSource,
    Source,
    SuddenSource,
)
from services.model.dispersion.profile import FloatArray
from services.model.dispersion.richardson import AIR_MOLAR_MASS_KG_MOL, ideal_gas_density
from shared.text import BilingualText

# What a library may raise over inputs that it cannot carry; anything else is a defect and ends its process.
NUMERICAL_ERRORS = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)

_TINY_KG_M3 = 1e-30


@dataclass(frozen=True, slots=True)
class Limit:
    """A range in which an engine computes; outside `trusted` (None: the same) no trial has tested it."""

    name: BilingualText
    unit: str
    low: float
    high: float
    trusted: tuple[float, float] | None = None

    def refuses(self, value: float) -> BilingualText | None:
        """Say that a value is outside, with the range; None when it is inside."""
        if self.low <= value <= self.high:
            return None
        span = f"{self.low:g}–{self.high:g} {self.unit}".rstrip()
        return BilingualText(
            zh=f"{self.name.zh}为 {value:.4g}，超出适用范围 {span}。",
            en=f"The {self.name.en} is {value:.4g}, outside the range {span}.",
        )

    def doubts(self, value: float) -> BilingualText | None:
        """Say that a value is outside what trials have tested; None when it is inside."""
        if self.trusted is None or self.trusted[0] <= value <= self.trusted[1]:
            return None
        span = f"{self.trusted[0]:g}–{self.trusted[1]:g} {self.unit}".rstrip()
        return BilingualText(
            zh=f"{self.name.zh}为 {value:.4g}，现场试验只检验过 {span}，结果把握较低。",
            en=f"The {self.name.en} is {value:.4g}; field trials tested {span} only, so the result is less sure.",
        )


@dataclass(frozen=True, slots=True)
class EngineFailure:
    """Why an engine gave no answer."""

    engine: str
    kind: Literal["not-installed", "refused", "failed", "timed-out", "crashed"]
    reason: BilingualText


@dataclass(frozen=True, slots=True)
class DenseResult:
    """The highest concentration, over time, at each place.

    Attributes
    ----------
    x_m : (n,) down the wind from the middle of the source, rising; y_m : (m,) across it, odd and symmetrical.
    concentration_kg_m3 : (n, m), in air of ambient temperature, averaged over `averaging_s`; zero below
        `lowest_kg_m3` of the scenario. Where its last row is above a level, `x_max_m` cut the zone.
    arrival_s : (n,) when the cloud's front arrives, or None where the engine has none.
    kg_m3_per_mole_fraction : turns concentrations back into mole fractions.
    half_width_m : (n,) half-width of the cloud.
    """

    engine: str
    version: str
    x_m: FloatArray
    y_m: FloatArray
    concentration_kg_m3: FloatArray
    arrival_s: FloatArray | None
    half_width_m: FloatArray
    kg_m3_per_mole_fraction: float
    averaging_s: float
    remarks: tuple[BilingualText, ...] = ()

    @property
    def centreline_kg_m3(self) -> FloatArray:
        """(n,) concentration on the axis."""
        return self.concentration_kg_m3[:, self.y_m.size // 2]

    def centreline_at(self, x_m: FloatArray | list[float]) -> FloatArray:
        """Return the concentration [kg/m3] on the axis at distances [m], log-interpolated; zero outside the grid."""
        logs = np.log(np.maximum(self.centreline_kg_m3, _TINY_KG_M3))
        values = np.exp(np.interp(x_m, self.x_m, logs, left=-np.inf, right=-np.inf))
        return np.asarray(np.where(values > 2.0 * _TINY_KG_M3, values, 0.0))

    def distance_to(self, level_kg_m3: float) -> float | None:
        """Return the farthest distance [m] at which the axis is at a level; None when it is nowhere."""
        above = np.flatnonzero(self.centreline_kg_m3 >= level_kg_m3)
        if above.size == 0:
            return None
        last = int(above[-1])
        if last == self.x_m.size - 1:
            return float(self.x_m[-1])
        logs = np.log(np.maximum(self.centreline_kg_m3[last : last + 2], _TINY_KG_M3))
        share = (logs[0] - np.log(level_kg_m3)) / (logs[0] - logs[1])
        return float(self.x_m[last] + share * (self.x_m[last + 1] - self.x_m[last]))


class DenseEngine(Protocol):
    """One engine. `version` is None where its library is not installed."""

    @property
    def name(self) -> str:
        """How results and people call it."""

    @property
    def version(self) -> str | None:
        """Of the library."""

    @property
    def validity(self) -> tuple[Limit, ...]:
        """The ranges that `run` holds its input to."""

    def run(self, scenario: DenseScenario) -> DenseResult | EngineFailure:
        """Compute one scenario. Never raises over its input."""


def not_installed(engine: str) -> EngineFailure:
    """Say that an engine's library is absent."""
    return EngineFailure(
        engine,
        "not-installed",
        BilingualText(
            zh=f"未安装重气模型 {engine}（可选依赖组 dense-gas）。",
            en=f"The dense-gas engine {engine} is not installed (optional dependency group dense-gas).",
        ),
    )


def refused(engine: str, zh: str, en: str) -> EngineFailure:
    """Say that an input is one that an engine does not take."""
    return EngineFailure(engine, "refused", BilingualText(zh=zh, en=en))


def failed(engine: str, error: Exception | str) -> EngineFailure:
    """Say that a library gave up over an input within its range."""
    said = f"{type(error).__name__}: {error}" if isinstance(error, Exception) else error
    said = " ".join(said.split())[:300] or "no message"
    return EngineFailure(
        engine, "failed", BilingualText(zh=f"模型 {engine} 计算失败：{said}", en=f"The engine {engine} failed: {said}")
    )


WIND = BilingualText(zh="10 米风速", en="wind at 10 m")
STABILITY = BilingualText(zh="稳定度（1=A 至 6=F）", en="stability (1 = A to 6 = F)")
ROUGHNESS = BilingualText(zh="地面粗糙度", en="roughness length")
AIR_TEMPERATURE = BilingualText(zh="气温", en="air temperature")
PRESSURE = BilingualText(zh="气压", en="air pressure")
HUMIDITY = BilingualText(zh="相对湿度", en="relative humidity")
GAS_TEMPERATURE = BilingualText(zh="释放温度", en="release temperature")
RATE = BilingualText(zh="释放速率", en="release rate")
MASS = BilingualText(zh="释放量", en="released mass")
AREA = BilingualText(zh="源面积", en="source area")
DURATION = BilingualText(zh="释放时长", en="duration")
RISE = BilingualText(
    zh="气体离地上升速度（增大源面积可降低）", en="speed at which the gas leaves the ground (a larger area lowers it)"
)
AVERAGING = BilingualText(zh="平均时间", en="averaging time")
DOMAIN = BilingualText(zh="计算距离", en="distance computed")


def values(scenario: DenseScenario) -> list[tuple[BilingualText, float]]:
    """Every quantity of a scenario that a limit can name."""
    weather, source = scenario.weather, scenario.source
    return [
        (WIND, weather.wind_10m_m_s),
        (STABILITY, weather.stability),
        (ROUGHNESS, weather.roughness_m),
        (AIR_TEMPERATURE, weather.temperature_k),
        (PRESSURE, weather.pressure_pa),
        (HUMIDITY, weather.humidity_pct),
        (GAS_TEMPERATURE, scenario.temperature_k),
        (AVERAGING, scenario.averaging_s),
        (DOMAIN, scenario.x_max_m),
        *_source_values(source, scenario.gas_density()),
    ]


def _source_values(source: Source, gas_density: float) -> list[tuple[BilingualText, float]]:
    if isinstance(source, SuddenSource):
        return [(MASS, source.mass_kg), (AREA, source.area_m2)]
    common = [(RATE, source.rate_kg_s), (AREA, source.area_m2), (DURATION, source.duration_s)]
    if isinstance(source, AreaSource) and source.area_m2 > 0.0:
        return [*common, (RISE, source.rate_kg_s / (gas_density * source.area_m2))]
    return common


def common_limits(lowest_wind: float, trusted_wind: tuple[float, float]) -> tuple[Limit, ...]:
    """The limits that both engines share, with a wind range of its own."""
    return (
        Limit(WIND, "m/s", lowest_wind, 20.0, trusted_wind),
        Limit(STABILITY, "", 1.0, 6.0),
        Limit(ROUGHNESS, "m", 1e-5, 1.0, (1e-5, 0.1)),
        Limit(AIR_TEMPERATURE, "K", 233.0, 323.0),
        Limit(PRESSURE, "Pa", 50_000.0, 110_000.0),
        Limit(HUMIDITY, "%", 0.0, 100.0),
        Limit(GAS_TEMPERATURE, "K", 80.0, 600.0),
        Limit(RATE, "kg/s", 1e-4, 3000.0),
        Limit(MASS, "kg", 0.1, 1e6),
        Limit(AREA, "m2", 1e-5, 1e5),
        Limit(DURATION, "s", 1.0, 86_400.0),
        Limit(RISE, "m/s", 1e-6, FASTEST_RISE_M_S),
        Limit(AVERAGING, "s", 1.0, 3600.0),
        Limit(DOMAIN, "m", 100.0, 50_000.0),
    )


def refusal(engine: DenseEngine, scenario: DenseScenario, needed: tuple[str, ...]) -> EngineFailure | None:
    """Return why an engine does not take a scenario: not installed, a missing property, or outside its range."""
    if engine.version is None:
        return not_installed(engine.name)
    missing = scenario.substance.missing(*needed)
    if missing:
        listed = ", ".join(missing)
        return refused(
            engine.name,
            f"{engine.name} 需要而未知的物性：{listed}。",
            f"{engine.name} needs properties of {scenario.substance.name} that are not known: {listed}.",
        )
    limits = {limit.name.en: limit for limit in engine.validity}
    for name, value in values(scenario):
        said = limits[name.en].refuses(value)
        if said is not None:
            return EngineFailure(engine.name, "refused", said)
    return _light(engine.name, scenario)


def _light(engine: str, scenario: DenseScenario) -> EngineFailure | None:
    """A gas without droplets that is no denser than air is not what these engines are for."""
    if isinstance(scenario.source, JetSource) and scenario.source.liquid_fraction > 0.0:
        return None
    weather, gas = scenario.weather, scenario.gas_density()
    air = ideal_gas_density(AIR_MOLAR_MASS_KG_MOL, weather.temperature_k, weather.pressure_pa)
    if gas > air:
        return None
    return refused(
        engine,
        f"气体密度 {gas:.3f} kg/m3 不大于空气密度 {air:.3f} kg/m3，不属重气。",
        f"The gas weighs {gas:.3f} kg/m3, no more than the air's {air:.3f} kg/m3: it is not dense.",
    )


def doubts(engine: DenseEngine, scenario: DenseScenario) -> tuple[BilingualText, ...]:
    """Return a remark for every quantity outside what field trials have tested."""
    limits = {limit.name.en: limit for limit in engine.validity}
    said = [limits[name.en].doubts(value) for name, value in values(scenario)]
    return tuple(remark for remark in said if remark is not None)
