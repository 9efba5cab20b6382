"""What part of the ground a map shows, in metres east and north of the source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, shape

from services.model.dispersion.projection import LocalFrame, local_frame
from services.model.runs.result import ReceptorView, RunResult

_MARGIN = 0.08
_SMALLEST_M = 200.0
# Receptors farther away than this many sizes of the zones would shrink the zones to nothing.
_RECEPTORS_WITHIN = 1.5
MOST_RECEPTORS = 12


@dataclass(frozen=True, slots=True)
class Shown:
    """A receptor on the map [m], with its number: its rank in the result, from 1."""

    number: int
    receptor: ReceptorView
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class MapView:
    """The frame of the map [m], and the receptors shown on it."""

    frame: LocalFrame
    west: float
    east: float
    south: float
    north: float
    receptors: tuple[Shown, ...]

    def metres(self, geometry: dict[str, Any]) -> MultiPolygon:
        """Return a GeoJSON polygon in metres east and north of the source."""
        moved = shapely.transform(shape(geometry), lambda at: np.column_stack(self.frame.to_metres(at[:, 0], at[:, 1])))
        return moved if isinstance(moved, MultiPolygon) else MultiPolygon([moved])

    @property
    def width(self) -> float:
        """Width [m]."""
        return self.east - self.west

    @property
    def height(self) -> float:
        """Height [m]."""
        return self.north - self.south


def view_of(result: RunResult, aspect: float) -> MapView:
    """Choose the ground to show: all zones and bands, the source, the receptors near them; `aspect` is width by height.

    Raises ValueError for a result without a source.
    """
    if result.source is None:
        raise ValueError("this result does not tell its source: run it again")
    frame = local_frame(result.source.longitude, result.source.latitude)
    points = [np.zeros((1, 2)), *_outlines(result, frame)]
    corners = np.vstack([np.vstack((part.min(axis=0), part.max(axis=0))) for part in points])
    size = max(float(np.ptp(corners, axis=0).max()), _SMALLEST_M)
    shown = _receptors(result, frame, corners, size * (_RECEPTORS_WITHIN - 1.0))
    corners = np.vstack([corners, *[np.array([[one.east, one.north]]) for one in shown]])
    west, south = corners.min(axis=0)
    east, north = corners.max(axis=0)
    width = max(float(east - west), _SMALLEST_M) * (1.0 + 2.0 * _MARGIN)
    height = max(float(north - south), _SMALLEST_M) * (1.0 + 2.0 * _MARGIN)
    width, height = max(width, height * aspect), max(height, width / aspect)
    middle_x, middle_y = 0.5 * float(west + east), 0.5 * float(south + north)
    return MapView(
        frame,
        middle_x - width / 2.0,
        middle_x + width / 2.0,
        middle_y - height / 2.0,
        middle_y + height / 2.0,
        tuple(shown),
    )


def _outlines(result: RunResult, frame: LocalFrame) -> Iterator[np.ndarray[Any, np.dtype[np.float64]]]:
    for feature in result.zones["features"]:
        for polygon in feature["geometry"]["coordinates"]:
            ring = np.asarray(polygon[0])
            yield np.column_stack(frame.to_metres(ring[:, 0], ring[:, 1]))


def _receptors(
    result: RunResult, frame: LocalFrame, corners: np.ndarray[Any, np.dtype[np.float64]], reach: float
) -> list[Shown]:
    if not result.receptors:
        return []
    east, north = frame.to_metres([r.longitude for r in result.receptors], [r.latitude for r in result.receptors])
    west, south = corners.min(axis=0) - reach
    right, top = corners.max(axis=0) + reach
    near = [
        Shown(number, receptor, float(e), float(n))
        for number, (receptor, e, n) in enumerate(zip(result.receptors, east, north, strict=True), start=1)
        if west <= e <= right and south <= n <= top
    ]
    return near[:MOST_RECEPTORS]
