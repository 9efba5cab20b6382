"""The dense-gas engines' answer to a run: asked side by side, each failure told, their mean in log space drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.interpolate import interpn

from services.model.chemicals import Chemical
from services.model.dispersion.contours import zones
from services.model.dispersion.dense.combine import combine
from services.model.dispersion.dense.engine import DenseResult, EngineFailure
from services.model.dispersion.dense.isolation import shared_pool
from services.model.dispersion.dense.scenario import (
    AreaSource,
    DenseScenario,
    Source,
    Substance,
    SuddenSource,
    broad_enough_area_m2,
    dense_weather,
    slumped_area_m2,
    standard_properties,
)
from services.model.dispersion.exposure import Exposure
from services.model.dispersion.field import FARTHEST_M, Field32, FieldResult
from services.model.dispersion.grid import Grid
from services.model.dispersion.release import SUDDEN_S
from services.model.exposure.dose import FloatArray
from services.model.runs.answers import KG_PER_MG, NeutralAnswer, lowest_kg_m3
from services.model.runs.plan import RunPlan
from shared.text import BilingualText

VALIDITY = BilingualText(
    zh="重气；平坦地形；恒定风；风速 1 米/秒以上较可靠；浓度取云团全高的最大值。"
    "液化天然气试验中两模型的对数平均约 86% 在 2 倍以内。",
    en="Dense gas; flat terrain; steady wind, best above 1 m/s; concentrations are the highest over the height of the "
    "cloud. On the LNG trials some 86 % of the two engines' log means lie within a factor 2.",
)

# A dense cloud reaches farther than the neutral engine says, as it hardly rises.
_FARTHER = 3.0
_LEAST_DOMAIN_M = 2000.0
_STEPS = 120
_EDGE_S = 1.0


@dataclass(frozen=True, slots=True)
class DenseAnswer:
    """One dense engine's answer, or the mean of several; see `answers.Answer`.

    An engine gives the highest concentration at a place and when the front arrives. The cloud is taken to stand over a
    place from then on for as long as the release lasts and the cloud's own length takes to pass.
    """

    engine: str
    version: str
    drawn: FieldResult
    arrival_s: FloatArray
    passage_s: FloatArray
    end_s: float
    remarks: tuple[BilingualText, ...] = ()
    validity: BilingualText = field(default=VALIDITY)

    def until(self, time_s: float, level_kg_m3: float) -> tuple[Field32, Grid]:
        """See `answers.Answer`."""
        assert level_kg_m3 > 0.0
        return _here(self.drawn.peak, self.arrival_s <= time_s), self.drawn.grid

    def exposure(self, east: FloatArray, north: FloatArray) -> Exposure:
        """See `answers.Answer`: a plateau at the highest concentration, between arrival and departure."""
        grid = self.drawn.grid
        x, y = grid.to_axes(np.atleast_1d(east), np.atleast_1d(north))
        peaks = _log_interpolated(self.drawn.peak, grid, x, y)
        begin = np.interp(x, grid.x, self.arrival_s)
        end = begin + np.interp(x, grid.x, self.passage_s)
        edges = np.concatenate((begin, begin + _EDGE_S, end, end + _EDGE_S))
        inside = edges[(edges > 0.0) & (edges < self.end_s)]
        times = np.unique(np.concatenate((np.linspace(0.0, self.end_s, _STEPS + 1), inside)))
        rising = np.clip((times - begin[:, None]) / _EDGE_S, 0.0, 1.0)
        falling = np.clip((end[:, None] + _EDGE_S - times) / _EDGE_S, 0.0, 1.0)
        return Exposure(times, peaks[:, None] * rising * falling)


@dataclass(frozen=True, slots=True)
class DenseAnswers:
    """What came of asking: `mean` of all that answered (None: nobody did), each by itself, and the failures."""

    mean: DenseAnswer | None
    each: list[DenseAnswer]
    failures: list[EngineFailure]


def dense_answers(plan: RunPlan, neutral: NeutralAnswer, engines: Sequence[str]) -> DenseAnswers:
    """Ask the engines, each in a process of its own. Nothing is raised over an input: a failure is a value."""
    scenario = scenario_of(plan, _domain_m(plan, neutral))
    found = shared_pool().run_all(engines, scenario)
    results = [answer for answer in found.values() if isinstance(answer, DenseResult)]
    failures = [answer for answer in found.values() if isinstance(answer, EngineFailure)]
    each = [_answer(plan, neutral, result) for result in results]
    if len(results) < 2:
        return DenseAnswers(each[0] if each else None, each, failures)
    return DenseAnswers(_answer(plan, neutral, combine(results).result), each, failures)


def scenario_of(plan: RunPlan, x_max_m: float) -> DenseScenario:
    """The run as a dense engine is asked it."""
    temperature_k = plan.gas_temperature_c + 273.15
    weather = dense_weather(plan.weather.weather)
    substance = _substance(plan.chemical)
    bare = DenseScenario(substance, SuddenSource(1.0, 1.0), temperature_k, weather)
    density = bare.gas_density()
    area = math.pi * plan.source_diameter_m**2 / 4.0
    release = plan.whole_release
    source: Source
    if release.end_s - release.start_s <= SUDDEN_S:
        source = SuddenSource(plan.mass_kg, max(area, slumped_area_m2(plan.mass_kg, density)))
    else:
        mean = release.total_kg / (release.end_s - release.start_s)
        source = AreaSource(mean, broad_enough_area_m2(mean, density, area), release.end_s - release.start_s)
    return DenseScenario(substance, source, temperature_k, weather, plan.averaging_s, x_max_m, 0.1 * lowest_kg_m3(plan))


def _substance(chemical: Chemical) -> Substance:
    known = chemical.properties
    own = Substance(
        name=chemical.name.en,
        molar_mass_g_mol=chemical.molar_mass_g_mol,
        boiling_point_k=None if chemical.boiling_point_c is None else chemical.boiling_point_c + 273.15,
        heat_capacity_liquid_j_kg_k=known.heat_capacity_liquid.value if known.heat_capacity_liquid else None,
        heat_of_vaporisation_j_kg=known.heat_of_vaporisation.value if known.heat_of_vaporisation else None,
    )
    standard = standard_properties().get(chemical.cas)
    return own if standard is None else own.completed(standard[0])


def _domain_m(plan: RunPlan, neutral: NeutralAnswer) -> float:
    shape = zones(neutral.drawn.peak, neutral.drawn.grid, [lowest_kg_m3(plan)])[0]
    west, south, east, north = shape.bounds if not shape.is_empty else (0.0, 0.0, 0.0, 0.0)
    farthest = math.hypot(max(-west, east), max(-south, north))
    return min(max(_FARTHER * farthest, _LEAST_DOMAIN_M), FARTHEST_M)


def _answer(plan: RunPlan, neutral: NeutralAnswer, result: DenseResult) -> DenseAnswer:
    grid = Grid(result.x_m, result.y_m, *plan.weather.weather.toward)
    peak = np.asarray(result.concentration_kg_m3.T, dtype=np.float32)
    arrival = _arrival(neutral, result)
    release = plan.whole_release
    passage = release.end_s - release.start_s + _own_passage(result, arrival)
    frames = tuple(_here(peak, (arrival <= time) & (time <= arrival + passage)) for time in neutral.drawn.frame_times_s)
    drawn = FieldResult(grid, peak, frames, neutral.drawn.frame_times_s)
    return DenseAnswer(result.engine, result.version, drawn, arrival, passage, plan.end_s, result.remarks)


def _arrival(neutral: NeutralAnswer, result: DenseResult) -> FloatArray:
    """When the front is where: the engine's own word, else the neutral engine's travel time."""
    if result.arrival_s is not None:
        return np.maximum.accumulate(np.maximum(result.arrival_s, 0.0))
    ahead = np.maximum(result.x_m, 0.1)
    return np.where(result.x_m > 0.0, neutral.model.curves[0].travel_time(ahead), 0.0)


def _own_passage(result: DenseResult, arrival_s: FloatArray) -> FloatArray:
    """How long [s] the cloud's own length, taken as its width, needs to pass."""
    speed = np.gradient(result.x_m) / np.maximum(np.gradient(arrival_s), 1e-3)
    return np.asarray(2.0 * result.half_width_m / np.clip(speed, 0.3, 30.0))


def _here(peak: Field32, columns: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Field32:
    return np.where(columns[None, :], peak, np.float32(0.0))


def _log_interpolated(field_: Field32, grid: Grid, x: FloatArray, y: FloatArray) -> FloatArray:
    """Concentrations [kg/m3] at points on the grid's axes, bilinear in the logarithm; zero outside."""
    floor = 1e-3 * KG_PER_MG * 1e-6
    logs = np.log(np.maximum(field_.astype(np.float64), floor))
    found = interpn((grid.y, grid.x), logs, np.column_stack((y, x)), bounds_error=False, fill_value=np.log(floor))
    values = np.exp(found)
    return np.asarray(np.where(values > 2.0 * floor, values, 0.0))
