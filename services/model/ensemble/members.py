"""The members of an ensemble: weathers and rates drawn so that few of them cover the whole spread.

Each input is cut into as many equally likely slices as there are members and every slice is used once (Latin
hypercube; McKay, Beckman & Conover 1979, doi:10.2307/1268522): 60 such members say as much as some hundreds drawn
without care. The same seed gives the same members.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from services.model.dispersion.meteorology import Meteorology
from services.model.dispersion.stability import MOST_STABLE, MOST_UNSTABLE
from services.model.ensemble.spread import FloatArray, Spread, rate_of_score

MOST_MEMBERS = 1000
_INPUTS = 4
_LARGEST_WIND_M_S = 60.0


@dataclass(frozen=True, slots=True)
class Member:
    """One way in which it may be: a weather, and a rate [kg/s]."""

    weather: Meteorology
    rate_kg_s: float


def draw_members(weather: Meteorology, rate_kg_s: float, spread: Spread, count: int, seed: int) -> list[Member]:
    """Draw members around a weather and a rate (its median).

    Raises ValueError for fewer than 2 or more than 1000 members.
    """
    if not 2 <= count <= MOST_MEMBERS:
        raise ValueError(f"an ensemble of {count} members: it must have 2 to {MOST_MEMBERS}")
    direction, speed, stability, rate = latin_scores(count, _INPUTS, seed)
    rates = rate_of_score(rate_kg_s, spread.rate_interval, rate)
    return [
        Member(_varied(weather, spread, float(d), float(u), float(s)), float(r))
        for d, u, s, r in zip(direction, speed, stability, rates, strict=True)
    ]


def latin_scores(count: int, inputs: int, seed: int) -> FloatArray:
    """Return standard normal scores, shape (inputs, count): the middles of equally likely slices, shuffled."""
    dice = np.random.default_rng(seed)
    middles = (np.arange(count) + 0.5) / count
    return np.asarray(ndtri(np.stack([dice.permutation(middles) for _ in range(inputs)])))


def _varied(weather: Meteorology, spread: Spread, direction: float, speed: float, stability: float) -> Meteorology:
    return replace(
        weather,
        wind_from_deg=(weather.wind_from_deg + spread.direction_deg * direction) % 360.0,
        wind_speed_m_s=min(weather.wind_speed_m_s * float(np.exp(spread.speed_log * speed)), _LARGEST_WIND_M_S),
        stability=min(max(weather.stability + spread.stability * stability, MOST_UNSTABLE), MOST_STABLE),
    )
