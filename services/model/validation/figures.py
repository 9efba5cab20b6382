"""Figures of the validation page: scatter with factor-2 lines, and ratios by class and by arc."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from services.model.validation.dense import PoolRow
from services.model.validation.neutral import PlumeRow

_COLOURS = ("#c0392b", "#e67e22", "#b7950b", "#27ae60", "#2980b9", "#6c3483", "#566573")


def draw_plumes(rows: Sequence[PlumeRow], folder: Path) -> list[str]:
    """Draw the passive plumes; return the files' names."""
    pairs = [(row.observed, row.predicted) for row in rows]
    return [
        _scatter(
            folder / "prairie_grass_scatter.svg",
            pairs,
            [f"class {row.class_letter}" for row in rows],
            "Prairie Grass, arc maxima [mg/m³]",
        ),
        _ratios(folder / "prairie_grass_by_class.svg", pairs, [row.class_letter for row in rows], "class from L"),
        _ratios(folder / "prairie_grass_by_arc.svg", pairs, [f"{row.distance_m:g}" for row in rows], "arc [m]", float),
    ]


def draw_pools(rows: Sequence[PoolRow], folder: Path) -> list[str]:
    """Draw the dense pools; return the files' names."""
    pairs = [(row.observed, row.predicted) for row in rows]
    return [
        _scatter(
            folder / "lng_scatter.svg",
            pairs,
            [row.trial for row in rows],
            "LNG pools, combined, maximum on arc [vol %]",
        ),
        _ratios(folder / "lng_by_arc.svg", pairs, [f"{row.distance_m:g}" for row in rows], "arc [m]", float),
    ]


def _scatter(path: Path, pairs: Sequence[tuple[float, float]], labels: Sequence[str], title: str) -> str:
    figure, axes = plt.subplots(figsize=(5.2, 5.0))
    values = np.array(pairs)
    ends = np.array([values.min() / 1.6, values.max() * 1.6])
    for factor, style in ((1.0, "-"), (2.0, "--"), (0.5, "--")):
        axes.plot(ends, ends * factor, style, color="#888888", linewidth=0.9)
    for colour, label in zip(_COLOURS, sorted(set(labels)), strict=False):
        chosen = np.array([one == label for one in labels])
        axes.plot(values[chosen, 0], values[chosen, 1], "o", markersize=4, color=colour, alpha=0.8, label=label)
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends, xlabel="observed", ylabel="predicted", title=title)
    axes.set_aspect("equal")
    axes.legend(fontsize=7, frameon=False)
    return _saved(figure, path)


def _ratios(
    path: Path,
    pairs: Sequence[tuple[float, float]],
    groups: Sequence[str],
    name: str,
    order: Callable[[str], Any] = str,
) -> str:
    figure, axes = plt.subplots(figsize=(5.2, 3.4))
    ratio = np.array([observed / predicted for observed, predicted in pairs])
    names = sorted(set(groups), key=order)
    _bands(axes)
    for place, group in enumerate(names):
        mine = ratio[np.array([one == group for one in groups])]
        spread = np.linspace(-0.18, 0.18, mine.size) if mine.size > 1 else np.zeros(1)
        axes.plot(place + spread, mine, "o", markersize=3.5, color=_COLOURS[4], alpha=0.6)
        axes.plot([place - 0.28, place + 0.28], [np.exp(np.log(mine).mean())] * 2, color=_COLOURS[0], linewidth=2)
    axes.set(yscale="log", xlabel=name, ylabel="observed / predicted")
    low, high = np.floor(np.log2(ratio.min() / 1.1)), np.ceil(np.log2(ratio.max() * 1.1))
    ticks = [float(2.0**power) for power in np.arange(low, high + 1.0)]
    axes.set_ylim(ticks[0], ticks[-1])
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xticks(range(len(names)), names)
    return _saved(figure, path)


def _bands(axes: Axes) -> None:
    axes.axhspan(0.5, 2.0, color="#dddddd", alpha=0.5, linewidth=0)
    axes.axhline(1.0, color="#888888", linewidth=0.9)


def _saved(figure: Any, path: Path) -> str:
    figure.tight_layout()
    # Without a date and with fixed ids the same numbers give the same file.
    with mpl.rc_context({"svg.hashsalt": "fenceline", "svg.fonttype": "path"}):
        figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return path.name
