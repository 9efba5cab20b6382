"""Footprints of many members on one grid, fast: the ground of probability bands.

In one steady weather the maximum over time has a closed form. The steady plume gives the field along the wind; the
share of it that a release of limited duration reaches at a place is the release's rate seen through the spread along
the wind, sigma_x / u in time (Palazzi et al. 1982, Atmos. Environ. 16, 2785-2790: the error-function form). So a member
costs two lookups a node, and no puffs. A member whose weather changes, whose air is calm, or that has several
sources, a rising plume, or gas that settles is drawn puff by puff instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from services.model.dispersion.field import FARTHEST_M, Field32, cloud_box, draw_peak, edges_above, snapshots
from services.model.dispersion.grid import Box, Grid, make_grid
from services.model.dispersion.profile import FloatArray
from services.model.dispersion.puff import PuffModel
from services.model.dispersion.several import CloudModel
from services.model.dispersion.vertical import vertical_density

# Where a plume this far out [m] is wider than this share of its way, gas spreads upwind as well, which the closed form
# leaves out: calm and very unsteady air.
_SLENDER_FROM_M = 50.0
_SLENDER_SHARE = 0.35

_TABLE_NODES = 1024
_NEAREST_M = 1.0
_EMISSION_TIMES = 48
_MOST_RATES = 24
_EVERY = 8
_NOTHING_LOG = -80.0
_BOX_MARGIN = 1.05
_SMALLEST_HALF_BOX_M = 30.0


@dataclass(frozen=True, slots=True)
class Exceedance:
    """The share of members above each level: `share` (levels, ny, nx), 0 to 1, on `grid`."""

    grid: Grid
    share: Field32

    def touches_edge(self, level_index: int, probability: float) -> bool:
        """Whether the area where a level is exceeded with this probability is cut by the grid's edge."""
        return any(edges_above(self.share[level_index], probability))


def exceedance(
    models: Sequence[CloudModel],
    levels_kg_m3: Sequence[float],
    end_s: float,
    height_m: float = 1.5,
    nodes: int = 400,
    tell: Callable[[float], None] = lambda _done: None,
) -> Exceedance:
    """Return the share of members whose maximum over time exceeds each level.

    Parameters
    ----------
    models : the members, one model each.
    levels_kg_m3 : levels, each above zero.
    end_s : how long the gas is followed [s].
    height_m : height of breathing.
    nodes : points along each axis of the grid, which holds every member's zone up to `FARTHEST_M`.
    tell : called with the share of the work that is done; what it raises ends the work.

    Raises ValueError without members or levels.
    """
    if not models or not levels_kg_m3 or min(levels_kg_m3) <= 0.0:
        raise ValueError("an ensemble needs members and levels above zero")
    members = [_member(model, end_s, height_m) for model in models]
    outlines = []
    for number, member in enumerate(members):
        tell(0.5 * number / len(members))
        outlines.append(member.outline(min(levels_kg_m3)))
    grid = _common_grid(outlines, nodes)
    counts = np.zeros((len(levels_kg_m3), nodes, nodes), dtype=np.float32)
    lowest = min(levels_kg_m3)
    for number, member in enumerate(members):
        tell(0.5 + 0.5 * number / len(members))
        rows, columns = member.window(grid, lowest)
        field = member.field(grid, rows, columns)
        for index, level in enumerate(levels_kg_m3):
            counts[index, rows, columns] += field >= np.float32(level)
    return Exceedance(grid, counts / np.float32(len(members)))


def ensemble_fields(
    models: Sequence[CloudModel], grid: Grid, end_s: float, height_m: float = 1.5, least_kg_m3: float = 1e-12
) -> Iterator[Field32]:
    """Yield each member's maximum over time [kg/m3] on the grid, shape (ny, nx), in order; 0 below `least_kg_m3`."""
    for model in models:
        member = _member(model, end_s, height_m)
        rows, columns = member.window(grid, least_kg_m3)
        whole = np.zeros((grid.y.size, grid.x.size), dtype=np.float32)
        whole[rows, columns] = member.field(grid, rows, columns)
        yield whole


