"""Which risk source is it, and how much comes out? A posterior over the park's own sources and over "elsewhere".

For every candidate, a wind-direction bias, an error of the stability and a rate are marginalised on grids
(Hutchinson, Oh & Chen 2017, doi:10.1016/j.inffus.2016.11.010, reviews the method): the plume of unit rate is computed
once per weather, so a rate costs a multiplication.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from services.model.dispersion.meteorology import Meteorology
from services.model.dispersion.plume import LEAST_PLUME_WIND_M_S, Plume, plume
from services.model.dispersion.stability import MOST_STABLE, MOST_UNSTABLE
from services.model.tracing.likelihood import FloatArray, Readings, log_likelihood, spread_at

ELSEWHERE_SHARE = 0.1
_ELSEWHERE_CELLS = 12
_ELSEWHERE_MARGIN_M = 200.0

# Rates [kg/s] with a prior even in the logarithm.
_RATES_KG_S = np.geomspace(1e-5, 100.0, 57)
_BIAS_SPREAD_DEG = 10.0
_BIAS_STEP_DEG = 4.0
_WIDEST_SPREAD_DEG = 72.0

# A class estimated from surface weather is often one off, and a wrong fixed one biases place and rate alike.
_STABILITY_OFFSETS = (-1.0, 0.0, 1.0)
_STABILITY_WEIGHTS = (0.25, 0.5, 0.25)
_MG_PER_KG = 1e6
_NEGLIGIBLE = 0.01


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place that may release: metres east and north of a common origin, height above ground [m]."""

    id: str
    east_m: float
    north_m: float
    height_m: float = 1.5


@dataclass(frozen=True, slots=True)
class Observed:
    """What stations read: positions [m], height [m], values, limits and ranges [mg/m3]; arrays of one length."""

    east_m: FloatArray
    north_m: FloatArray
    height_m: FloatArray
    readings: Readings


@dataclass(frozen=True, slots=True)
class Suspect:
    """One candidate's share of the probability and its rate [kg/s] with a 90 % interval."""

    id: str
    probability: float
    rate_kg_s: float
    rate_low_kg_s: float
    rate_high_kg_s: float
    wind_bias_deg: float


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Suspects, most probable first, and the share of "somewhere else".

    `decided` is False when the geometry cannot tell: no suspect holds half of the probability.
    """

    suspects: tuple[Suspect, ...]
    elsewhere: float

    @property
    def decided(self) -> bool:
        """Whether one suspect is more likely than everything else together."""
        return bool(self.suspects) and self.suspects[0].probability > 0.5


def trace(
    observed: Observed,
    weather: Meteorology,
    candidates: Sequence[Candidate],
    gas_age_s: float = math.inf,
) -> Suspicion:
    """Rank candidates by how well a plume from each explains all stations, clean ones included.

    Parameters
    ----------
    observed : stations with data, mean values over the last minutes.
    weather : wind over the park. In light wind its direction is trusted less.
    candidates : the park's risk sources of the substance.
    gas_age_s : how long ago the first station smelled it; a station that gas from a candidate cannot have reached
        yet does not speak against that candidate.

    Raises ValueError when no station reads above its detection limit: then there is nothing to trace.
    """
    detected = observed.readings.value >= observed.readings.detection_limit
    if not detected.any():
        raise ValueError("no station reads above its detection limit: there is nothing to trace")
    cases = _cases(weather, _BIAS_STEP_DEG, _STABILITY_OFFSETS, _STABILITY_WEIGHTS)
    joint = {c.id: _joint(c, observed, cases, gas_age_s) for c in candidates}
    named_share = math.log((1.0 - ELSEWHERE_SHARE) / max(len(candidates), 1))
    elsewhere = math.log(ELSEWHERE_SHARE if candidates else 1.0) + _elsewhere(observed, weather, gas_age_s)
    logs = np.array([_log_sum(joint[c.id]) + named_share for c in candidates] + [elsewhere])
    shares = np.exp(logs - logs.max())
    shares /= shares.sum()
    suspects = [
        _suspect(c.id, joint[c.id], cases, float(share)) for c, share in zip(candidates, shares[:-1], strict=True)
    ]
    suspects.sort(key=lambda suspect: (-suspect.probability, suspect.id))
    return Suspicion(tuple(suspects), float(shares[-1]))


@dataclass(slots=True)
class _Case:
    """One hypothesis of the weather: how far the wind's direction and the stability are off, and its log prior."""

    weather: Meteorology
    bias_deg: float
    log_prior: float
    plumes: dict[float, Plume] = field(default_factory=dict)

    def plume(self, height_m: float) -> Plume:
        """The plume from a source of this height; made once."""
        if height_m not in self.plumes:
            self.plumes[height_m] = plume(self.weather, height_m)
        return self.plumes[height_m]


