"""A pool over time: fed by what does not flash, emptied by the ground's heat and by the wind (eqs. F.10 to F.12)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.model.source_terms.heat_evaporation import Surface, mean_heat_evaporation
from services.model.source_terms.mass_evaporation import mass_evaporation
from services.model.source_terms.pool import equivalent_radius, pool_area
from services.model.source_terms.result import FloatArray


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool of a liquid of a density [kg/m3] on a surface.

    `bund_area_m2` [m2] is None without a bund; `ground_k` [K] is the ground's temperature, and the air's;
    `heat_of_vaporisation_j_kg` may be None for a liquid that boils above `ground_k`: the ground then boils off nothing.
    """

    density_kg_m3: float
    least_depth_m: float
    bund_area_m2: float | None
    surface: Surface
    ground_k: float
    boiling_point_k: float
    heat_of_vaporisation_j_kg: float | None
    vapour_pressure_pa: float
    molar_mass_kg_mol: float
    wind_m_s: float
    stability: float


@dataclass(frozen=True, slots=True)
class Evaporation:
    """Mean rates (n,) [kg/s] in each interval, what is left on the ground [kg], and the widest area [m2]."""

    rates_kg_s: FloatArray
    left_kg: float
    widest_m2: float


def evaporate(pool: Pool, edges_s: FloatArray, feed_kg_s: FloatArray) -> Evaporation:
    """Let a pool evaporate that is fed at mean rates (n,) [kg/s] between edges (n + 1,) [s].

    An interval gives off no more than there is. The pool covers what all that has been spilled would cover: it does not
    shrink while it dries out.
    """
    mass, spilled, area = 0.0, 0.0, 0.0
    rates = np.zeros(feed_kg_s.size)
    for index, feed in enumerate(feed_kg_s):
        start, end = float(edges_s[index]), float(edges_s[index + 1])
        mass += float(feed) * (end - start)
        spilled += float(feed) * (end - start)
        area = pool_area(spilled / pool.density_kg_m3, pool.least_depth_m, pool.bund_area_m2)
        rate = min(_rate(pool, area, start, end), mass / (end - start))
        mass = max(mass - rate * (end - start), 0.0)
        rates[index] = rate
    return Evaporation(rates, mass, area)


def _rate(pool: Pool, area_m2: float, start_s: float, end_s: float) -> float:
    radius = equivalent_radius(area_m2)
    carried = mass_evaporation(
        pool.vapour_pressure_pa, pool.molar_mass_kg_mol, pool.ground_k, pool.wind_m_s, radius, pool.stability
    )
    if pool.heat_of_vaporisation_j_kg is None:
        return carried
    boiled = mean_heat_evaporation(
        pool.surface, area_m2, pool.ground_k, pool.boiling_point_k, pool.heat_of_vaporisation_j_kg, start_s, end_s
    )
    return carried + boiled
