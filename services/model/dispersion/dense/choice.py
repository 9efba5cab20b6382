"""Which engines a release is given to, by the Richardson number of HJ 169-2018, Appendix G."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.model.dispersion import ENGINE_NAME
from services.model.dispersion.dense.isolation import installed_engines
from services.model.dispersion.richardson import DenseGasDecision
from shared.text import BilingualText

# The standard asks for both models "near the cut-off" and gives no number: a factor of two in Ri either way.
NEAR_FACTOR = 2.0


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Names of engines. `primary` answers; `others` are run beside it and shown (the standard takes the worse).

    `dense_missing` is True where the gas is dense, or nearly so, and no dense-gas engine is installed.
    """

    primary: tuple[str, ...]
    others: tuple[str, ...]
    reason: BilingualText
    dense_missing: bool = False


def engines_for(decision: DenseGasDecision, installed: Sequence[str] | None = None) -> EngineChoice:
    """Return the engines for a decision; `installed` (None: what is here) names the dense-gas engines at hand."""
    dense = installed_engines() if installed is None else tuple(installed)
    neutral = (ENGINE_NAME,)
    if decision.value is None:
        return EngineChoice(
            neutral,
            (),
            BilingualText(
                zh=f"气体密度 {decision.gas_density_kg_m3:.3f} kg/m3 不大于空气 "
                f"{decision.air_density_kg_m3:.3f} kg/m3，按轻质或中性气体计算（HJ 169-2018 附录 G）。",
                en=f"The gas weighs {decision.gas_density_kg_m3:.3f} kg/m3, no more than the air's "
                f"{decision.air_density_kg_m3:.3f} kg/m3: light or neutral (HJ 169-2018, Appendix G).",
            ),
        )
    near = 1.0 / NEAR_FACTOR <= decision.value / decision.cut_off <= NEAR_FACTOR
    missing = not dense and (decision.dense or near)
    reason = _reason(decision, decision.value, near, missing)
    if missing:
        return EngineChoice(neutral, (), reason, dense_missing=True)
    if decision.dense:
        return EngineChoice(dense, neutral if near else (), reason)
    return EngineChoice(neutral, dense if near else (), reason)


def _reason(decision: DenseGasDecision, value: float, near: bool, missing: bool) -> BilingualText:
    mode_zh, mode_en = ("连续", "a continuous") if decision.mode == "continuous" else ("瞬时", "an instantaneous")
    kind_zh, kind_en = ("重质气体", "dense") if decision.dense else ("轻质或中性气体", "light or neutral")
    against = ("达到", "reaches") if decision.dense else ("未超过", "does not pass")
    zh = (
        f"{mode_zh}排放理查德森数 Ri = {value:.3g}，{against[0]}判据 {decision.cut_off:.3g}，"
        f"属{kind_zh}（HJ 169-2018 附录 G）。"
    )
    en = (
        f"Ri = {value:.3g} of {mode_en} release {against[1]} the cut-off {decision.cut_off:.3g}: "
        f"{kind_en} gas (HJ 169-2018, Appendix G)."
    )
    if missing:
        zh += "未安装重气模型（可选依赖组 dense-gas），只能给出中性气体结果，重气贴地蔓延未计入。"
        en += (
            " No dense-gas engine is installed (optional dependency group dense-gas): the answer is the neutral "
            "engine's and leaves out how dense gas spreads along the ground."
        )
    elif near:
        zh += f"Ri 在判据 {NEAR_FACTOR:g} 倍以内，同时运行两类模型，取不利者。"
        en += f" Ri is within a factor {NEAR_FACTOR:g} of the cut-off: both kinds of engine are run; take the worse."
    return BilingualText(zh=zh, en=en)
