"""The set-points that come with Fenceline, each with its source: `setpoints.csv`.

`place` is `detector` (an instrument at a possible source, judged by workplace limits) or `fence` (boundary and
receptors, judged by what harms the public within an hour). Which number serves as which colour is Fenceline's choice,
a default to be changed per park; no guide requires it. Red at a detector is HJ 169's endpoint-2: where the gas leaves
the plant at that strength it does lasting harm, and it is reached well before the IDLH, which is about a worker's
escape. Values in ppm were converted at 25 degC: mg/m3 = ppm x M / 24.45.
"""

import csv
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Literal

from services.alerts.conditions import Level
from shared.levels import Colour

Place = Literal["detector", "fence"]


@cache
def set_points() -> dict[tuple[str, Place], tuple[Level, ...]]:
    """Levels in mg/m3, rising, by (property id, place); a property without known set-points is not in it."""
    levels: defaultdict[tuple[str, Place], list[Level]] = defaultdict(list)
    with (Path(__file__).parent / "setpoints.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            place: Place = "detector" if row["place"] == "detector" else "fence"
            level = Level(Colour(row["colour"]), float(row["threshold_mg_m3"]), row["source"])
            levels[row["property_id"], place].append(level)
    return {key: tuple(found) for key, found in levels.items()}


def levels_at(ring: str, property_id: str) -> tuple[Level, ...]:
    """The default levels of a gas in a ring of stations; empty where no set-point is known.

    At a source, a gas without a detector's set-points takes those of the fence.
    """
    if ring == "source" and (property_id, "detector") in set_points():
        return set_points()[property_id, "detector"]
    return set_points().get((property_id, "fence"), ())
