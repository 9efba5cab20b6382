"""What the commands print: results and substances for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    # For the types alone: a command that only finds a substance does not load the engines.
    from services.model.chemicals import Chemical, Guideline, Sourced
    from services.model.runs.result import EngineView, RunResult
    from services.model.scenario import Scenario
    from services.model.source_terms import SourceTerm
    from shared.text import BilingualText


def both(text: BilingualText) -> str:
    """A text in both languages."""
    return f"{text.zh} | {text.en}"


def result_table(scenario: Scenario, result: RunResult) -> RenderableType:
    """Zones, receptors, the engine and why, warnings."""
    parts: list[RenderableType] = []
    if scenario.title is not None:
        parts.append(Text(both(scenario.title), style="bold"))
    weather = result.meteorology
    parts.append(
        Text(
            f"{result.rate_kg_s:g} kg/s · {weather.wind_speed_m_s:g} m/s ← {weather.wind_from_deg:.0f}° · "
            f"{weather.stability_class} · {result.engine} {result.version}"
        )
    )
    parts.append(Text(both(result.reason), style="dim"))
    parts.append(_zones(result))
    answered = [engine for engine in result.engines if engine.failure is None]
    if len(answered) > 1:
        parts.append(_engines(answered))
    if result.receptors:
        parts.append(_receptors(result))
    parts += [Text(f"! {remark.zh} | {remark.en}", style="yellow") for remark in result.warnings]
    return Group(*parts)


def _zones(result: RunResult) -> Table:
    table = _table("zone | 区域", ">reaches | 最远距离", ">area | 面积")
    for feature in result.zones["features"]:
        zone = feature["properties"]
        label = escape(f"{zone['label']['zh']} | {zone['label']['en']}")
        if zone["area_m2"] > 0.0:
            cut = "+" if zone["clipped"] else ""
            table.add_row(label, f"{zone['max_distance_m']:,.0f} m{cut}", f"{zone['area_m2'] / 1e4:,.2f} ha{cut}")
        else:
            table.add_row(label, "-", "-")
    return table


def _engines(answered: Sequence[EngineView]) -> Table:
    """The spread between engines: how far each lets the zones reach. Why one gave no answer is among the warnings."""
    names = list(dict.fromkeys(name for engine in answered for name in engine.distances_m))
    table = _table("engine | 模型", *(f">{name}" for name in names))
    for engine in answered:
        reaches = [engine.distances_m.get(name, 0.0) for name in names]
        told = [f"{reach:,.0f} m" if reach > 0.0 else "-" for reach in reaches]
        table.add_row(f"{engine.engine} {engine.version}", *told)
    return table


def _receptors(result: RunResult) -> Table:
    table = _table("receptor | 敏感目标", ">peak | 峰值", ">arrival | 到达", ">people | 人口", "inside | 所在区域")
    for place in result.receptors:
        arrival = "-" if place.arrival_s is None else f"{place.arrival_s / 60.0:.1f} min"
        table.add_row(
            escape(both(place.name)),
            f"{place.peak_mg_m3:g} mg/m³",
            arrival,
            f"{place.population:,}",
            ", ".join(place.inside) or "-",
        )
    return table


def source_term_table(substance: Chemical, term: SourceTerm) -> RenderableType:
    """How much gets into the air, how fast and for how long, and what was assumed."""
    table = _table("", ">")
    table.add_row("into the air | 进入大气", f"{term.airborne_kg:,.4g} kg")
    table.add_row("highest rate | 最大速率", f"{term.peak_rate_kg_s:.4g} kg/s")
    table.add_row("mean rate | 平均速率", f"{term.airborne_kg / term.duration_s:.4g} kg/s")
    table.add_row("lasts | 持续时间", f"{term.duration_s:,.0f} s")
    table.add_row("state | 状态", term.phase)
    table.add_row("temperature | 温度", f"{term.temperature_k - 273.15:.1f} °C")
    table.add_row("width of the source | 源宽", f"{term.diameter_m:.4g} m")
    table.add_row("left the vessel | 泄漏量", f"{term.outflow_kg:,.4g} kg")
    table.add_row("left on the ground | 地面残留", f"{term.pool_left_kg:,.4g} kg")
    said = [Text(f"· {both(assumption.text)}", style="dim") for assumption in term.assumptions]
    return Group(Text(f"{substance.cas}  {both(substance.name)}", style="bold"), table, *said)


def chemicals_table(found: Sequence[Chemical]) -> RenderableType:
    """A row a substance."""
    table = _table("CAS", "name | 名称", ">endpoint-1 mg/m³", ">endpoint-2 mg/m³", ">g/mol")
    for entry in found:
        mass = "-" if entry.molar_mass_g_mol is None else f"{entry.molar_mass_g_mol:g}"
        row = (f"{entry.endpoint1_mg_m3:g}", f"{entry.endpoint2_mg_m3:g}", mass)
        table.add_row(entry.cas, escape(both(entry.name)), *row)
    return table


def chemical_table(entry: Chemical) -> RenderableType:
    """Everything that is known of one substance, each value with its source."""
    table = _table("value | 数值", ">", "unit | 单位", "source | 来源")
    read = entry.source if entry.read_in_standard else f"{entry.source} (derived | 推导)"
    table.add_row("endpoint-1 | 大气毒性终点浓度-1", f"{entry.endpoint1_mg_m3:g}", "mg/m³", escape(read))
    table.add_row("endpoint-2 | 大气毒性终点浓度-2", f"{entry.endpoint2_mg_m3:g}", "mg/m³", escape(read))
    for name, known in _properties(entry):
        if known is None:
            table.add_row(name, "-", "", "not known | 未知")
        else:
            checked = "" if known.verified else " (unverified | 未核实)"
            table.add_row(name, f"{known.value:g}", known.unit, escape(known.source + checked))
    for level in _guidelines(entry):
        duration = "" if level.duration_min is None else f" {level.duration_min} min"
        value = "NR" if level.value is None else f"{level.value:g}"
        checked = "" if level.verified else " (unverified | 未核实)"
        table.add_row(level.key + duration, value, level.unit, escape(level.source + checked))
    return Group(Text(f"{entry.cas}  {both(entry.name)}", style="bold"), table)


def _properties(entry: Chemical) -> Iterator[tuple[str, Sourced | None]]:
    known = entry.properties
    yield "boiling point | 沸点", known.boiling_point
    yield "heat of vaporisation | 汽化热", known.heat_of_vaporisation
    yield "heat capacity of the liquid | 液体比热", known.heat_capacity_liquid
    yield "density of the liquid | 液体密度", known.liquid_density
    yield "heat capacity ratio of the gas | 气体绝热指数", known.heat_capacity_ratio


def _guidelines(entry: Chemical) -> Iterator[Guideline]:
    for _, levels in sorted(entry.aegl.items()):
        yield from filter(None, levels)
    yield from filter(None, entry.erpg)
    yield from filter(None, entry.pac)
    if entry.idlh is not None:
        yield entry.idlh


def _table(*headings: str) -> Table:
    """A table; a heading that begins with > has numbers below it, aligned on the right."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for heading in headings:
        table.add_column(heading.lstrip(">"), overflow="fold", justify="right" if heading.startswith(">") else "left")
    return table
