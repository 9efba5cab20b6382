"""The computation of one run: everything is in the arguments, nothing is asked of anyone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.model.dispersion.contours import zones
from services.model.dispersion.dense.choice import engines_for
from services.model.dispersion.dense.engine import EngineFailure
from services.model.dispersion.field import Field32, FieldResult
from services.model.dispersion.projection import LocalFrame, local_frame
from services.model.dispersion.richardson import DenseGasDecision, decide
from services.model.runs.affected import counts_of, point_views, receptor_views, shown
from services.model.runs.answers import KG_PER_MG, Answer, neutral_answer
from services.model.runs.arrivals import arrival_collection
from services.model.runs.bands import MIDDLE, OUTER, Bands, bands_of
from services.model.runs.dense import dense_answers
from services.model.runs.geojson import Zone, centreline, zone_collection
from services.model.runs.plan import ReceptorPlace, RunPlan
from services.model.runs.progress import Progress
from services.model.runs.result import (
    ChemicalView,
    EngineView,
    FrameView,
    ProbitView,
    RunResult,
    Times,
)
from services.model.runs.saying import assumptions_of, reason_of, richardson_view, warnings_of

__all__ = ["ReceptorPlace", "RunPlan", "compute"]

# Frames stand closer while the gas is new, and thin out as it drifts away after the release.
_FRAMES_OF_RELEASE = (0.1, 0.25, 0.5, 0.75, 1.0)
_FRAMES_AFTER = (0.1, 0.25, 0.5, 1.0)
_DEFAULT_RECEPTOR_M = 1000.0


def compute(plan: RunPlan, progress: Progress | None = None) -> RunResult:
    """Compute zones, frames, exposure and ensemble, telling `progress`, which may stop it by an exception of its own.

    Raises ValueError, naming the value, for what the engine refuses.
    """
    tell = progress or (lambda _fraction, _step: None)
    frame = local_frame(plan.source.longitude, plan.source.latitude)
    tell(0.0, "field")
    neutral = neutral_answer(plan, frame_times_of(plan))
    decision = dense_gas_decision(plan, frame)
    choice = None if decision is None else engines_for(decision)
    tell(0.2, "dense-gas")
    asked = [] if choice is None else [name for name in (*choice.primary, *choice.others) if name != neutral.engine]
    dense = dense_answers(plan, neutral, asked)
    dense_first = decision is not None and decision.dense and dense.mean is not None
    answer: Answer = dense.mean if dense_first and dense.mean is not None else neutral
    tell(0.4, "ensemble")
    bands = bands_of(plan, lambda done: tell(0.4 + 0.2 * done, "ensemble"))
    tell(0.6, "zones")
    drawn = _drawn_zones(plan, answer, bands, dense_first=dense_first)
    frames = [
        FrameView(time_s=time, zones=zone_collection(_zones(plan, answer.drawn, values), frame))
        for time, values in zip(answer.drawn.frame_times_s, answer.drawn.frames, strict=True)
    ]
    tell(0.8, "receptors")
    receptors = receptor_views(plan, answer, drawn, bands, frame)
    return RunResult(
        engine=answer.engine,
        version=answer.version,
        reason=reason_of(choice, answered=answer.engine),
        richardson=richardson_view(decision),
        warnings=[*plan.warnings, *warnings_of(plan, decision, drawn, dense, dense_first=dense_first)],
        assumptions=assumptions_of(plan, dense_first=dense_first),
        validity=answer.validity,
        meteorology=plan.weather.view,
        rate_kg_s=shown(plan.rate_kg_s),
        rate_low_kg_s=plan.rate_interval[0] if plan.rate_interval else None,
        rate_high_kg_s=plan.rate_interval[1] if plan.rate_interval else None,
        zones=zone_collection(drawn, frame, counts_of(drawn, receptors)),
        frames=frames,
        receptors=receptors,
        centreline=centreline(neutral.model, plan.end_s, frame),
        times=Times(
            release_start=plan.release_start,
            now_s=plan.now_s,
            release_end_s=plan.release_end_s,
            end_s=plan.end_s,
            compute_ms=0.0,
        ),
        chemical=_chemical_view(plan),
        source=plan.source,
        mass_kg=shown(plan.mass_kg),
        indoor_air_changes_per_h=plan.indoor_air_changes_per_h,
        points=point_views(plan, answer, drawn, bands, frame),
        arrivals=_arrivals(plan, answer, frame),
        engines=_engine_views(plan, answer, [neutral, *dense.each], dense.failures, frame),
        ensemble=None if bands is None else bands.view(frame),
    )


def frame_times_of(plan: RunPlan) -> list[float]:
    """Return the times [s] of the frames, rising: over the release, after it, and now."""
    after = plan.end_s - plan.release_end_s
    times = {plan.release_end_s * share for share in _FRAMES_OF_RELEASE}
    if after > 0.0:
        times |= {plan.release_end_s + after * share for share in _FRAMES_AFTER}
    if plan.now_s > 0.0:
        times.add(plan.now_s)
    return sorted({round(time, 1) for time in times})


def dense_gas_decision(plan: RunPlan, frame: LocalFrame) -> DenseGasDecision | None:
    """Decide by Appendix G; None when the molar mass is not known."""
    if plan.chemical.molar_mass_g_mol is None:
        return None
    weather = plan.weather.weather
    east, north = frame.to_metres([r.longitude for r in plan.receptors], [r.latitude for r in plan.receptors])
    distances = (east**2 + north**2) ** 0.5
    return decide(
        rate_kg_s=plan.rate_kg_s,
        duration_s=plan.release_end_s,
        molar_mass_g_mol=plan.chemical.molar_mass_g_mol,
        gas_temperature_k=plan.gas_temperature_c + 273.15,
        air_temperature_k=weather.temperature_c + 273.15,
        pressure_pa=weather.pressure_kpa * 1000.0,
        wind_10m_m_s=float(weather.wind_at(10.0)),
        diameter_m=plan.source_diameter_m,
        nearest_receptor_m=float(distances.min()) if distances.size else _DEFAULT_RECEPTOR_M,
    )


def _zones(plan: RunPlan, drawn: FieldResult, values: Field32) -> list[Zone]:
    thresholds = [level.level_mg_m3 * KG_PER_MG for level in plan.levels]
    shapes = zones(values, drawn.grid, thresholds)
    return [
        Zone(level, shape, drawn.touches_edge(threshold))
        for level, shape, threshold in zip(plan.levels, shapes, thresholds, strict=True)
    ]


def _drawn_zones(plan: RunPlan, answer: Answer, bands: Bands | None, *, dense_first: bool) -> list[Zone]:
    """The run's zones. Where the rate is an estimate, one footprint would promise what nobody knows: then they are
    where each level is exceeded with 50 % probability, and around each, before it, where it is with 10 %.

    The bands are the neutral engine's. A dense answer stays as it is, and the outer band holds it as well.
    """
    single = _zones(plan, answer.drawn, answer.drawn.peak)
    if bands is None or plan.rate_interval is None:
        return single
    outer = bands.zones(OUTER, outer=True)
    if dense_first:
        pairs = zip([band.holding(zone) for band, zone in zip(outer, single, strict=True)], single, strict=True)
    else:
        pairs = zip(outer, bands.zones(MIDDLE), strict=True)
    return [zone for pair in pairs for zone in pair]


def _arrivals(plan: RunPlan, answer: Answer, frame: LocalFrame) -> dict[str, Any]:
    level = next(level for level in plan.levels if level.key == "endpoint-2")
    final = zones(answer.drawn.peak, answer.drawn.grid, [level.level_mg_m3 * KG_PER_MG])[0]
    return arrival_collection(answer, plan.end_s, level, float(final.area), frame)


def _engine_views(
    plan: RunPlan, own: Answer, others: Sequence[Answer], failures: Sequence[EngineFailure], frame: LocalFrame
) -> list[EngineView]:
    """Each engine's answer, the run's own first; the zones of the others are for comparison. Failures come last."""
    views = [_engine_view(plan, own, frame, primary=True)]
    views += [_engine_view(plan, other, frame, primary=False) for other in others if other.engine != own.engine]
    return [*views, *(_failed_view(failure) for failure in failures)]


def _failed_view(failure: EngineFailure) -> EngineView:
    passing = failure.kind in ("timed-out", "crashed")
    return EngineView(engine=failure.engine, version="", primary=False, failure=failure.reason, passing=passing)


def _engine_view(plan: RunPlan, answer: Answer, frame: LocalFrame, *, primary: bool) -> EngineView:
    found = _zones(plan, answer.drawn, answer.drawn.peak)
    return EngineView(
        engine=answer.engine,
        version=answer.version,
        primary=primary,
        validity=answer.validity,
        zones=None if primary else zone_collection(found, frame),
        distances_m={zone.name: round(zone.farthest_m, 1) for zone in found},
    )


def _chemical_view(plan: RunPlan) -> ChemicalView:
    substance, probit = plan.chemical, plan.chemical.probit
    return ChemicalView(
        cas=substance.cas,
        name=substance.name,
        endpoint1_mg_m3=substance.endpoint1_mg_m3,
        endpoint2_mg_m3=substance.endpoint2_mg_m3,
        probit=None if probit is None else ProbitView(a=probit.a, b=probit.b, n=probit.n, source=probit.source),
    )
