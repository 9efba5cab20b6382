"""A stretched, rotated grid: fine at the source, coarser with distance, x along the wind.

Spacing grows as sqrt(b^2 + r^2): a plume at a distance is as wide as it is far, so one grid of 400 x 400 resolves
the metres around the source and kilometres of footprint. Puffs are round, so any rotation keeps them separable.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from services.model.dispersion.profile import FloatArray

# Within this distance [m] of the source the spacing is even.
EVEN_WITHIN_M = 25.0


@dataclass(frozen=True, slots=True)
class Box:
    """Limits [m] along (x) and across (y) the grid's axis, seen from the source."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def grown(self, sides: tuple[bool, bool, bool, bool], factor: float, limit: float) -> Box:
        """Return the box with the named sides (x low, x high, y low, y high) moved out, at most to `limit`."""
        width, height = self.x_high - self.x_low, self.y_high - self.y_low
        by_x, by_y = (factor - 1.0) * width, (factor - 1.0) * height
        return Box(
            max(self.x_low - by_x * sides[0], -limit),
            min(self.x_high + by_x * sides[1], limit),
            max(self.y_low - by_y * sides[2], -limit),
            min(self.y_high + by_y * sides[3], limit),
        )

    def clamped(self, limit: float) -> Box:
        """Return the box cut to +-limit."""
        return Box(max(self.x_low, -limit), min(self.x_high, limit), max(self.y_low, -limit), min(self.y_high, limit))


@dataclass(frozen=True, slots=True)
class Grid:
    """Axes x (nx,) and y (ny,) [m from the source], turned so that x points to (cosine, sine) in (east, north)."""

    x: FloatArray
    y: FloatArray
    cosine: float
    sine: float

    def to_axes(self, east: FloatArray, north: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (x, y) of points given as (east, north)."""
        return east * self.cosine + north * self.sine, -east * self.sine + north * self.cosine

    def to_map(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (east, north) of points given on the axes."""
        return x * self.cosine - y * self.sine, x * self.sine + y * self.cosine

    def spacing_x(self, x: FloatArray) -> FloatArray:
        """Return the local spacing [m] of the x axis at positions x [m]."""
        return _spacing(self.x, x)

    def spacing_y(self, y: FloatArray) -> FloatArray:
        """Return the local spacing [m] of the y axis at positions y [m]."""
        return _spacing(self.y, y)


def make_grid(box: Box, nodes: int, axis_east: float, axis_north: float) -> Grid:
    """Build a grid of nodes x nodes over a box whose x axis points along (axis_east, axis_north)."""
    length = math.hypot(axis_east, axis_north)
    cosine, sine = (axis_east / length, axis_north / length) if length > 0.0 else (1.0, 0.0)
    return Grid(_axis(box.x_low, box.x_high, nodes), _axis(box.y_low, box.y_high, nodes), cosine, sine)


def _axis(low: float, high: float, nodes: int) -> FloatArray:
    ends = np.arcsinh(np.array([low, high]) / EVEN_WITHIN_M)
    return np.asarray(EVEN_WITHIN_M * np.sinh(np.linspace(ends[0], ends[1], nodes)))


def _spacing(axis: FloatArray, at: FloatArray) -> FloatArray:
    steps = np.diff(axis)
    index = np.clip(np.searchsorted(axis, at) - 1, 0, steps.size - 1)
    return np.asarray(steps[index])
