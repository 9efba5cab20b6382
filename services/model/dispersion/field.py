"""Concentration near the ground over an area and over time: the ground of every footprint.

On an axis-aligned grid a round puff is a product of a function of x and one of y, so the field of all puffs is one
matrix product, Y^T (a X). Floats of 32 bits do: contours need three digits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.model.dispersion.grid import Box, Grid, make_grid
from services.model.dispersion.profile import FloatArray
from services.model.dispersion.puff import Cloud, PuffModel

Field32 = npt.NDArray[np.float32]

# The engine's curves end at some 10 km; three times that is where it stops drawing.
FARTHEST_M = 30_000.0
_SMALLEST_HALF_BOX_M = 30.0
_GROWTH_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class FieldResult:
    """Concentrations [kg/m3] as (ny, nx) arrays on `grid`.

    `peak` is the maximum over all times; `frames` the field at each of `frame_times_s`; `peak_reaches_edge` is true
    for a level when its zone meets the edge and the grid would not grow further.
    """

    grid: Grid
    peak: Field32
    frames: tuple[Field32, ...]
    frame_times_s: tuple[float, ...]

    def touches_edge(self, level_kg_m3: float) -> bool:
        """Whether the zone above a level is cut by the grid's edge."""
        return any(_edges_above(self.peak, level_kg_m3))


def snapshot_times(model: PuffModel, end_s: float, frame_times_s: Sequence[float]) -> FloatArray:
    """Return the times [s] at which the cloud is drawn so that its maximum over time has no gaps.

    A cloud of a release of D seconds is D u long: drawn every D / 2 it overlaps itself. A sudden release is drawn when
    it has moved by a quarter of its own age, as its size grows with its age.
    """
    release = model.release
    duration = release.end_s - release.start_s
    step = min(max(duration / 2.0, 5.0), 60.0)
    young = release.end_s + np.geomspace(1.0, max(end_s - release.end_s, 1.001), 24)
    even = np.arange(release.start_s + step, end_s, max(step, (end_s - release.start_s) / 60.0))
    times = np.concatenate((even, young, np.asarray(frame_times_s, dtype=np.float64), [end_s]))
    return np.unique(np.round(times[(times > release.start_s) & (times <= end_s)], 3))


def field_of(cloud: Cloud, grid: Grid, height_m: float) -> Field32:
    """Return the concentration [kg/m3] of a cloud on a grid, shape (ny, nx).

    A puff narrower than half a cell is widened to it, so that mass is kept and no cell is missed; this touches only
    the first metres.
    """
    x, y = grid.to_axes(cloud.east, cloud.north)
    sigma_x = np.maximum(cloud.sigma_y, 0.5 * grid.spacing_x(x))
    sigma_y = np.maximum(cloud.sigma_y, 0.5 * grid.spacing_y(y))
    amplitude = (cloud.weight(height_m) / (2.0 * math.pi * sigma_x * sigma_y)).astype(np.float32)
    along = _bell(grid.x, x, sigma_x) * amplitude[:, None]
    across = _bell(grid.y, y, sigma_y)
    return np.asarray(across.T @ along, dtype=np.float32)


def compute_field(
    model: PuffModel,
    end_s: float,
    lowest_level_kg_m3: float,
    frame_times_s: Sequence[float] = (),
    height_m: float = 1.5,
    nodes: int = 400,
) -> FieldResult:
    """Compute the maximum over time and the frames, on a grid that holds the zone of the lowest level.

    Parameters
    ----------
    model : release and weather.
    end_s : how long the gas is followed [s].
    lowest_level_kg_m3 : the level whose zone must fit.
    frame_times_s : times [s] whose fields are kept.
    height_m : height of breathing, above ground.
    nodes : points along each axis.

    The grid grows until the zone fits or `FARTHEST_M` is reached; `FieldResult.touches_edge` then says so.
    """
    times = snapshot_times(model, end_s, frame_times_s)
    clouds = [(float(t), cloud) for t in times if (cloud := model.cloud_at(float(t))) is not None]
    axis = _axis_of([cloud for _, cloud in clouds])
    box = _estimated_box([cloud for _, cloud in clouds], axis, lowest_level_kg_m3, height_m)
    result = _draw(clouds, make_grid(box, nodes, *axis), frame_times_s, height_m)
    for _ in range(_GROWTH_ROUNDS):
        sides = _edges_above(result.peak, lowest_level_kg_m3)
        larger = box.grown(sides, 1.4, FARTHEST_M)
        if not any(sides) or larger == box:
            break
        box = larger
        result = _draw(clouds, make_grid(box, nodes, *axis), frame_times_s, height_m)
    return result


def _draw(
    clouds: list[tuple[float, Cloud]], grid: Grid, frame_times_s: Sequence[float], height_m: float
) -> FieldResult:
    peak = np.zeros((grid.y.size, grid.x.size), dtype=np.float32)
    wanted = {round(float(t), 3) for t in frame_times_s}
    frames: dict[float, Field32] = {}
    for time, cloud in clouds:
        field = field_of(cloud, grid, height_m)
        np.maximum(peak, field, out=peak)
        if time in wanted:
            frames[time] = field
    return FieldResult(grid, peak, tuple(frames.values()), tuple(frames))


def _bell(axis: FloatArray, centre: FloatArray, sigma: FloatArray) -> Field32:
    scaled = ((axis[None, :] - centre[:, None]) / sigma[:, None]).astype(np.float32)
    return np.asarray(np.exp(np.float32(-0.5) * np.minimum(scaled * scaled, np.float32(170.0))), dtype=np.float32)


def _axis_of(clouds: Sequence[Cloud]) -> tuple[float, float]:
    """The direction in which most gas went: the grid's x axis."""
    east = sum(float(np.sum(cloud.mass * cloud.east)) for cloud in clouds)
    north = sum(float(np.sum(cloud.mass * cloud.north)) for cloud in clouds)
    return east, north


def _estimated_box(clouds: Sequence[Cloud], axis: tuple[float, float], level_kg_m3: float, height_m: float) -> Box:
    """Bound the zone by what the cloud holds at its own centres, where C falls off as exp(-r^2 / 2 sigma^2)."""
    length = math.hypot(*axis)
    cosine, sine = (axis[0] / length, axis[1] / length) if length > 0.0 else (1.0, 0.0)
    low_x, high_x, low_y, high_y = (_SMALLEST_HALF_BOX_M * s for s in (-1.0, 1.0, -1.0, 1.0))
    for cloud in clouds:
        centre = cloud.concentration_at(cloud.east, cloud.north, height_m)
        inside = centre > level_kg_m3
        if not inside.any():
            continue
        sigma = cloud.sigma_y[inside]
        reach = sigma * (np.sqrt(2.0 * np.log(centre[inside] / level_kg_m3)) + 0.5)
        x = cloud.east[inside] * cosine + cloud.north[inside] * sine
        y = -cloud.east[inside] * sine + cloud.north[inside] * cosine
        low_x, high_x = min(low_x, float((x - reach).min())), max(high_x, float((x + reach).max()))
        low_y, high_y = min(low_y, float((y - reach).min())), max(high_y, float((y + reach).max()))
    return Box(low_x, high_x, low_y, high_y).clamped(FARTHEST_M)


def _edges_above(field: Field32, level: float) -> tuple[bool, bool, bool, bool]:
    """Which sides (x low, x high, y low, y high) a zone touches."""
    return (
        bool((field[:, 0] >= level).any()),
        bool((field[:, -1] >= level).any()),
        bool((field[0, :] >= level).any()),
        bool((field[-1, :] >= level).any()),
    )
