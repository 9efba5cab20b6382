"""Zones and the gas's way as GeoJSON (RFC 7946: WGS 84, outer rings counter-clockwise)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.polygon import orient

from services.model.dispersion.contours import simplified
from services.model.dispersion.projection import LocalFrame
from services.model.dispersion.puff import PuffModel
from services.model.runs.levels import ZoneLevel
from shared.text import BilingualText

# Six decimals are 0.1 m.
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Zone:
    """Where a level is exceeded: a shape in metres from the source.

    `clipped`: it reaches beyond what was computed. `chance`: it holds the places where the level is exceeded in this
    share of an ensemble's members or more; None for a single computation.
    """

    level: ZoneLevel
    shape: MultiPolygon
    clipped: bool
    chance: float | None = None
    outer: bool = False

    @property
    def key(self) -> str:
        """The level's key, with the chance where the zone is drawn beside the likelier one: `endpoint-2-p10`."""
        return f"{self.level.key}-p{100.0 * (self.chance or 0.0):.0f}" if self.outer else self.level.key

    @property
    def name(self) -> str:
        """The key, made unique: a custom level carries its number."""
        return f"{self.key}:{self.level.level_mg_m3:g}" if self.level.key == "custom" else self.key

    @property
    def label(self) -> BilingualText:
        """What people read, the chance included."""
        if self.chance is None:
            return self.level.label
        share = f"{100.0 * self.chance:.0f} %"
        return BilingualText(
            zh=f"{self.level.label.zh}，超过概率 ≥ {share}", en=f"{self.level.label.en}, exceeded with ≥ {share}"
        )

    def holding(self, other: Zone) -> Zone:
        """This zone, grown to hold another as well."""
        whole = shapely.union_all([self.shape, other.shape])
        parts = [part for part in shapely.get_parts(whole) if isinstance(part, Polygon) and not part.is_empty]
        return replace(self, shape=MultiPolygon(parts), clipped=self.clipped or other.clipped)

    @property
    def farthest_m(self) -> float:
        """The distance [m] of the zone's farthest point from the source, which stands at the origin."""
        distances = [float(np.hypot(*np.asarray(part.exterior.coords)[:, :2].T).max()) for part in self.shape.geoms]
        return max(distances, default=0.0)


def zone_collection(
    zones: Sequence[Zone], frame: LocalFrame, counts: dict[str, tuple[int, int]] | None = None
) -> dict[str, Any]:
    """Return a FeatureCollection, one feature a zone; a level that is not reached has no polygons.

    Area and distance are of the zone as computed; the outline is then simplified, and the tolerance told. `counts`:
    (receptors, people) by the zones' names.
    """
    return {"type": "FeatureCollection", "features": [_feature(zone, frame, counts) for zone in zones]}


def polygons(shape: MultiPolygon, frame: LocalFrame) -> dict[str, Any]:
    """Return a GeoJSON MultiPolygon of a shape in metres; without coordinates where the shape is empty."""
    return {"type": "MultiPolygon", "coordinates": [_polygon(part, frame) for part in shape.geoms]}


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


def _feature(zone: Zone, frame: LocalFrame, counts: dict[str, tuple[int, int]] | None) -> dict[str, Any]:
    outline, tolerance = simplified(zone.shape)
    properties: dict[str, Any] = {
        "key": zone.key,
        "level_mg_m3": zone.level.level_mg_m3,
        "label": zone.label.model_dump(),
        "colour": zone.level.colour.value,
        "area_m2": round(zone.shape.area, 1),
        "max_distance_m": round(zone.farthest_m, 1),
        "clipped": zone.clipped,
        "simplified_m": round(tolerance, 2),
    }
    if zone.chance is not None:
        properties["probability"] = zone.chance
    if counts is not None:
        properties["receptors"], properties["people"] = counts[zone.name]
    return {"type": "Feature", "geometry": polygons(outline, frame), "properties": properties}


def _polygon(part: Polygon, frame: LocalFrame) -> list[list[list[float]]]:
    turned = orient(part)
    return [_degrees(np.asarray(ring.coords)[:, :2], frame) for ring in (turned.exterior, *turned.interiors)]


def _point(east: float, north: float, frame: LocalFrame) -> list[float]:
    return _degrees(np.array([[east, north]]), frame)[0]


def _degrees(points: np.ndarray[Any, np.dtype[np.float64]], frame: LocalFrame) -> list[list[float]]:
    longitude, latitude = frame.to_degrees(points[:, 0], points[:, 1])
    pairs: list[list[float]] = np.column_stack((longitude, latitude)).round(_DECIMALS).tolist()
    return pairs
