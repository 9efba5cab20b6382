"""The map as a PNG: zones, bands, arrival, receptors, source, wind, north, scale and legend."""

from __future__ import annotations

import io
import warnings

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from services.model.report.fonts import families, writes_chinese
from services.model.report.layers import draw_layers
from services.model.report.legend import draw_legend
from services.model.report.view import MapView, view_of
from services.model.report.words import both
from services.model.runs.result import RunResult
from shared.text import BilingualText

_TITLE = BilingualText(zh="有毒气体扩散影响范围", en="Reach of the toxic gas")
_MAP_BOX = (0.015, 0.03, 0.66, 0.87)
_SIDE_BOX = (0.69, 0.03, 0.30, 0.87)


def map_png(result: RunResult, *, width_px: int = 1320, height_px: int = 900, dpi: int = 120) -> bytes:
    """Return the map of a result.

    Parameters
    ----------
    result : of a run; it needs its `source`.
    width_px, height_px, dpi : size of the picture.

    Raises ValueError for a result without a source (those of the first version have none).
    """
    view = view_of(result, (_MAP_BOX[2] * width_px) / (_MAP_BOX[3] * height_px))
    figure = Figure(figsize=(width_px / dpi, height_px / dpi), dpi=dpi, facecolor="white")
    FigureCanvasAgg(figure)
    _title(figure, result)
    draw_layers(_map_axes(figure, view), view, result)
    draw_legend(figure.add_axes(_SIDE_BOX), view, result)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # A name in a script that no installed font knows is drawn as boxes: no reason to give no map.
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def _map_axes(figure: Figure, view: MapView) -> Axes:
    axes = figure.add_axes(_MAP_BOX)
    axes.set_xlim(view.west, view.east)
    axes.set_ylim(view.south, view.north)
    axes.set_aspect("equal")
    axes.set_facecolor("#f6f7f5")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#9aa39f")
    return axes


def _title(figure: Figure, result: RunResult) -> None:
    chinese = writes_chinese()
    substance = both(result.chemical.name, chinese) if result.chemical else ""
    place = both(result.source.name, chinese) if result.source and result.source.name else ""
    figure.text(
        0.015, 0.955, both(_TITLE, chinese), family=families(), size=15, weight="bold", va="center", color="#1d2422"
    )
    line = "   ".join(part for part in (substance, place) if part)
    figure.text(
        0.985, 0.955, line, family=families(), size=11, ha="right", va="center", color="#1d2422", parse_math=False
    )
