"""Zones: polygons with holes where a field is above a level."""

from __future__ import annotations

from typing import cast

import contourpy
import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import MultiPolygon, Polygon

from services.model.dispersion.field import Field32
from services.model.dispersion.grid import Grid

Vertices = npt.NDArray[np.float64]
Starts = npt.NDArray[np.uint32]

# log C is contoured, since C itself bends too sharply between nodes; below this [kg/m3] the logarithm is cut.
_FLOOR_KG_M3 = 1e-18
_CEILING_LOG = 50.0

# Simplification: at most 2 m, and at most 0.2 % of the zone's extent.
LARGEST_TOLERANCE_M = 2.0
TOLERANCE_SHARE = 0.002


def zones(field: Field32, grid: Grid, levels_kg_m3: list[float]) -> list[MultiPolygon]:
    """Return one multi-polygon (east, north [m]) per level, in order; empty where the level is not reached.

    The generator of contours is built once for all levels.
    """
    logs = np.log(np.maximum(field, np.float32(_FLOOR_KG_M3)))
    generator = contourpy.contour_generator(
        x=grid.x, y=grid.y, z=logs, name="serial", fill_type=contourpy.FillType.OuterOffset
    )
    return [_zone(generator, grid, level) for level in levels_kg_m3]


def simplified(zone: MultiPolygon) -> tuple[MultiPolygon, float]:
    """Return the zone with fewer vertices, and the tolerance [m] that was used."""
    if zone.is_empty:
        return zone, 0.0
    west, south, east, north = zone.bounds
    tolerance = min(LARGEST_TOLERANCE_M, TOLERANCE_SHARE * max(east - west, north - south))
    return _as_multi(shapely.simplify(zone, tolerance, preserve_topology=True)), tolerance


def _zone(generator: contourpy.ContourGenerator, grid: Grid, level_kg_m3: float) -> MultiPolygon:
    if level_kg_m3 <= _FLOOR_KG_M3:
        raise ValueError(f"a level must be above {_FLOOR_KG_M3:g} kg/m3")
    filled = generator.filled(float(np.log(level_kg_m3)), _CEILING_LOG)
    points, offsets = cast(tuple[list[Vertices], list[Starts]], filled)
    polygons = []
    for vertices, starts in zip(points, offsets, strict=True):
        east, north = grid.to_map(vertices[:, 0], vertices[:, 1])
        rings = np.split(np.column_stack((east, north)), starts[1:-1])
        if len(rings[0]) >= 4:
            polygons.append(Polygon(rings[0], [ring for ring in rings[1:] if len(ring) >= 4]))
    whole = MultiPolygon(polygons)
    return whole if whole.is_valid else _as_multi(shapely.make_valid(whole))


def _as_multi(shape: shapely.Geometry) -> MultiPolygon:
    parts = [part for part in shapely.get_parts(shape) if isinstance(part, Polygon) and not part.is_empty]
    nested = [
        inner
        for part in shapely.get_parts(shape)
        if not isinstance(part, Polygon)
        for inner in shapely.get_parts(part)
        if isinstance(inner, Polygon) and not inner.is_empty
    ]
    return MultiPolygon([*parts, *nested])
