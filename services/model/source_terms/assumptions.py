"""What source terms take for granted, in words."""

from __future__ import annotations

from services.model.source_terms.result import Assumption
from shared.text import BilingualText

_TEXTS: dict[str, tuple[str, str]] = {
    "ideal-gas": ("气体按理想气体处理。", "The gas is an ideal gas."),
    "isothermal": (
        "容器内气体温度不变（器壁供热，偏保守）。",
        "The gas in the vessel keeps its temperature (its walls warm it): the careful case.",
    ),
    "pressure-held": (
        "排放期间容器压力不变（液体自身蒸气或气封维持）。",
        "The pressure in the vessel holds while it empties (by the liquid's own vapour, or a blanket of gas).",
    ),
    "above-liquid": (
        "容器压力达到饱和蒸气压，气相下方有液体，蒸发维持压力不变，直至全部排完。",
        "The vessel is at its vapour pressure: liquid below the gas boils and holds the pressure to the end.",
    ),
    "gas-space-expands": (
        "液面上方气体在 {value} m³ 的初始空间内等温膨胀，压力随之下降。",
        "The gas above the liquid expands from {value} m3 at a constant temperature, and its pressure falls.",
    ),
    "level-falls": (
        "容器直立、截面不变，孔位于底部，液位随存量下降。",
        "An upright vessel with one cross-section and the hole at its bottom; its level falls with what is left.",
    ),
    "turbulent": (
        "黏度未知，按雷诺数大于 100 取排放系数。",
        "The viscosity is not known; the discharge coefficient is that of Re above 100.",
    ),
    "shut": ("泄漏在 {value} s 时被切断。", "The leak is shut after {value} s."),
    "runs-empty": ("泄漏未被切断，直至排完或不再流出。", "Nobody shuts the leak: it lasts until nothing flows."),
    "all-airborne": (
        "两相流的液滴全部进入大气，不形成液池。",
        "All droplets of the two-phase jet stay in the air; no pool forms.",
    ),
    "critical-boiling-point": (
        "按克劳修斯-克拉佩龙方程由沸点推算临界压力下的沸点：{value} K。",
        "The boiling point at the critical pressure is {value} K, from that at 101.325 kPa (Clausius and Clapeyron).",
    ),
    "gas-instead": (
        "闪蒸比例达到 1，按气体泄漏计算（F.8）。",
        "All of the mixture would be vapour: reckoned as a gas (F.8).",
    ),
    "all-liquid-bound": (
        "缺少液体比热容或汽化热，两相流密度无法计算；取全液体密度，为流量上限。",
        "Without heat capacity or heat of vaporisation the mixture's density is unknown: the liquid's bounds the rate.",
    ),
    "all-flashes-bound": (
        "缺少液体比热容或汽化热，闪蒸比例无法计算；按流出的液体全部立即汽化，为上限。",
        "Without heat capacity or heat of vaporisation the flash is unknown: that all boils off at once bounds it.",
    ),
    "flash": ("闪蒸比例 {value}（F.9），其余落地成池。", "A share of {value} flashes (F.9); the rest forms a pool."),
    "ground": (
        "地面按 {value} 取导热参数（表 F.2），地面温度等于气温；热量蒸发自泄漏开始计时。",
        "The ground conducts as {value} does (Table F.2), is as warm as the air, and gives heat from the start on.",
    ),
    "bund": ("液池面积不超过围堰 {value} m²。", "The pool is no wider than its bund of {value} m2."),
    "least-depth": (
        "液池最小厚度取 {value} m（凭记忆，未核实）。",
        "The pool's least depth is {value} m (from memory, not verified).",
    ),
    "vapour-pressure": (
        "液面蒸气压取 {value} Pa（未给定时由沸点和汽化热推算，不超过大气压）。",
        "Vapour pressure at the pool {value} Pa (unless given, by Clausius and Clapeyron; at most the ambient one).",
    ),
    "steady-fire": ("火灾在 {value} s 内匀速燃烧。", "The fire burns evenly for {value} s."),
    "fire-temperature": (
        "烟气按 {value} K 进入大气。",
        "The smoke enters the air at {value} K.",
    ),
    "pool-ends": (
        "液池蒸发到 {value} s 为止，其后视为已覆盖或收集。",
        "The pool evaporates until {value} s; then it counts as covered or taken up.",
    ),
}


def assume(code: str, value: object = "") -> Assumption:
    """Return an assumption by its code, with the value that its text names."""
    zh, en = _TEXTS[code]
    shown = f"{value:.4g}" if isinstance(value, float) else str(value)
    return Assumption(code, BilingualText(zh=zh.format(value=shown), en=en.format(value=shown)))
