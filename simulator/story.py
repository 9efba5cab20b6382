"""What happens in the park: a quiet time, a release, and the air clears; then another one elsewhere.

Wind and source are drawn by the seed. A quick look with a plume formula ranks the draws, a small particle run
settles which one sweeps stations of several rings so that the warning climbs, and at what rate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from simulator.outlook import Forecast, quick_look, scout
from simulator.release import Release, Timing
from simulator.site import Site, Source
from simulator.warning_levels import WARNING_LEVELS
from simulator.wind import Wind, WindSeries

RATE_BOUNDS_KG_S = (0.3, 3.0)
RATE_STEP_KG_S = 0.05
# Peaks must pass a level by this factor, for the real run differs from the scouting one by chance: least where the
# rate is fitted to it, most close to the source, where a station at the fringe of the plume sees all or nothing.
MARGIN = 2.0
SOURCE_MARGIN = 20.0
RECEPTOR_MARGIN = 4.0
GOOD_ENOUGH = 0.9
LEAST_WINDS, MOST_WINDS = 16, 80
# 770 mg/m3 of ammonia at the boundary would take more than a believable leak; its detectors go over range instead.
REACH_RED = ("chlorine", "hydrogen-sulfide")
WIND_BOUNDS_M_S = (2.8, 4.2)
SCOUTED = 5


@dataclass(frozen=True)
class Episode:
    """One release with the wind of its whole time; `start` and `end` in seconds since 1970."""

    start: int
    end: int
    wind: WindSeries
    release: Release

    def beginning_at(self, start: int) -> Episode:
        """The same events, at another time."""
        later = start - self.start
        release = replace(self.release, start=self.release.start + later, end=self.release.end + later)
        return replace(self, start=start, end=self.end + later, release=release)


@dataclass(frozen=True)
class _Draw:
    wind: Wind
    series: WindSeries
    source: Source
    forecast: Forecast


class Storyteller:
    """Makes one episode after the other. The same seed tells the same stories."""

    def __init__(self, site: Site, seed: int) -> None:
        self._site = site
        self._seed = seed
        self._told = 0
        self._wind: Wind | None = None
        self._last: Source | None = None
        self._open = [source for source in site.sources if source.property_id in WARNING_LEVELS]
        if not self._open:
            known = ", ".join(sorted(WARNING_LEVELS))
            raise ValueError(f"the park file has no risk source of {known}: there is no story to tell")

    def next_episode(self, start: int, inverse_obukhov: float, timing: Timing) -> Episode:
        """The next episode, beginning at `start` in air of this stability [1/m]."""
        draws = self._drawn(inverse_obukhov, timing)
        best: tuple[float, float, _Draw] | None = None
        for rank, draw in enumerate(draws[:SCOUTED]):
            generator = np.random.default_rng([self._seed, 20, self._told, rank])
            peaks = scout(self._site, draw.source, draw.series, inverse_obukhov, timing, generator)
            rate = fitting_rate(peaks)
            score = climb(peaks, rate)
            if best is None or score > best[0]:
                best = (score, rate, draw)
            if score >= GOOD_ENOUGH:
                break
        if best is None:
            raise ValueError("no story could be drawn")
        _, rate, chosen = best
        self._wind, self._last, self._told = chosen.wind, chosen.source, self._told + 1
        release_start = start + timing.release_after_s
        release = Release(chosen.source, rate, release_start, release_start + timing.release_for_s)
        return Episode(start, start + timing.length_s, chosen.series, release)

    def _drawn(self, inverse_obukhov: float, timing: Timing) -> list[_Draw]:
        """Pairs of a wind and a source, the most promising first."""
        draws: list[_Draw] = []
        for number in range(MOST_WINDS):
            wind = self._drawn_wind(number)
            series = wind.blow(timing.length_s)
            for source in self._candidates():
                forecast = quick_look(self._site, source, series, inverse_obukhov, timing)
                draws.append(_Draw(wind, series, source, forecast))
            good = sum(promise(draw)[0] >= GOOD_ENOUGH for draw in draws)
            if number >= LEAST_WINDS and good >= SCOUTED:
                break
        return sorted(draws, key=promise, reverse=True)

    def _candidates(self) -> list[Source]:
        """Sources of this episode: the first climbs to red, and none comes twice in a row."""
        if self._last is None:
            wanted = [source for source in self._open if source.property_id in REACH_RED]
        else:
            wanted = [source for source in self._open if source is not self._last]
        return wanted or self._open

    def _drawn_wind(self, number: int) -> Wind:
        generator = np.random.default_rng([self._seed, 10, self._told, number])
        speed = float(generator.uniform(*WIND_BOUNDS_M_S))
        if self._wind is None:
            return Wind(generator, speed, float(generator.uniform(0.0, 360.0)))
        heading = (self._wind.heading + float(generator.uniform(-75.0, 75.0))) % 360.0
        return self._wind.turning_to(heading, speed, generator)


def fitting_rate(forecast: Forecast) -> float:
    """The least believable rate [kg/s] with which the boundary reaches its goal, or the most believable one."""
    wanted = MARGIN * boundary_goal(forecast.property_id) / max(forecast.boundary, 1e-9)
    rounded = round(wanted / RATE_STEP_KG_S) * RATE_STEP_KG_S
    return round(float(np.clip(rounded, *RATE_BOUNDS_KG_S)), 2)


def climb(forecast: Forecast, rate: float) -> float:
    """How far a story climbs: the ring that stays farthest behind its goal, 1 where all reach theirs."""
    levels = WARNING_LEVELS[forecast.property_id]
    shares = (
        rate * forecast.source / levels.detector[1] / SOURCE_MARGIN,
        rate * forecast.boundary / boundary_goal(forecast.property_id) / MARGIN,
        rate * forecast.receptor / levels.air[0] / RECEPTOR_MARGIN,
    )
    return min(shares)


def promise(draw: _Draw) -> tuple[float, float]:
    """What draws are ranked by: first that all rings reach their goals, then how surely the farthest one does."""
    rate = fitting_rate(draw.forecast)
    farthest = rate * draw.forecast.receptor / WARNING_LEVELS[draw.forecast.property_id].air[0]
    return min(climb(draw.forecast, rate), GOOD_ENOUGH), farthest


def boundary_goal(property_id: str) -> float:
    """Concentration [mg/m3] that some boundary station is to pass: red, or orange where red is out of reach."""
    levels = WARNING_LEVELS[property_id]
    return levels.air[2] if property_id in REACH_RED else levels.air[1]
