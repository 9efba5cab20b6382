"""The side of the map: which colour is which concentration, who the numbers are, and what it was computed with."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from services.model.report.fonts import families, writes_chinese
from services.model.report.layers import ARRIVAL, COLOURS, INK, is_outer
from services.model.report.view import MapView
from services.model.report.words import both, compass, cut, distance, duration, level_name, number
from services.model.runs.result import RunResult
from shared.text import BilingualText

_DIM = "#5d6864"
_ROW_INCH = 0.2
_RUN_LINES = 5
_HEADINGS = {
    "zones": BilingualText(zh="影响区（到达距离）", en="Zones (reach)"),
    "arrival": BilingualText(zh="终点浓度-2 到达时间", en="Arrival of endpoint 2"),
    "receptors": BilingualText(zh="敏感目标（人数）", en="Receptors (people)"),
    "run": BilingualText(zh="计算条件", en="Computed with"),
    "source": BilingualText(zh="泄漏源", en="Source"),
}
_NOT_REACHED = BilingualText(zh="未达到", en="not reached")


class _Side:
    """Writes line by line from the top."""

    def __init__(self, axes: Axes) -> None:
        axes.set_axis_off()
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        self.axes = axes
        self.y = 0.985
        self.chinese = writes_chinese()
        figure = axes.get_figure(root=True)
        assert figure is not None
        # A line is as high as its letters, whatever the height of the picture.
        self.row = _ROW_INCH / (figure.get_figheight() * axes.get_position().height)

    def has_room(self, lines: int) -> bool:
        """Whether so many lines and a little still fit: half a table is worse than none."""
        return self.y > (lines + 0.5) * self.row

    def heading(self, key: str) -> None:
        self.y -= 0.35 * self.row
        self._write(0.0, both(_HEADINGS[key], self.chinese), size=9.5, weight="bold", color=INK)
        self.y -= self.row

    def line(self, said: str, left: float = 0.0, **look: Any) -> None:
        self._write(left, said, **({"size": 8.2, "color": INK} | look))
        self.y -= self.row

    def swatch(self, colour: str, outer: bool) -> None:
        box = Rectangle(
            (0.0, self.y - 0.3 * self.row), 0.055, 0.6 * self.row, facecolor=colour, alpha=0.08 if outer else 0.35
        )
        edge = Rectangle(
            (0.0, self.y - 0.3 * self.row),
            0.055,
            0.6 * self.row,
            fill=False,
            edgecolor=colour,
            lw=1.3,
            ls="--" if outer else "-",
        )
        self.axes.add_patch(box)
        self.axes.add_patch(edge)

    def right(self, said: str) -> None:
        self._write(1.0, said, size=8.2, color=INK, ha="right")

    def _write(self, x: float, said: str, **look: Any) -> None:
        self.axes.text(x, self.y, said, family=families(), va="center", parse_math=False, **look)


def draw_legend(axes: Axes, view: MapView, result: RunResult) -> None:
    """Draw the side of the map."""
    side = _Side(axes)
    side.heading("zones")
    for feature in result.zones["features"]:
        _zone_row(side, feature["properties"], bool(feature["geometry"]["coordinates"]))
    side.axes.plot([0.027], [side.y], marker="*", markersize=11, color=INK)
    side.line(both(_HEADINGS["source"], side.chinese), 0.08)
    if result.arrivals and result.arrivals["features"]:
        side.axes.plot([0.0, 0.055], [side.y, side.y], color=ARRIVAL, linewidth=1.2, linestyle=":")
        side.line(both(_HEADINGS["arrival"], side.chinese), 0.08)
    if side.has_room(1 + len(view.receptors)) and view.receptors:
        _receptor_rows(side, view)
    if side.has_room(1 + _RUN_LINES):
        _run_rows(side, result)


def _zone_row(side: _Side, properties: dict[str, Any], reached: bool) -> None:
    outer = is_outer(properties)
    side.swatch(COLOURS.get(properties["colour"], COLOURS["blue"]), outer)
    reach = ("≥ " if properties["clipped"] else "") + distance(properties["max_distance_m"])
    side.right(reach if reached else both(_NOT_REACHED, side.chinese))
    level = level_name(str(properties["key"]).removesuffix("-p10"))
    name = f"{both(level, side.chinese, ' ')} {number(properties['level_mg_m3'])} mg/m³"
    chance = properties.get("probability")
    side.line(name + (f" P≥{100 * chance:.0f}%" if chance else ""), 0.08)


def _receptor_rows(side: _Side, view: MapView) -> None:
    side.heading("receptors")
    for one in view.receptors:
        side.right(f"{one.receptor.population:,}")
        name = f"{one.number}  {cut(both(one.receptor.name, side.chinese, ' '), 26)}"
        side.line(name, 0.0, weight="bold" if one.receptor.inside else "normal")


def _run_rows(side: _Side, result: RunResult) -> None:
    side.heading("run")
    weather = result.meteorology
    wind = compass(weather.wind_from_deg)
    rate = f"{number(result.rate_kg_s)} kg/s"
    if result.rate_low_kg_s is not None and result.rate_high_kg_s is not None:
        rate += f" ({number(result.rate_low_kg_s, 2)} – {number(result.rate_high_kg_s, 2)})"
    blows = f"{weather.wind_speed_m_s:.1f} m/s, {both(wind, side.chinese, ' ')} {weather.wind_from_deg:.0f}°"
    lines = [
        f"{both(BilingualText(zh='速率', en='rate'), side.chinese, ' ')}  {rate}",
        f"{both(BilingualText(zh='时长', en='lasts'), side.chinese, ' ')}  {duration(result.times.release_end_s)}",
        f"{both(BilingualText(zh='风', en='wind'), side.chinese, ' ')}  {blows}, {weather.stability_class}",
        f"{both(BilingualText(zh='模型', en='engine'), side.chinese, ' ')}  {result.engine} {result.version}",
        f"t₀  {result.times.release_start:%Y-%m-%d %H:%M} UTC",
    ]
    for line in lines:
        side.line(line, size=7.8, color=_DIM)
