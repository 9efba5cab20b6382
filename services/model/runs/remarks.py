"""The words of warnings and assumptions: one table, so that every remark has both languages."""

from __future__ import annotations

from services.model.runs.result import Remark

_ASSUMPTIONS: dict[str, tuple[str, str]] = {
    "flat-terrain": (
        "平坦均匀地面；不考虑建筑物、地形、化学反应、沉降和颗粒物。",
        "Flat, even ground; no buildings, terrain, chemical reaction, deposition or particles.",
    ),
    "breathing-height": (
        "浓度为离地 1.5 米处、{value} 秒平均值。",
        "Concentrations hold at 1.5 m above ground, averaged over {value} s.",
    ),
    "steady-weather": (
        "气象条件在整个计算时段内保持不变。",
        "The weather stays as it is for the whole time that is computed.",
    ),
    "constant-rate": (
        "泄漏速率恒定，为 {value} kg/s。",
        "The release rate is constant at {value} kg/s.",
    ),
    "rate-estimated": (
        "泄漏速率由监测读数反推，90% 区间为 {low} 至 {high} kg/s。",
        "The rate was estimated from the stations' readings; its 90 % interval is {low} to {high} kg/s.",
    ),
    "release-start-estimated": (
        "泄漏开始时间按首次超标读数减去气体传输时间估计。",
        "The release is taken to have begun at the first reading over threshold less the gas's travel time.",
    ),
    "release-goes-on": (
        "泄漏仍在继续：假定持续到预测时段结束（从现在起 {value} 分钟）。",
        "The release goes on: it is assumed to last until the end of the forecast, {value} minutes from now.",
    ),
    "roughness-assumed": (
        "地面粗糙度取 {value} 米（化工园区）。",
        "Roughness length {value} m (chemical park).",
    ),
    "mixing-height-assumed": (
        "混合层高度未测量，取 {value}（EPA SCREEN3 规则）。",
        "The mixing height is not measured; taken as {value} (rule of EPA's SCREEN3).",
    ),
    "sigma-theta-missing": (
        "没有风向标准差：横向扩散采用 Pasquill-Gifford 曲线。",
        "No standard deviation of wind direction: lateral spread follows the Pasquill-Gifford curves.",
    ),
    "cloud-assumed": (
        "云量未知，按五成云估计大气稳定度。",
        "Cloud cover is not known; stability was estimated for a half-covered sky.",
    ),
    "temperature-assumed": (
        "没有气温数据，取 20 摄氏度。",
        "No air temperature was measured; taken as 20 deg C.",
    ),
    "source-diameter": (
        "泄漏源直径取 {value} 米。",
        "The source is {value} m wide.",
    ),
    "flat-terrain-deposition": (
        "平坦均匀地面；考虑干沉降；不考虑建筑物、地形、化学反应和颗粒物。",
        "Flat, even ground, with dry deposition; no buildings, terrain, chemical reaction or particles.",
    ),
    "changing-rate": (
        "泄漏速率随时间变化，平均 {value} kg/s。",
        "The release rate changes with time; its mean is {value} kg/s.",
    ),
    "indoor-air": (
        "室内浓度按每小时换气 {value} 次、混合均匀、墙面不吸附计算。",
        "Indoor air is exchanged {value} times an hour, is well mixed, and loses no gas on walls.",
    ),
    "ensemble": (
        "概率带由 {value} 个成员得出：风向、风速、稳定度和（反推的）泄漏速率在各自的不确定范围内变化；给定的速率不变。",
        (
            "The probability bands come from {value} members: wind direction, wind speed, stability and (where it was "
            "estimated) the rate vary within their uncertainty; a rate that was given stays as it is."
        ),
    ),
    "ensemble-neutral": (
        "概率带由中性气体模型的 {value} 个成员得出，重气的扩散形态不在其中。",
        (
            "The probability bands come from {value} members of the neutral-gas engine; the dense cloud's shape is not "
            "in them."
        ),
    ),
    "dense-plateau": (
        "重气模型只给出最大浓度与到达时间：假定云团到达后以最大浓度停留至释放时长加云团通过时间，剂量偏于保守。",
        (
            "The dense-gas engines give the highest concentration and the arrival: the cloud is taken to stay at its "
            "highest for the length of the release and of the cloud, so doses are on the careful side."
        ),
    ),
    "probit": (
        "死亡概率按 HJ 169-2018 附录 I 计算，假定人员全程停留；常数来源：{value}。",
        "The probability of death follows HJ 169-2018 Appendix I for someone who stays throughout; constants: {value}.",
    ),
    "vapour-temperature": (
        "判别重气时，气体温度取 {value} 摄氏度。",
        "For the dense-gas decision the gas has {value} deg C.",
    ),
}

