"""What a result says about itself: why this engine, what to beware of, what was assumed."""

from __future__ import annotations

from services.model.dispersion.dense.choice import EngineChoice
from services.model.dispersion.richardson import DenseGasDecision
from services.model.runs.dense import DenseAnswers
from services.model.runs.geojson import Zone
from services.model.runs.plan import RunPlan
from services.model.runs.remarks import assumption, warning
from services.model.runs.result import Remark, RichardsonView
from shared.text import BilingualText

_VALID_TO_M = 10_000.0
_UNCERTAIN_RATIO = 30.0


def richardson_view(decision: DenseGasDecision | None) -> RichardsonView | None:
    """The decision of Appendix G in the API's words."""
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


def reason_of(choice: EngineChoice | None, answered: str) -> BilingualText:
    """Why the run's zones are this engine's."""
    if choice is None:
        return BilingualText(
            zh="摩尔质量未知，无法按 HJ 169-2018 附录 G 判别；使用中性气体模型。",
            en="The molar mass is not known, so HJ 169-2018 Appendix G cannot be applied; neutral-gas engine.",
        )
    return BilingualText(zh=f"{choice.reason.zh}采用：{answered}。", en=f"{choice.reason.en} Used: {answered}.")


def warnings_of(
    plan: RunPlan, decision: DenseGasDecision | None, drawn: list[Zone], dense: DenseAnswers, *, dense_first: bool
) -> list[Remark]:
    """What a reader has to beware of."""
    found: list[Remark] = []
    weather = plan.weather.weather
    if decision is None:
        found.append(warning("density-unknown"))
    elif decision.dense and not dense_first:
        found.append(warning("dense-gas", value=f"{decision.value:.3g}", cut_off=f"{decision.cut_off:.3g}"))
    for failure in dense.failures:
        reason = failure.reason
        found.append(warning("engine-failed", value=failure.engine, detail_zh=reason.zh, detail_en=reason.en))
    if dense_first and dense.mean is not None:
        doubts = (Remark(code="engine-doubt", zh=doubt.zh, en=doubt.en) for doubt in dense.mean.remarks)
        found += doubts
    found += _rate_warnings(plan, drawn, dense_first=dense_first)
    if weather.wind_speed_m_s < 1.0:
        found.append(warning("light-wind"))
    if weather.stability > 5.5:
        found.append(warning("very-stable"))
    if not plan.chemical.read_in_standard:
        found.append(warning("endpoint-derived"))
    if plan.inventory_kg is not None and plan.mass_kg > plan.inventory_kg:
        found.append(warning("over-inventory", value=f"{plan.mass_kg:.0f}", limit=f"{plan.inventory_kg:.0f}"))
    # A level and its outer band are one zone to whom it is told.
    for level in dict.fromkeys(zone.level.level_mg_m3 for zone in drawn if zone.clipped):
        found.append(warning("zone-clipped", label=f"{level:g} mg/m³"))
    if any(zone.farthest_m > _VALID_TO_M for zone in drawn):
        found.append(warning("beyond-validity"))
    return found


def _rate_warnings(plan: RunPlan, drawn: list[Zone], *, dense_first: bool) -> list[Remark]:
    if plan.rate_interval is None or plan.rate_interval[1] <= _UNCERTAIN_RATIO * plan.rate_interval[0]:
        return []
    low, high = plan.rate_interval
    banded = "rate-uncertain-dense" if dense_first else "rate-uncertain-bands"
    code = banded if any(zone.outer for zone in drawn) else "rate-uncertain"
    return [warning(code, low=f"{low:.2g}", high=f"{high:.2g}")]


def assumptions_of(plan: RunPlan, *, dense_first: bool) -> list[Remark]:
    """What the run took for granted."""
    rate = "constant-rate" if plan.rate_is_constant else "changing-rate"
    remarks = [
        assumption(rate, value=f"{plan.rate_kg_s:.3g}"),
        assumption("steady-weather"),
        assumption("breathing-height", value=f"{plan.averaging_s:.0f}"),
        assumption("flat-terrain" if plan.deposition_velocity_m_s == 0.0 else "flat-terrain-deposition"),
        assumption("source-diameter", value=f"{plan.source_diameter_m:g}"),
        assumption("vapour-temperature", value=f"{plan.gas_temperature_c:.0f}"),
        assumption("indoor-air", value=f"{plan.indoor_air_changes_per_h:g}"),
    ]
    if plan.rate_interval is not None:
        low, high = plan.rate_interval
        remarks.insert(1, assumption("rate-estimated", low=f"{low:.2g}", high=f"{high:.2g}"))
    if plan.members >= 2:
        remarks.append(assumption("ensemble-neutral" if dense_first else "ensemble", value=plan.members))
    if dense_first:
        remarks.append(assumption("dense-plateau"))
    if plan.chemical.probit is not None:
        remarks.append(assumption("probit", value=plan.chemical.probit.source))
    return [*remarks, *plan.weather.assumptions, *plan.assumptions]
