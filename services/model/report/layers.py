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
    named: list[tuple[float, float]] = [(one.east, one.north) for one in view.receptors]
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
    for one in reversed(view.receptors):
        touched = bool(one.receptor.inside)
        face, ink = (INK, "white") if touched else ("white", INK)
        axes.plot(one.east, one.north, "o", markersize=13, color=face, markeredgecolor=INK, zorder=6)
        look: dict[str, Any] = {"color": ink, "ha": "center", "va": "center_baseline", "weight": "bold", "zorder": 7}
        axes.text(one.east, one.north, str(one.number), size=7.5, **look)


def _grid(axes: Axes, view: MapView) -> None:
    step = nice_length(max(view.width, view.height) / 4.0)
    for line in np.arange(math.ceil(view.west / step), view.east / step) * step:
        axes.axvline(line, color="#e2e6e3", linewidth=0.7, zorder=1)
    for line in np.arange(math.ceil(view.south / step), view.north / step) * step:
        axes.axhline(line, color="#e2e6e3", linewidth=0.7, zorder=1)


def _wind(axes: Axes, from_deg: float, speed_m_s: float) -> None:
    """An arrow the way the wind blows, in the upper left corner."""
    angle = math.radians(from_deg)
    x, y = 36.0, 26.0
    east, north = -18.0 * math.sin(angle), -18.0 * math.cos(angle)
    _arrow(axes, (x - east, y + north), (x + east, y - north), "#2b6cb0")
    left, top = _corner(axes, x, y + 30.0)
    said = f"{speed_m_s:.1f} m/s\n{from_deg:.0f}°"
    look: dict[str, Any] = {
        "size": 8,
        "ha": "center",
        "va": "center",
        "color": "#2b6cb0",
        "path_effects": _OUTLINED,
        "zorder": 10,
    }
    axes.text(left, top, said, transform=axes.transAxes, **look)


def _north(axes: Axes) -> None:
    """An arrow to the north, in the upper right corner: the map's frame has north upwards."""
    x = _size(axes)[0] - 26.0
    _arrow(axes, (x, 44.0), (x, 10.0), INK)
    left, top = _corner(axes, x, 52.0)
    look: dict[str, Any] = {"size": 12, "ha": "center", "va": "center", "weight": "bold", "color": INK, "zorder": 10}
    axes.text(left, top, "N", transform=axes.transAxes, path_effects=_OUTLINED, **look)


def _arrow(axes: Axes, begin: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    """An arrow between two places, in points from the upper left corner."""
    style: dict[str, Any] = {"arrowstyle": "-|>,head_width=0.4,head_length=0.75", "color": colour, "lw": 2.2}
    tip, tail = _corner(axes, *end), _corner(axes, *begin)
    axes.annotate("", xy=tip, xytext=tail, xycoords="axes fraction", arrowprops=style, zorder=10)


def _corner(axes: Axes, right_pt: float, down_pt: float) -> tuple[float, float]:
    """A place so many points from the upper left corner, as a fraction of the map."""
    width, height = _size(axes)
    return right_pt / width, 1.0 - down_pt / height


def _size(axes: Axes) -> tuple[float, float]:
    """Width and height of the map on paper [points]."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    box = axes.get_position()
    return 72.0 * figure.get_figwidth() * box.width, 72.0 * figure.get_figheight() * box.height


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


def _text(axes: Axes, x: float, y: float, said: str, **look: Any) -> None:
    axes.text(x, y, said, family=families(), ha="center", va="center", parse_math=False, path_effects=_OUTLINED, **look)
