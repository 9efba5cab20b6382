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
from services.model.dispersion.growth import CALM_GROWTH_M_S
from services.model.dispersion.profile import FloatArray
from services.model.dispersion.puff import Cloud, PuffModel
from services.model.dispersion.several import CloudModel

Field32 = npt.NDArray[np.float32]

# The engine's curves end at some 10 km; three times that is where it stops drawing.
FARTHEST_M = 30_000.0
_SMALLEST_HALF_BOX_M = 30.0
_GROWTH_ROUNDS = 5

# How far the cloud moves between two drawings, in its own spread: the maximum is missed by at most 8 %.
_SPREADS_A_STEP = 0.8
_LONGEST_STEP_S = 60.0
_MOST_STEPS = 400


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
        return any(edges_above(self.peak, level_kg_m3))


def snapshot_times(model: CloudModel, end_s: float, frame_times_s: Sequence[float]) -> FloatArray:
    """Return the times [s] at which the cloud is drawn so that its maximum over time has no gaps.

    Between two drawings a cloud may move by a quarter of its length and most of its own spread: where the spread is
    small against the length the maximum is a plateau, where it is large the passage is smooth. A release whose rate
    or wind changes is drawn at least every minute.
    """
    times = [np.asarray([*frame_times_s, end_s], dtype=np.float64)]
    times += [np.asarray(_times_of(part, end_s)) for part in model.parts]
    together = np.concatenate(times)
    return np.unique(np.round(together[(together > model.start_s) & (together <= end_s)], 3))


def _times_of(part: PuffModel, end_s: float) -> list[float]:
    release, curve = part.release, part.curves[-1]
    step = 0.25 * (release.end_s - release.start_s)
    if len(part.spells) > 1 or len(release.rates_kg_s) > 1:
        # Finer than a fortieth of the whole a rate in steps is a smooth one.
        shortest = max(float(np.diff(release.edges_s).min()), (release.end_s - release.start_s) / 40.0)
        step = min(step, max(0.25 * shortest, 5.0), _LONGEST_STEP_S)
    least = (end_s - release.start_s) / _MOST_STEPS
    # While it lasts the plume's head alone changes; the last drawing is at its end.
    times = [*np.arange(release.start_s + max(step, least), release.end_s, max(step, least)), release.end_s]
    while times[-1] < end_s:
        path = curve.path_after(times[-1] - release.end_s)
        sigma = np.hypot(curve.spread_at(path)[0], release.initial_sigma_m)
        passage = sigma / np.maximum(curve.transport_speed(path), CALM_GROWTH_M_S)
        times.append(float(times[-1] + max(step + _SPREADS_A_STEP * float(passage), least)))
    return times


def snapshots(model: CloudModel, end_s: float, frame_times_s: Sequence[float] = ()) -> list[tuple[float, Cloud]]:
    """Return the clouds at the times that `snapshot_times` says, with their times [s]."""
    times = snapshot_times(model, end_s, frame_times_s)
    return [(float(t), cloud) for t in times if (cloud := model.cloud_at(float(t))) is not None]


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
    model: CloudModel,
    end_s: float,
    lowest_level_kg_m3: float,
    frame_times_s: Sequence[float] = (),
    height_m: float = 1.5,
    nodes: int = 400,
) -> FieldResult:
    """Compute the maximum over time and the frames, on a grid that holds the zone of the lowest level.

    Parameters
    ----------
    model : releases and weather.
    end_s : how long the gas is followed [s].
    lowest_level_kg_m3 : the level whose zone must fit.
    frame_times_s : times [s] whose fields are kept.
    height_m : height of breathing, above ground.
    nodes : points along each axis.

    The grid grows until the zone fits or `FARTHEST_M` is reached; `FieldResult.touches_edge` then says so.
    """
    clouds = snapshots(model, end_s, frame_times_s)
    axis = _axis_of([cloud for _, cloud in clouds])
    box = cloud_box([cloud for _, cloud in clouds], axis, lowest_level_kg_m3, height_m)
    result = _draw(clouds, make_grid(box, nodes, *axis), frame_times_s, height_m)
    for _ in range(_GROWTH_ROUNDS):
        sides = edges_above(result.peak, lowest_level_kg_m3)
        larger = box.grown(sides, 1.4, FARTHEST_M)
        if not any(sides) or larger == box:
            break
        box = larger
        result = _draw(clouds, make_grid(box, nodes, *axis), frame_times_s, height_m)
    return result


def draw_peak(clouds: Sequence[tuple[float, Cloud]], grid: Grid, height_m: float) -> Field32:
    """Return the maximum over all clouds on a grid, shape (ny, nx)."""
    return _draw(clouds, grid, (), height_m).peak


def _draw(
    clouds: Sequence[tuple[float, Cloud]], grid: Grid, frame_times_s: Sequence[float], height_m: float
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


def cloud_box(clouds: Sequence[Cloud], axis: tuple[float, float], level_kg_m3: float, height_m: float) -> Box:
    """Return a box that holds the zone, by the values at the puffs' centres and exp(-r^2 / 2 sigma^2) around them."""
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


def edges_above(field: Field32, level: float) -> tuple[bool, bool, bool, bool]:
    """Return which sides (x low, x high, y low, y high) a zone touches."""
    return (
        bool((field[:, 0] >= level).any()),
        bool((field[:, -1] >= level).any()),
        bool((field[0, :] >= level).any()),
        bool((field[-1, :] >= level).any()),
    )
