"""The ensemble of a run: what is known only with a spread, and the zones exceeded with 10, 50 and 90 % probability."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import interpn
from scipy.ndimage import gaussian_filter
from scipy.special import ndtri

from services.model.dispersion import ENGINE_NAME
from services.model.dispersion.contours import zones
from services.model.dispersion.ensemble import Exceedance, exceedance
from services.model.dispersion.meteorology import steady
from services.model.dispersion.projection import LocalFrame
from services.model.dispersion.puff import PuffModel
from services.model.ensemble.members import draw_members
from services.model.ensemble.spread import Spread, spread_of
from services.model.exposure.dose import FloatArray
from services.model.runs.answers import BREATHING_HEIGHT_M, KG_PER_MG
from services.model.runs.geojson import Zone, zone_collection
from services.model.runs.plan import RunPlan
from services.model.runs.result import EnsembleView

OUTER, MIDDLE, INNER = 0.1, 0.5, 0.9

# Outlines are drawn on log scales, where "never" would lie infinitely deep.
_NEVER = 0.01
_NODES = 240

# How much of the wind's spread is smoothed instead of drawn, and by which turns: middles of equally likely slices.
_SMOOTHED_SHARE = 0.75
_BLUR_NODES = 1.5
_TURNS = ndtri((np.arange(13) + 0.5) / 13.0)


@dataclass(frozen=True, slots=True)
class Bands:
    """The ensemble's answer: shares of members above each level on a grid, and what was spread."""

    plan: RunPlan
    spread: Spread
    shares: Exceedance

    def zones(self, chance: float, *, outer: bool = False) -> list[Zone]:
        """Where each level is exceeded with at least this probability, in the order of the plan's levels."""
        found = []
        for index, level in enumerate(self.plan.levels):
            share = np.maximum(self.shares.share[index], np.float32(_NEVER))
            shape = zones(share, self.shares.grid, [chance])[0]
            found.append(Zone(level, shape, self.shares.touches_edge(index, chance), chance, outer))
        return found

    def at(self, east: FloatArray, north: FloatArray) -> dict[str, FloatArray]:
        """The share of members above each level at points [m], by the levels' names; 0 outside the grid."""
        grid = self.shares.grid
        x, y = grid.to_axes(east, north)
        places = np.column_stack((y, x))
        return {
            level.name: interpn((grid.y, grid.x), self.shares.share[index], places, bounds_error=False, fill_value=0.0)
            for index, level in enumerate(self.plan.levels)
        }

    def view(self, frame: LocalFrame) -> EnsembleView:
        """The ensemble in the API's words."""
        interval = self.spread.rate_interval
        bands = [zone for chance in (OUTER, MIDDLE, INNER) for zone in self.zones(chance)]
        return EnsembleView(
            engine=ENGINE_NAME,
            members=self.plan.members,
            seed=self.plan.seed,
            direction_spread_deg=round(self.spread.direction_deg, 1),
            speed_spread_share=round(self.spread.speed_log, 2),
            stability_spread_classes=self.spread.stability,
            rate_low_kg_s=interval[0] if interval else None,
            rate_high_kg_s=interval[1] if interval else None,
            bands=zone_collection(bands, frame),
        )


def bands_of(plan: RunPlan, tell: Callable[[float], None] = lambda _done: None) -> Bands | None:
    """Compute the ensemble; None where the plan wants none. `tell` hears the share that is done."""
    if plan.members < 2:
        return None
    weather = plan.weather.weather
    spread = spread_of(weather, plan.rate_interval)
    drawn = replace(spread, direction_deg=spread.direction_deg * math.sqrt(1.0 - _SMOOTHED_SHARE**2))
    members = draw_members(weather, plan.rate_kg_s, drawn, plan.members, plan.seed)
    models = [PuffModel(plan.release_at(m.rate_kg_s), steady(m.weather), plan.averaging_s) for m in members]
    levels = [level.level_mg_m3 * KG_PER_MG for level in plan.levels]
    shares = exceedance(models, levels, plan.end_s, BREATHING_HEIGHT_M, _NODES, tell)
    return Bands(plan, spread, smoothed(shares, _SMOOTHED_SHARE * spread.direction_deg))


def smoothed(shares: Exceedance, spread_deg: float) -> Exceedance:
    """Turn the shares about the source by a normal spread [deg] of directions and take the mean.

    Some dozens of plumes leave gaps between them far out that no probability has. Each is therefore spread over a part
    of the wind's own spread, which the members' directions in turn leave out (the smoothed bootstrap with shrinkage,
    Silverman & Young 1987, doi:10.1093/biomet/74.3.469): the direction's variance stays what it was.
    """
    grid = shares.grid
    x, y = np.meshgrid(grid.x, grid.y)
    values = np.moveaxis(shares.share, 0, -1)
    total = np.zeros(values.shape)
    for score in _TURNS:
        angle = math.radians(spread_deg * score)
        cosine, sine = math.cos(angle), math.sin(angle)
        turned = np.stack((x * sine + y * cosine, x * cosine - y * sine), axis=-1)
        total += interpn((grid.y, grid.x), values, turned, bounds_error=False, fill_value=0.0)
    mean = gaussian_filter(np.moveaxis(total / len(_TURNS), -1, 0), (0.0, _BLUR_NODES, _BLUR_NODES))
    return Exceedance(grid, np.clip(mean, 0.0, 1.0).astype(np.float32))
