"""How soon the gas is where: the ground that a level has reached until some moments."""

from __future__ import annotations

from typing import Any

from services.model.dispersion.contours import simplified, zones
from services.model.dispersion.projection import LocalFrame
from services.model.runs.answers import KG_PER_MG, Answer
from services.model.runs.geojson import polygons
from services.model.runs.levels import ZoneLevel

# Minutes that people plan with.
_MINUTES = (1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360)
_MOST_CONTOURS = 6

# A zone that has grown to this share of its final area is the final one.
_GROWN = 0.98


def arrival_collection(
    answer: Answer, end_s: float, level: ZoneLevel, final_area_m2: float, frame: LocalFrame
) -> dict[str, Any]:
    """Return a FeatureCollection: one MultiPolygon a moment, the ground that the level has reached until `time_s`.

    Earliest first; each holds the one before. It ends with the first moment at which the zone has come to its full
    size.
    """
    features: list[dict[str, Any]] = []
    threshold = level.level_mg_m3 * KG_PER_MG
    for minutes in _MINUTES:
        time = 60.0 * minutes
        if time >= end_s or len(features) == _MOST_CONTOURS or final_area_m2 <= 0.0:
            break
        field, grid = answer.until(time, threshold)
        shape = zones(field, grid, [threshold])[0]
        if shape.is_empty:
            continue
        properties = {
            "key": level.key,
            "level_mg_m3": level.level_mg_m3,
            "time_s": time,
            "area_m2": round(shape.area, 1),
        }
        geometry = polygons(simplified(shape)[0], frame)
        features.append({"type": "Feature", "geometry": geometry, "properties": properties})
        if shape.area > _GROWN * final_area_m2:
            break
    return {"type": "FeatureCollection", "features": features}
