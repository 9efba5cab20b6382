"""One answer of several engines: their mean in log space, and how far they lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.model.dispersion.dense.engine import DenseResult
from services.model.dispersion.dense.footprint import NODES
from services.model.dispersion.grid import Box, make_grid
from services.model.dispersion.profile import FloatArray

# Where one engine has nothing, this stands in for its logarithm [kg/m3]; a mean below ten times this counts as nothing.
FLOOR_KG_M3 = 1e-9


@dataclass(frozen=True, slots=True)
class Combined:
    """`result` is the mean of the engines in log space, on a grid that holds all of theirs.

    `spread` (n,) is the largest over the smallest concentration on the axis, NaN where an engine has nothing;
    `typical_spread` is its geometric mean.
    """

    result: DenseResult
    spread: FloatArray
    typical_spread: float
    engines: tuple[str, ...]


def combine(results: Sequence[DenseResult]) -> Combined:
    """Combine answers to one scenario; one answer alone is itself, with a spread of 1. ValueError for none."""
    if not results:
        raise ValueError("there is no result to combine")
    grid = make_grid(
        Box(
            min(float(result.x_m[0]) for result in results),
            max(float(result.x_m[-1]) for result in results),
            *_sides(results),
        ),
        NODES,
        1.0,
        0.0,
    )
    y = 0.5 * (grid.y - grid.y[::-1])
    logs = np.stack([_log_on(result, grid.x, y) for result in results])
    mean = np.exp(logs.mean(axis=0))
    axis = logs[:, :, y.size // 2]
    there = (axis > np.log(10.0 * FLOOR_KG_M3)).all(axis=0)
    apart = np.where(there, np.exp(np.ptp(axis, axis=0)), np.nan)
    typical = float(np.exp(np.mean(np.log(apart[there])))) if there.any() else 1.0
    arrivals = [np.interp(grid.x, r.x_m, r.arrival_s) for r in results if r.arrival_s is not None]
    first = results[0]
    return Combined(
        result=DenseResult(
            engine=" + ".join(result.engine for result in results),
            version=" + ".join(result.version for result in results),
            x_m=grid.x,
            y_m=y,
            concentration_kg_m3=np.where(mean >= 10.0 * FLOOR_KG_M3, mean, 0.0),
            arrival_s=np.min(arrivals, axis=0) if arrivals else None,
            half_width_m=np.exp(
                np.mean([np.log(np.interp(grid.x, r.x_m, np.maximum(r.half_width_m, 1e-3))) for r in results], axis=0)
            ),
            kg_m3_per_mole_fraction=first.kg_m3_per_mole_fraction,
            averaging_s=first.averaging_s,
            remarks=tuple(dict.fromkeys(remark for result in results for remark in result.remarks)),
        ),
        spread=apart,
        typical_spread=typical,
        engines=tuple(result.engine for result in results),
    )


def _sides(results: Sequence[DenseResult]) -> tuple[float, float]:
    widest = max(float(result.y_m[-1]) for result in results)
    return -widest, widest


def _log_on(result: DenseResult, x: FloatArray, y: FloatArray) -> FloatArray:
    """Log concentration on other axes, bilinear in the logarithm; the floor outside."""
    floor = float(np.log(FLOOR_KG_M3))
    logs = np.log(np.maximum(result.concentration_kg_m3, FLOOR_KG_M3))
    along = np.stack([np.interp(x, result.x_m, column, left=floor, right=floor) for column in logs.T], axis=1)
    return np.stack([np.interp(y, result.y_m, row, left=floor, right=floor) for row in along])