@dataclass(frozen=True, slots=True)
class _ClosedForm:
    """A member along its own wind: log of the axis value [kg/m3] and 1 / (2 sigma_y^2) over log distance."""

    east: float
    north: float
    toward: tuple[float, float]
    log_axis: Field32
    narrowness: Field32
    first_log: float
    per_log: float

    def field(self, grid: Grid, rows: slice, columns: slice) -> Field32:
        """Return the maximum over time on a window of the grid."""
        cosine = np.float32(self.toward[0] * grid.cosine + self.toward[1] * grid.sine)
        sine = np.float32(-self.toward[0] * grid.sine + self.toward[1] * grid.cosine)
        x0, y0 = grid.to_axes(np.array([self.east]), np.array([self.north]))
        x = (grid.x[columns] - x0).astype(np.float32)[None, :]
        y = (grid.y[rows] - y0).astype(np.float32)[:, None]
        along = x * cosine + y * sine
        ahead = along > np.float32(_NEAREST_M)
        place = np.log(np.maximum(along, np.float32(_NEAREST_M)))
        place -= np.float32(self.first_log)
        place *= np.float32(self.per_log)
        index = np.minimum(place.astype(np.int32), _TABLE_NODES - 2)
        place -= index
        across = y * cosine - x * sine
        across *= across
        across *= _between(self.narrowness, index, place)
        logs = _between(self.log_axis, index, place)
        logs -= across
        np.maximum(logs, np.float32(_NOTHING_LOG), out=logs)
        np.exp(logs, out=logs)
        logs *= ahead
        return logs

    def window(self, grid: Grid, level_kg_m3: float) -> tuple[slice, slice]:
        """Return the rows and columns of the grid within which the level is exceeded."""
        x, y = grid.to_axes(*self.outline(level_kg_m3))
        return _span(grid.y, y), _span(grid.x, x)

    def outline(self, level_kg_m3: float) -> tuple[FloatArray, FloatArray]:
        """Return (east, north) of points on the outline of its zone above a level."""
        above = self.log_axis > np.log(level_kg_m3)
        along = np.exp(self.first_log + np.flatnonzero(above) / self.per_log)
        half = np.sqrt((self.log_axis[above] - np.log(level_kg_m3)) / self.narrowness[above])
        x, y = np.concatenate((along, along)), np.concatenate((half, -half))
        return self.east + x * self.toward[0] - y * self.toward[1], self.north + x * self.toward[1] + y * self.toward[0]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A member that is drawn puff by puff."""

    model: CloudModel
    end_s: float
    height_m: float

    def field(self, grid: Grid, rows: slice, columns: slice) -> Field32:
        """Return the maximum over time on a window of the grid."""
        part = Grid(grid.x[columns], grid.y[rows], grid.cosine, grid.sine)
        return draw_peak(snapshots(self.model, self.end_s), part, self.height_m)

    def window(self, grid: Grid, level_kg_m3: float) -> tuple[slice, slice]:  # noqa: ARG002 - the same for any level
        """Return the whole grid: to find where the gas is takes as long as to draw it."""
        return slice(0, grid.y.size), slice(0, grid.x.size)

    def outline(self, level_kg_m3: float) -> tuple[FloatArray, FloatArray]:
        """Return (east, north) of the corners of a box around its zone."""
        clouds = [cloud for _, cloud in snapshots(self.model, self.end_s)]
        box = cloud_box(clouds, (1.0, 0.0), level_kg_m3, self.height_m)
        return np.array([box.x_low, box.x_high] * 2), np.array([box.y_low, box.y_low, box.y_high, box.y_high])


def _between(table: Field32, index: npt.NDArray[np.int32], share: Field32) -> Field32:
    low = table[index]
    step = np.diff(table, append=table[-1])[index]
    step *= share
    step += low
    return np.asarray(step)


def _span(axis: FloatArray, values: FloatArray) -> slice:
    """The indices of the axis from below the least value to above the greatest; empty without values."""
    if values.size == 0:
        return slice(0, 0)
    first = int(np.searchsorted(axis, values.min())) - 1
    last = int(np.searchsorted(axis, values.max())) + 1
    return slice(max(first, 0), min(last, axis.size))


def _member(model: CloudModel, end_s: float, height_m: float) -> _ClosedForm | _Drawn:
    if len(model.parts) == 1 and _has_closed_form(model.parts[0]):
        return _closed_form(model.parts[0], end_s, height_m)
    return _Drawn(model, end_s, height_m)


def _has_closed_form(model: PuffModel) -> bool:
    release = model.release
    plain = release.buoyancy_flux_m4_s3 == 0.0 and release.deposition_velocity_m_s == 0.0
    curve = model.curves[0]
    slender = float(curve.spread_at(curve.path_of_drift(_SLENDER_FROM_M))[0]) < _SLENDER_SHARE * _SLENDER_FROM_M
    return plain and len(model.spells) == 1 and slender


def _closed_form(model: PuffModel, end_s: float, height_m: float) -> _ClosedForm:
    release, curve, weather = model.release, model.curves[0], model.spells[0].weather
    logs = np.linspace(np.log(_NEAREST_M), np.log(2.0 * FARTHEST_M), _TABLE_NODES)
    x = np.exp(logs)
    # A source of some size is a point source upwind of it: the paths at which the curves have its size. In light wind
    # the path that growth is tabulated over is longer than the way over the ground.
    start_y = float(curve.path_of_sigma_y(release.initial_sigma_m))
    start_z = float(curve.path_of_sigma_z(release.initial_sigma_z_m))
    path = curve.path_of_drift(x + float(curve.drift_at(start_z)))
    sigma_y = curve.spread_at(start_y + path - start_z)[0]
    sigma_z = curve.spread_at(path)[1]
    speed = curve.transport_speed(path)
    time = curve.travel_time(path) - float(curve.travel_time(start_z))
    vertical = vertical_density(height_m, release.height_m, sigma_z, weather.mixing_height_m)
    rate = _rate_seen(model, time, sigma_y / speed, end_s)
    axis = rate / speed * vertical / (np.sqrt(2.0 * np.pi) * sigma_y)
    return _ClosedForm(
        release.east_m,
        release.north_m,
        weather.toward,
        np.log(np.maximum(axis, np.exp(_NOTHING_LOG))).astype(np.float32),
        (0.5 / sigma_y**2).astype(np.float32),
        float(logs[0]),
        float((_TABLE_NODES - 1) / (logs[-1] - logs[0])),
    )


def _rate_seen(model: PuffModel, travel_s: FloatArray, blur_s: FloatArray, end_s: float) -> FloatArray:
    """Return the highest rate [kg/s] that passes each distance until `end_s`, blurred in time by the spread."""
    release = model.release
    edges = np.asarray(release.edges_s)
    if edges.size > _MOST_RATES + 1:
        edges = np.linspace(edges[0], edges[-1], _MOST_RATES + 1)
    rates = np.diff(release.mass_until(edges)) / np.diff(edges)
    if rates.size == 1:
        return _blurred(edges, rates, np.array([0.5 * (edges[0] + edges[-1])]), travel_s, blur_s, end_s)
    # A changing rate needs a search over the time of emission; it varies slowly with distance.
    some = np.unique(np.append(np.arange(0, travel_s.size, _EVERY), travel_s.size - 1))
    emitted = np.linspace(edges[0], edges[-1], _EMISSION_TIMES)
    seen = _blurred(edges, rates, emitted, travel_s[some], blur_s[some], end_s)
    return np.asarray(np.interp(np.arange(travel_s.size), some, seen))


def _blurred(
    edges: FloatArray, rates: FloatArray, emitted: FloatArray, travel_s: FloatArray, blur_s: FloatArray, end_s: float
) -> FloatArray:
    """Return the highest blurred rate over times of emission that have arrived by `end_s`, one for each distance."""
    arrived = np.minimum(emitted[None, :], (end_s - travel_s)[:, None])
    scaled = (arrived[:, :, None] - edges) / (np.sqrt(2.0) * blur_s[:, None, None])
    reached: npt.NDArray[np.float64] = erf(scaled)
    return np.asarray((0.5 * (reached[:, :, :-1] - reached[:, :, 1:]) @ rates).max(axis=1))


def _common_grid(outlines: Sequence[tuple[FloatArray, FloatArray]], nodes: int) -> Grid:
    east = np.concatenate([outline[0] for outline in outlines])
    north = np.concatenate([outline[1] for outline in outlines])
    axis = (float(east.mean()), float(north.mean())) if east.size else (1.0, 0.0)
    length = float(np.hypot(*axis))
    cosine, sine = (axis[0] / length, axis[1] / length) if length > 0.0 else (1.0, 0.0)
    x, y = east * cosine + north * sine, north * cosine - east * sine
    least = _SMALLEST_HALF_BOX_M
    box = Box(
        min(float(x.min(initial=0.0)) * _BOX_MARGIN, -least),
        max(float(x.max(initial=0.0)) * _BOX_MARGIN, least),
        min(float(y.min(initial=0.0)) * _BOX_MARGIN, -least),
        max(float(y.max(initial=0.0)) * _BOX_MARGIN, least),
    )
    return make_grid(box.clamped(FARTHEST_M), nodes, cosine, sine)
