"""The one-page report: a result as HTML that prints on a sheet of A4, in both languages, with nothing to fetch."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape

from services.model.report.figure import map_png
from services.model.report.layers import COLOURS, is_outer
from services.model.report.words import area, both, compass, cut, distance, duration, level_name, number, percent
from services.model.runs.result import ReceptorView, RunResult

# What fits on the sheet; the page says how many more there are.
_MOST_RECEPTORS = 6
_MOST_ZONES = 12
_MOST_WARNINGS = 5

# The sheet is as wide as the picture; what tables and remarks leave of its height is the picture's.
_WIDTH_PX = 1560
_HEIGHTS_PX = (420, 760)
_PX_OF_LINE = 38.0
_SHEET_LINES = 38.0
# Two columns of small letters: so much of a line does one assumption take.
_ASSUMPTION_LINES = 0.72


def report_html(result: RunResult, *, run_id: str | None = None, park: str | None = None) -> str:
    """Return the report of a result, complete in itself (the map is embedded).

    Parameters
    ----------
    result : of a run; it needs its `source`.
    run_id, park : told in the head where given.

    Everything that comes from the result is escaped. Raises ValueError for a result without a source.
    """
    height = _picture_height(result)
    picture = base64.b64encode(map_png(result, width_px=_WIDTH_PX, height_px=height, dpi=130)).decode("ascii")
    return _template().render(
        result=result,
        run_id=run_id,
        park=park,
        picture=picture,
        zones=_zones(result)[:_MOST_ZONES],
        banded=any(is_outer(feature["properties"]) for feature in result.zones["features"]),
        chances=_chances(result),
        receptors=result.receptors[:_MOST_RECEPTORS],
        more_receptors=max(len(result.receptors) - _MOST_RECEPTORS, 0),
        warnings=result.warnings[:_MOST_WARNINGS],
        more_warnings=max(len(result.warnings) - _MOST_WARNINGS, 0),
        wind=compass(result.meteorology.wind_from_deg),
    )


def _picture_height(result: RunResult) -> int:
    """The height [px] of a map that leaves room for all the rest on one sheet."""
    features = result.zones["features"]
    zones = sum(not is_outer(feature["properties"]) for feature in features)
    lines = min(zones, _MOST_ZONES) + min(len(result.receptors), _MOST_RECEPTORS)
    lines += max(len(_chances(result)), len(result.engines) + sum(one.failure is not None for one in result.engines))
    remarks = 2 * min(len(result.warnings), _MOST_WARNINGS) + _ASSUMPTION_LINES * (len(result.assumptions) + 1)
    room = _PX_OF_LINE * (_SHEET_LINES - lines - remarks)
    return int(min(max(room, _HEIGHTS_PX[0]), _HEIGHTS_PX[1]))


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("services.model.report"),
        autoescape=select_autoescape(["html", "j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=number, distance=distance, area=area, duration=duration, percent=percent, cut=cut, harm=_harm
    )
    environment.globals["both"] = both
    return environment.get_template("report.html.j2")


def _zones(result: RunResult) -> list[dict[str, Any]]:
    """The zones, each with the outer band of its level where there is one."""
    told = [feature["properties"] for feature in result.zones["features"]]
    outer = {(own["key"].removesuffix("-p10"), own["level_mg_m3"]): own for own in told if is_outer(own)}
    return [
        {
            **feature["properties"],
            "name": level_name(feature["properties"]["key"]),
            "reached": bool(feature["geometry"]["coordinates"]),
            "shade": COLOURS.get(feature["properties"]["colour"], COLOURS["blue"]),
            "band": outer.get((feature["properties"]["key"], feature["properties"]["level_mg_m3"])),
        }
        for feature in result.zones["features"]
        if not is_outer(feature["properties"])
    ]


def _chances(result: RunResult) -> list[dict[str, Any]]:
    """How far each level reaches with 10, 50 and 90 % probability."""
    if result.ensemble is None:
        return []
    rows: dict[tuple[str, float], dict[str, Any]] = {}
    for feature in result.ensemble.bands["features"]:
        properties = feature["properties"]
        key = (properties["key"], properties["level_mg_m3"])
        row = rows.setdefault(key, {"name": level_name(properties["key"]), "level_mg_m3": properties["level_mg_m3"]})
        reached = bool(feature["geometry"]["coordinates"])
        row[f"p{100 * properties['probability']:.0f}"] = properties["max_distance_m"] if reached else None
    return list(rows.values())


def _harm(receptor: ReceptorView, place: str, what: str) -> float | None:
    """One number of a receptor's `outdoor` or `indoor`; None where the result has none."""
    found = getattr(receptor, place)
    return None if found is None else getattr(found, what)
