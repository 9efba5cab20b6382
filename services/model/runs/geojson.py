"""Zones and the gas's way as GeoJSON (RFC 7946: WGS 84, outer rings counter-clockwise)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.polygon import orient

from services.model.dispersion.contours import simplified
from services.model.dispersion.projection import LocalFrame
from services.model.dispersion.puff import PuffModel
from services.model.runs.levels import ZoneLevel

# Six decimals are 0.1 m.
_DECIMALS = 6


def zone_collection(
    levels: Sequence[ZoneLevel], shapes: Sequence[MultiPolygon], clipped: Sequence[bool], frame: LocalFrame
) -> dict[str, Any]:
    """Return a FeatureCollection, one feature a level, highest first; a level that is not reached has no polygons.

    Area and distance are of the zone as computed; the outline is then simplified, and the tolerance told.
    """
    features = []
    for level, shape, cut in zip(levels, shapes, clipped, strict=True):
        outline, tolerance = simplified(shape)
        features.append(
            {
                "type": "Feature",
                "geometry": {
                    "type": "MultiPolygon",
                    "coordinates": [_polygon(part, frame) for part in outline.geoms],
                },
                "properties": {
                    "key": level.key,
                    "level_mg_m3": level.level_mg_m3,
                    "label": level.label.model_dump(),
                    "colour": level.colour.value,
                    "area_m2": round(shape.area, 1),
                    "max_distance_m": round(_farthest(shape), 1),
                    "clipped": cut,
                    "simplified_m": round(tolerance, 2),
                },
            }
        )
    return {"type": "FeatureCollection", "features": features}


def centreline(model: PuffModel, end_s: float, frame: LocalFrame) -> dict[str, Any]:
    """Return the LineString of the puffs' centres at the end, from the source outwards."""
    cloud = model.cloud_at(end_s)
    if cloud is None:
        coordinates = [_point(0.0, 0.0, frame)] * 2
    else:
        which = np.unique(np.linspace(0, cloud.east.size - 1, 24).astype(int))
        east = np.concatenate(([0.0], cloud.east[which]))
        north = np.concatenate(([0.0], cloud.north[which]))
        coordinates = _degrees(np.column_stack((east, north)), frame)
    return {"type": "LineString", "coordinates": coordinates}


def _farthest(shape: MultiPolygon) -> float:
    """The distance [m] of the zone's farthest point from the source, which stands at the origin."""
    distances = [float(np.hypot(*np.asarray(part.exterior.coords)[:, :2].T).max()) for part in shape.geoms]
    return max(distances, default=0.0)


def _polygon(part: Polygon, frame: LocalFrame) -> list[list[list[float]]]:
    turned = orient(part)
    return [_degrees(np.asarray(ring.coords)[:, :2], frame) for ring in (turned.exterior, *turned.interiors)]


def _point(east: float, north: float, frame: LocalFrame) -> list[float]:
    return _degrees(np.array([[east, north]]), frame)[0]


def _degrees(points: np.ndarray[Any, np.dtype[np.float64]], frame: LocalFrame) -> list[list[float]]:
    longitude, latitude = frame.to_degrees(points[:, 0], points[:, 1])
    pairs: list[list[float]] = np.column_stack((longitude, latitude)).round(_DECIMALS).tolist()
    return pairs
