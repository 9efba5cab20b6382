"""The computation of one run: everything is in the arguments, nothing is asked of anyone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.model.chemicals import Chemical
from services.model.dispersion import ENGINE_NAME, ENGINE_VERSION
from services.model.dispersion.contours import zones
from services.model.dispersion.exposure import exposure_at
from services.model.dispersion.field import Field32, FieldResult, compute_field
from services.model.dispersion.meteorology import steady
from services.model.dispersion.projection import LocalFrame, local_frame
from services.model.dispersion.puff import PuffModel
from services.model.dispersion.release import constant_release
from services.model.dispersion.richardson import DenseGasDecision, decide
from services.model.runs.geojson import centreline, zone_collection
from services.model.runs.levels import ZoneLevel
from services.model.runs.progress import Progress
from services.model.runs.remarks import assumption, warning
from services.model.runs.result import (
    FrameView,
    ReceptorView,
    Remark,
    RichardsonView,
    RunResult,
    SourceView,
    Times,
)
from services.model.runs.weather import EngineWeather
from shared.text import BilingualText

_KG_PER_MG = 1e-6
_BREATHING_HEIGHT_M = 1.5

# Frames stand closer while the gas is new, and thin out as it drifts away after the release.
_FRAMES_OF_RELEASE = (0.1, 0.25, 0.5, 0.75, 1.0)
_FRAMES_AFTER = (0.1, 0.25, 0.5, 1.0)
_VALID_TO_M = 10_000.0
_DEFAULT_RECEPTOR_M = 1000.0
_UNCERTAIN_RATIO = 30.0

# The tail of a Gaussian is no concentration.
_LEAST_SHOWN_MG_M3 = 1e-6

VALIDITY = BilingualText(
    zh="中性或轻气体；平坦地形；距源约 20 米至 10 公里；风速 0.5 米/秒以上较可靠；预测值与实测值通常相差 2 倍以内。",
    en="Neutral or light gas; flat terrain; some 20 m to 10 km from the source; best in winds above 0.5 m/s; "
    "predictions are usually within a factor 2 of measurements.",
)


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
class RunPlan:
    """All that a computation needs. Times in seconds after the release began at `release_start`."""

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
    averaging_s: float = 600.0
    source_diameter_m: float = 1.0
    inventory_kg: float | None = None
    nodes: int = 400
    warnings: list[Remark] = field(default_factory=list)
    assumptions: list[Remark] = field(default_factory=list)


def compute(plan: RunPlan, progress: Progress | None = None) -> RunResult:
    """Compute zones, frames and exposure, telling `progress`, which may stop it by an exception of its own.

    Raises ValueError, naming the value, for what the engine refuses.
    """
    tell = progress or (lambda _fraction, _step: None)
    tell(0.0, "field")
    frame = local_frame(plan.source.longitude, plan.source.latitude)
    model = PuffModel(
        constant_release(plan.rate_kg_s, plan.release_end_s, plan.source.height_m, diameter_m=plan.source_diameter_m),
        steady(plan.weather.weather),
        plan.averaging_s,
    )
    frame_times = frame_times_of(plan)
    lowest = min(level.level_mg_m3 for level in plan.levels) * _KG_PER_MG
    drawn = compute_field(model, plan.end_s, lowest, frame_times, _BREATHING_HEIGHT_M, plan.nodes)
    tell(0.6, "zones")
    peak_zones = _zones(drawn, drawn.peak, plan.levels, frame)
    frames = [
        FrameView(time_s=time, zones=_zones(drawn, values, plan.levels, frame))
        for time, values in zip(drawn.frame_times_s, drawn.frames, strict=True)
    ]
    tell(0.8, "receptors")
    decision = dense_gas_decision(plan, frame)
    return RunResult(
        engine=ENGINE_NAME,
        version=ENGINE_VERSION,
        reason=_reason(decision),
        richardson=_richardson_view(decision),
        warnings=[*plan.warnings, *_warnings(plan, decision, peak_zones)],
        assumptions=_assumptions(plan),
        validity=VALIDITY,
        meteorology=plan.weather.view,
        rate_kg_s=float(f"{plan.rate_kg_s:.4g}"),
        rate_low_kg_s=plan.rate_interval[0] if plan.rate_interval else None,
        rate_high_kg_s=plan.rate_interval[1] if plan.rate_interval else None,
        zones=peak_zones,
        frames=frames,
        receptors=_receptors(plan, model, frame),
        centreline=centreline(model, plan.end_s, frame),
        times=Times(
            release_start=plan.release_start,
            now_s=plan.now_s,
            release_end_s=plan.release_end_s,
            end_s=plan.end_s,
            compute_ms=0.0,
        ),
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
    """Decide by Appendix G; None when the molar mass is not known.

    The gas has the colder of air and boiling point, since what boils off a liquid is as cold as that.
    """
    if plan.chemical.molar_mass_g_mol is None:
        return None
    weather = plan.weather.weather
    east, north = frame.to_metres([r.longitude for r in plan.receptors], [r.latitude for r in plan.receptors])
    distances = (east**2 + north**2) ** 0.5
    return decide(
        rate_kg_s=plan.rate_kg_s,
        duration_s=plan.release_end_s,
        molar_mass_g_mol=plan.chemical.molar_mass_g_mol,
        gas_temperature_k=_gas_temperature_c(plan) + 273.15,
        air_temperature_k=weather.temperature_c + 273.15,
        pressure_pa=weather.pressure_kpa * 1000.0,
        wind_10m_m_s=float(weather.wind_at(10.0)),
        diameter_m=plan.source_diameter_m,
        nearest_receptor_m=float(distances.min()) if distances.size else _DEFAULT_RECEPTOR_M,
    )


def _gas_temperature_c(plan: RunPlan) -> float:
    ambient = plan.weather.weather.temperature_c
    boiling = plan.chemical.boiling_point_c
    return ambient if boiling is None else min(ambient, boiling)


def _zones(drawn: FieldResult, values: Field32, levels: list[ZoneLevel], frame: LocalFrame) -> dict[str, Any]:
    shapes = zones(values, drawn.grid, [level.level_mg_m3 * _KG_PER_MG for level in levels])
    clipped = [drawn.touches_edge(level.level_mg_m3 * _KG_PER_MG) for level in levels]
    return zone_collection(levels, shapes, clipped, frame)


def _receptors(plan: RunPlan, model: PuffModel, frame: LocalFrame) -> list[ReceptorView]:
    if not plan.receptors:
        return []
    east, north = frame.to_metres([r.longitude for r in plan.receptors], [r.latitude for r in plan.receptors])
    exposure = exposure_at(model, east, north, plan.end_s, _BREATHING_HEIGHT_M)
    arrivals = exposure.arrival_s(plan.chemical.endpoint2_mg_m3 * _KG_PER_MG)
    views = []
    for place, peak, arrival in zip(plan.receptors, exposure.peak / _KG_PER_MG, arrivals, strict=True):
        inside = [
            level.key if level.key != "custom" else f"custom:{level.level_mg_m3:g}"
            for level in plan.levels
            if peak >= level.level_mg_m3
        ]
        views.append(
            ReceptorView(
                id=place.id,
                name=place.name,
                kind=place.kind,
                population=place.population,
                longitude=place.longitude,
                latitude=place.latitude,
                peak_mg_m3=float(f"{peak:.4g}") if peak > _LEAST_SHOWN_MG_M3 else 0.0,
                arrival_s=None if arrival is None else round(arrival, 1),
                inside=inside,
            )
        )
    return sorted(views, key=lambda view: (-view.peak_mg_m3, view.id))


def _reason(decision: DenseGasDecision | None) -> BilingualText:
    if decision is None:
        return BilingualText(
            zh="摩尔质量未知，无法按 HJ 169-2018 附录 G 判别；使用中性气体模型。",
            en="The molar mass is not known, so HJ 169-2018 Appendix G cannot be applied; neutral-gas engine.",
        )
    if decision.value is None:
        return BilingualText(
            zh="气体不比空气重（HJ 169-2018 附录 G）：中性或轻气体模型。",
            en="The gas is not denser than air (HJ 169-2018 Appendix G): neutral or light gas.",
        )
    if decision.dense:
        return BilingualText(
            zh=f"理查德森数 {decision.value:.3g} 达到判据 {decision.cut_off:.3g}，属重气；"
            "本版本没有重气模型，故使用中性气体模型。",
            en=f"Ri {decision.value:.3g} reaches the cut-off {decision.cut_off:.3g}: dense gas. The dense-gas engine "
            "is not part of this version, so the neutral-gas engine was used.",
        )
    return BilingualText(
        zh=f"理查德森数 {decision.value:.3g} 低于判据 {decision.cut_off:.3g}（HJ 169-2018 附录 G）：中性气体模型。",
        en=f"Ri {decision.value:.3g} is below the cut-off {decision.cut_off:.3g} (HJ 169-2018 Appendix G): "
        "neutral gas.",
    )


def _richardson_view(decision: DenseGasDecision | None) -> RichardsonView | None:
    if decision is None:
        return None
    return RichardsonView(
        mode=decision.mode,
        value=None if decision.value is None else float(f"{decision.value:.4g}"),
        cut_off=float(f"{decision.cut_off:.4g}"),
        dense=decision.dense,
        gas_density_kg_m3=float(f"{decision.gas_density_kg_m3:.4g}"),
        air_density_kg_m3=float(f"{decision.air_density_kg_m3:.4g}"),
        source_diameter_m=decision.source_diameter_m,
    )


def _warnings(plan: RunPlan, decision: DenseGasDecision | None, collection: dict[str, Any]) -> list[Remark]:
    found: list[Remark] = []
    weather = plan.weather.weather
    if decision is None:
        found.append(warning("density-unknown"))
    elif decision.dense:
        found.append(warning("dense-gas", value=f"{decision.value:.3g}", cut_off=f"{decision.cut_off:.3g}"))
    if plan.rate_interval is not None and plan.rate_interval[1] > _UNCERTAIN_RATIO * plan.rate_interval[0]:
        low, high = plan.rate_interval
        found.append(warning("rate-uncertain", low=f"{low:.2g}", high=f"{high:.2g}"))
    if weather.wind_speed_m_s < 1.0:
        found.append(warning("light-wind"))
    if weather.stability > 5.5:
        found.append(warning("very-stable"))
    if not plan.chemical.read_in_standard:
        found.append(warning("endpoint-derived"))
    mass = plan.rate_kg_s * plan.release_end_s
    if plan.inventory_kg is not None and mass > plan.inventory_kg:
        found.append(warning("over-inventory", value=f"{mass:.0f}", limit=f"{plan.inventory_kg:.0f}"))
    features = collection["features"]
    for feature in features:
        properties = feature["properties"]
        if properties["clipped"]:
            found.append(warning("zone-clipped", label=f"{properties['level_mg_m3']:g} mg/m³"))
    if any(feature["properties"]["max_distance_m"] > _VALID_TO_M for feature in features):
        found.append(warning("beyond-validity"))
    return found


def _assumptions(plan: RunPlan) -> list[Remark]:
    remarks = [
        assumption("constant-rate", value=f"{plan.rate_kg_s:.3g}"),
        assumption("steady-weather"),
        assumption("breathing-height", value=f"{plan.averaging_s:.0f}"),
        assumption("flat-terrain"),
        assumption("source-diameter", value=f"{plan.source_diameter_m:g}"),
        assumption("vapour-temperature", value=f"{_gas_temperature_c(plan):.0f}"),
    ]
    if plan.rate_interval is not None:
        low, high = plan.rate_interval
        remarks.insert(1, assumption("rate-estimated", low=f"{low:.2g}", high=f"{high:.2g}"))
    return [*remarks, *plan.weather.assumptions, *plan.assumptions]