_WARNINGS: dict[str, tuple[str, str]] = {
    "dense-gas": (
        (
            "理查德森数 {value} 达到重气判据 {cut_off}：该气体应按重气计算，但没有重气模型给出结果，"
            "因此使用了中性气体模型。低洼处和近源处的实际浓度可能更高，云团可能更宽。"
        ),
        (
            "The Richardson number {value} reaches the dense-gas cut-off {cut_off}: this gas should be computed as "
            "dense. No dense-gas engine gave an answer, so the neutral-gas engine was used. Near the source and "
            "in low places the real concentration may be higher and the cloud wider."
        ),
    ),
    "density-unknown": (
        "该物质的摩尔质量未知，无法判别是否为重气；使用了中性气体模型。",
        (
            "The molar mass of this substance is not known, so whether it is dense cannot be decided; "
            "the neutral-gas engine was used."
        ),
    ),
    "light-wind": (
        "风速低于 1 米/秒：风向不可靠，气体可能向任何方向扩散。",
        "The wind is below 1 m/s: its direction cannot be relied upon and the gas may go anywhere.",
    ),
    "very-stable": (
        "大气非常稳定：烟羽可能贴地、集中，误差较大。",
        "The air is very stable: the plume may hug the ground and stay concentrated; errors are larger.",
    ),
    "met-stale": (
        "气象数据已过时（{value} 分钟前）。",
        "The weather data are old: {value} minutes.",
    ),
    "source-undecided": (
        "现有读数不足以确定泄漏源：最可能的源只有 {value}% 的概率。",
        "The readings cannot tell the source: the most probable one has only {value} %.",
    ),
    "rate-uncertain": (
        "泄漏速率很不确定：90% 区间为 {low} 至 {high} kg/s；影响区按中位数绘制，实际可能大得多。",
        (
            "The rate is very uncertain: its 90 % interval is {low} to {high} kg/s. "
            "The zones are drawn for the median; the real ones may be much larger."
        ),
    ),
    "rate-uncertain-bands": (
        "泄漏速率很不确定：90% 区间为 {low} 至 {high} kg/s；内圈为超过概率 50% 的范围，外圈为 10% 的范围。",
        (
            "The rate is very uncertain: its 90 % interval is {low} to {high} kg/s. The inner zones are exceeded with "
            "50 % probability, the outer ones with 10 %."
        ),
    ),
    "rate-uncertain-dense": (
        "泄漏速率很不确定：90% 区间为 {low} 至 {high} kg/s；内圈为按中位数的重气结果，外圈为超过概率 10% 的范围。",
        (
            "The rate is very uncertain: its 90 % interval is {low} to {high} kg/s. The inner zones are the dense-gas "
            "answer for the median, the outer ones are exceeded with 10 % probability."
        ),
    ),
    "level-missing": (
        "没有该物质的 {value}，未绘制。",
        "This substance has no {value}; it is not drawn.",
    ),
    "engine-failed": (
        "模型 {value} 未给出结果：{detail_zh}",
        "The engine {value} gave no answer: {detail_en}",
    ),
    "source-may-be-elsewhere": (
        "有 {value}% 的概率泄漏源不在已登记的风险源之中。",
        "With {value} % the source is none of the registered risk sources.",
    ),
    "zone-clipped": (
        "{label} 的影响区超出计算范围，图上被截断。",
        "The zone of {label} reaches beyond the area that is computed and is cut off.",
    ),
    "beyond-validity": (
        "影响区超过 10 公里，超出模型的适用范围。",
        "A zone reaches beyond 10 km, further than the model holds.",
    ),
    "endpoint-derived": (
        "该物质的毒性终点浓度未在标准表格中直接读到，系推算值。",
        "The endpoints of this substance were derived and not read in the standard's own table.",
    ),
    "over-inventory": (
        "按此速率与时长，泄漏量 {value} kg 超过该风险源的登记存量 {limit} kg。",
        "At this rate and duration {value} kg would leave, more than the {limit} kg registered for the source.",
    ),
}


def assumption(code: str, **values: object) -> Remark:
    """Return an assumption by its code; KeyError for a code without words."""
    return _remark(_ASSUMPTIONS, code, values)


def warning(code: str, **values: object) -> Remark:
    """Return a warning by its code; KeyError for a code without words."""
    return _remark(_WARNINGS, code, values)


def _remark(table: dict[str, tuple[str, str]], code: str, values: dict[str, object]) -> Remark:
    zh, en = table[code]
    return Remark(code=code, zh=zh.format(**values), en=en.format(**values))
