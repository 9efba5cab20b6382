"""What is drawn on the map itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from shapely.geometry import MultiPolygon

from services.model.report.fonts import families
from services.model.report.view import MapView
from services.model.report.words import distance, nice_length
from services.model.runs.result import RunResult

COLOURS = {"red": "#c8102e", "orange": "#e8780a", "yellow": "#c9a400", "blue": "#2b6cb0"}
INK = "#1d2422"
ARRIVAL = "#5b3a8e"
_OUTLINED = [withStroke(linewidth=2.6, foreground="white")]
_SCALE_SHARE = 0.25


def draw_layers(axes: Axes, view: MapView, result: RunResult) -> None:
    """Draw everything, the widest zones lowest."""
    _grid(axes, view)
    for feature in _lowest_first(result.zones["features"]):
        _zone(axes, view, feature)
    _arrivals(axes, view, result)
    _receptors(axes, view)
    axes.plot(0.0, 0.0, marker="*", markersize=15, color=INK, markeredgecolor="white", markeredgewidth=0.8, zorder=9)
    _wind(axes, result.meteorology.wind_from_deg, result.meteorology.wind_speed_m_s)
    _north(axes)
    _scale(axes, view)


def is_outer(properties: dict[str, Any]) -> bool:
    """Whether a zone is the outer one of two: exceeded with 10 % instead of 50 %."""
    return str(properties["key"]).endswith("-p10")


def _lowest_first(features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(features, key=lambda f: (not is_outer(f["properties"]), f["properties"]["level_mg_m3"]))


def _zone(axes: Axes, view: MapView, feature: dict[str, Any]) -> None:
    properties = feature["properties"]
    colour = COLOURS.get(properties["colour"], COLOURS["blue"])
    path = _path(view.metres(feature["geometry"]))
    if path is None:
        return
    outer = is_outer(properties)
    fill = 0.07 if outer else 0.28
    axes.add_patch(PathPatch(path, facecolor=colour, edgecolor="none", alpha=fill, zorder=2))
    line = "--" if outer or properties["clipped"] else "-"
    axes.add_patch(PathPatch(path, facecolor="none", edgecolor=colour, linewidth=1.4, linestyle=line, zorder=3))


def _path(area: MultiPolygon) -> Path | None:
    rings = [np.asarray(ring.coords)[:, :2] for part in area.geoms for ring in (part.exterior, *part.interiors)]
    if not rings:
        return None
    codes = [[Path.MOVETO, *[Path.LINETO] * (len(ring) - 2), Path.CLOSEPOLY] for ring in rings]
    return Path(np.vstack(rings), np.concatenate(codes))


def _arrivals(axes: Axes, view: MapView, result: RunResult) -> None:
    """Fronts of endpoint-2, each named at the point of it that is farthest from the source."""
    named: list[tuple[float, float]] = [(east, north) for _, east, north in view.receptors]
    room = 0.05 * view.width
    for feature in (result.arrivals or {"features": []})["features"]:
        area = view.metres(feature["geometry"])
        path = _path(area)
        if path is None:
            continue
        axes.add_patch(PathPatch(path, facecolor="none", edgecolor=ARRIVAL, linewidth=0.9, linestyle=":", zorder=4))
        points = np.vstack([np.asarray(part.exterior.coords)[:, :2] for part in area.geoms])
        tip = points[int(np.argmax(np.hypot(points[:, 0], points[:, 1])))]
        if not (view.west < tip[0] < view.east and view.south < tip[1] < view.north):
            continue
        if any(math.hypot(tip[0] - x, tip[1] - y) < room for x, y in named):
            continue
        named.append((float(tip[0]), float(tip[1])))
        said = f"{feature['properties']['time_s'] / 60.0:.0f} min"
        _text(axes, tip[0], tip[1], said, size=7.5, color=ARRIVAL, zorder=8)


def _receptors(axes: Axes, view: MapView) -> None:
    for number, (receptor, east, north) in enumerate(view.receptors, start=1):
        touched = bool(receptor.inside)
        axes.plot(east, north, "o", markersize=13, color=INK if touched else "white", markeredgecolor=INK, zorder=6)
        axes.text(
            east,
            north,
            str(number),
            size=7.5,
            color="white" if touched else INK,
            ha="center",
            va="center_baseline",
            weight="bold",
            zorder=7,
        )


def _grid(axes: Axes, view: MapView) -> None:
    step = nice_length(max(view.width, view.height) / 4.0)
    for line in np.arange(math.ceil(view.west / step), view.east / step) * step:
        axes.axvline(line, color="#e2e6e3", linewidth=0.7, zorder=1)
    for line in np.arange(math.ceil(view.south / step), view.north / step) * step:
        axes.axhline(line, color="#e2e6e3", linewidth=0.7, zorder=1)


def _wind(axes: Axes, from_deg: float, speed_m_s: float) -> None:
    """An arrow the way the wind blows, in the upper left corner."""
    angle = math.radians(from_deg)
    east, north = -0.035 * math.sin(angle), -0.035 * math.cos(angle)
    ratio = _aspect(axes)
    middle = (0.07, 0.91)
    axes.annotate(
        "",
        xy=(middle[0] + east, middle[1] + north * ratio),
        xytext=(middle[0] - east, middle[1] - north * ratio),
        xycoords="axes fraction",
        arrowprops={"arrowstyle": "-|>,head_width=0.45,head_length=0.8", "color": "#2b6cb0", "lw": 2.6},
        zorder=10,
    )
    axes.text(
        0.07,
        0.825,
        f"{speed_m_s:.1f} m/s\n{from_deg:.0f}°",
        transform=axes.transAxes,
        size=8,
        ha="center",
        va="center",
        color="#2b6cb0",
        path_effects=_OUTLINED,
        zorder=10,
    )


def _north(axes: Axes) -> None:
    axes.annotate(
        "N",
        xy=(0.95, 0.965),
        xytext=(0.95, 0.865),
        xycoords="axes fraction",
        ha="center",
        va="center",
        size=12,
        weight="bold",
        color=INK,
        arrowprops={"arrowstyle": "-|>,head_width=0.4,head_length=0.8", "color": INK, "lw": 1.8},
        zorder=10,
    )


def _scale(axes: Axes, view: MapView) -> None:
    length = nice_length(view.width * _SCALE_SHARE)
    share = length / view.width
    left, bottom = 0.04, 0.045
    for part, colour in ((0, INK), (1, "white")):
        axes.add_patch(
            PathPatch(
                Path(_box(left + part * share / 2.0, bottom, share / 2.0, 0.012)),
                transform=axes.transAxes,
                facecolor=colour,
                edgecolor=INK,
                linewidth=1.0,
                zorder=10,
            )
        )
    for at, said in ((left, "0"), (left + share, distance(length))):
        axes.text(
            at,
            bottom + 0.02,
            said,
            transform=axes.transAxes,
            size=8.5,
            ha="center",
            va="bottom",
            color=INK,
            path_effects=_OUTLINED,
            zorder=10,
        )


def _box(left: float, bottom: float, width: float, height: float) -> list[tuple[float, float]]:
    right, top = left + width, bottom + height
    return [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)]


def _aspect(axes: Axes) -> float:
    """Width by height of the map on paper."""
    box = axes.get_position()
    figure = axes.get_figure()
    assert figure is not None
    width, height = figure.get_size_inches() if hasattr(figure, "get_size_inches") else (1.0, 1.0)
    return float(box.width * width / (box.height * height))


def _text(axes: Axes, x: float, y: float, said: str, **look: Any) -> None:
    axes.text(x, y, said, family=families(), ha="center", va="center", parse_math=False, path_effects=_OUTLINED, **look)