def _cases(weather: Meteorology, step_deg: float, offsets: Sequence[float], weights: Sequence[float]) -> list[_Case]:
    """Direction errors have a spread of 10 degrees from 2 m/s up, more in lighter wind."""
    spread = min(_BIAS_SPREAD_DEG * max(1.0, 2.0 / max(weather.wind_speed_m_s, 0.1)), _WIDEST_SPREAD_DEG)
    each_side = math.ceil(2.5 * spread / step_deg)
    biases = np.linspace(-2.5 * spread, 2.5 * spread, 2 * each_side + 1)
    log_prior = -0.5 * (biases / spread) ** 2
    log_prior -= _log_sum(log_prior)
    return [
        _Case(_turned(weather, float(bias), offset), float(bias), float(prior) + math.log(weight))
        for bias, prior in zip(biases, log_prior, strict=True)
        for offset, weight in zip(offsets, weights, strict=True)
    ]


def _turned(weather: Meteorology, bias_deg: float, stability_offset: float) -> Meteorology:
    return replace(
        weather,
        wind_from_deg=(weather.wind_from_deg + bias_deg) % 360.0,
        wind_speed_m_s=max(weather.wind_speed_m_s, LEAST_PLUME_WIND_M_S),
        stability=min(max(weather.stability + stability_offset, MOST_UNSTABLE), MOST_STABLE),
    )


def _joint(candidate: Candidate, observed: Observed, cases: Sequence[_Case], gas_age_s: float) -> FloatArray:
    """Log posterior over (case, rate), unnormalised, of one place."""
    east, north = observed.east_m - candidate.east_m, observed.north_m - candidate.north_m
    table = np.empty((len(cases), _RATES_KG_S.size))
    spread = spread_at(np.hypot(east, north))
    untouched = log_likelihood(observed.readings, np.zeros(east.shape), spread)
    for index, case in enumerate(cases):
        shape = case.plume(candidate.height_m)
        unit = shape.concentration_at(1.0, east, north, observed.height_m) * _MG_PER_KG
        speaks = _has_been_reached(shape, east, north, observed.readings, gas_age_s)
        # Most stations stand outside most plumes, where no rate makes a difference: they are reckoned once.
        touched = unit * _RATES_KG_S[-1] > _NEGLIGIBLE * observed.readings.detection_limit
        logs = log_likelihood(
            observed.readings.of(touched), _RATES_KG_S[:, None] * unit[None, touched], spread[touched]
        )
        outside = float((untouched * speaks)[~touched].sum())
        table[index] = (logs * speaks[touched]).sum(axis=1) + outside + case.log_prior
    return table - math.log(_RATES_KG_S.size)


def _has_been_reached(
    shape: Plume, east: FloatArray, north: FloatArray, readings: Readings, gas_age_s: float
) -> FloatArray:
    """1 where gas had the time to arrive (or where something was read), 0 where silence means nothing yet."""
    toward_east, toward_north = shape.weather.toward
    downwind = east * toward_east + north * toward_north
    travel = np.where(downwind > 0.0, shape.curve.travel_time(np.maximum(downwind, 0.1)), 0.0)
    detected = readings.value >= readings.detection_limit
    # A station upwind of the candidate that reads a trace was not reached by it, so it does not start the clock.
    first = float(travel[detected & (downwind > 0.0)].min(initial=math.inf))
    if math.isinf(first):
        return np.ones(travel.shape)
    return np.asarray((travel <= gas_age_s + first) | detected, dtype=np.float64)


def _elsewhere(observed: Observed, weather: Meteorology, gas_age_s: float) -> float:
    """Mean evidence of places on a raster over the stations and some way around them, with coarser cases."""
    spread_step = 2.5 * _BIAS_STEP_DEG
    cases = _cases(weather, spread_step, (0.0,), (1.0,))
    margin = _ELSEWHERE_MARGIN_M
    easts = np.linspace(observed.east_m.min() - margin, observed.east_m.max() + margin, _ELSEWHERE_CELLS)
    norths = np.linspace(observed.north_m.min() - margin, observed.north_m.max() + margin, _ELSEWHERE_CELLS)
    places = [Candidate("elsewhere", float(e), float(n)) for e in easts for n in norths]
    logs = [_log_sum(_joint(place, observed, cases, gas_age_s)) for place in places]
    return _log_sum(np.array(logs)) - math.log(len(logs))


def _suspect(key: str, joint: FloatArray, cases: Sequence[_Case], probability: float) -> Suspect:
    weights = np.exp(joint - joint.max())
    weights /= weights.sum()
    cumulative = np.cumsum(weights.sum(axis=0))
    low, middle, high = (float(np.exp(np.interp(q, cumulative, np.log(_RATES_KG_S)))) for q in (0.05, 0.5, 0.95))
    bias = float((weights.sum(axis=1) * np.array([case.bias_deg for case in cases])).sum())
    return Suspect(key, probability, middle, low, high, bias)


def _log_sum(logs: FloatArray) -> float:
    top = float(logs.max())
    return top + math.log(float(np.exp(logs - top).sum()))
