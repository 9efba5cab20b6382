"""The footprint of 200 members, which differ in wind, stability and rate: the share of them above each level."""

from __future__ import annotations

from bench import scene
from bench.benchmark import Measured
from bench.timing import alternate, rounded
from services.model.dispersion.ensemble import exceedance
from services.model.dispersion.meteorology import steady
from services.model.dispersion.puff import PuffModel
from services.model.dispersion.release import constant_release
from services.model.ensemble.members import draw_members
from services.model.ensemble.spread import spread_of

MEMBERS = 200
RATE_INTERVAL_KG_S = (0.5, 2.0)


def measure(budget_s: float) -> Measured:
    """Milliseconds from the weather and its spread to the shares on 400 x 400 points, on one core."""

    def shares() -> object:
        weather = scene.weather()
        spread = spread_of(weather, RATE_INTERVAL_KG_S)
        members = draw_members(weather, scene.RATE_KG_S, spread, MEMBERS, seed=0)
        models = [
            PuffModel(constant_release(member.rate_kg_s, scene.RELEASE_S, scene.HEIGHT_M), steady(member.weather))
            for member in members
        ]
        return exceedance(models, scene.LEVELS_KG_M3, scene.END_S, scene.HEIGHT_M, scene.NODES)

    timing = alternate({"ensemble": shares}, budget_s)["ensemble"]
    return Measured(rounded(timing.median_ms), timing.summary() | {"members": MEMBERS})
