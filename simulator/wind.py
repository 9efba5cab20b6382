"""The wind over the park: it gusts, it meanders, and it turns slowly.

Speed and direction are Ornstein-Uhlenbeck processes: gusts on the logarithm of the speed, meander on the
direction, and on top a slow change towards the heading and the mean speed that the story sets.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field

import numpy as np

from simulator.geometry import Floats, wind_vector


@dataclass(frozen=True)
class WindHabit:
    """How restless the wind is. Standard deviations in degrees or as share of the speed, times in seconds."""

    gust_share: float = 0.14
    gust_time_s: float = 45.0
    meander_deg: float = 5.5
    meander_time_s: float = 80.0
    turn_deg: float = 6.0
    turn_time_s: float = 1800.0
    settle_time_s: float = 150.0


@dataclass(frozen=True)
class WindSeries:
    """Wind at 10 m, one value a second: speed [m/s], direction it comes from [degrees], east, north [m/s]."""

    speed: Floats
    from_deg: Floats
    east: Floats
    north: Floats

    def __len__(self) -> int:
        return len(self.speed)


@dataclass
class Wind:
    """A wind that goes on where its last series ended. The same generator gives the same wind.

    `mean_speed` in m/s at 10 m, `heading` in degrees that the wind comes from in the long run.
    """

    generator: np.random.Generator
    mean_speed: float
    heading: float
    habit: WindHabit = field(default_factory=WindHabit)
    _gust: float = 0.0
    _meander: float = 0.0
    _turn: float = 0.0
    _settled: float = field(init=False)
    _settled_speed: float = field(init=False)

    def __post_init__(self) -> None:
        self._settled = self.heading
        self._settled_speed = self.mean_speed

    def turning_to(self, heading: float, mean_speed: float, generator: np.random.Generator) -> Wind:
        """This wind, to go on towards another heading and speed with another generator's luck."""
        turned = copy.copy(self)
        turned.heading, turned.mean_speed, turned.generator = heading, mean_speed, generator
        return turned

    def blow(self, seconds: int) -> WindSeries:
        """The next `seconds` of wind."""
        habit = self.habit
        gust = self._process(self._gust, habit.gust_share, habit.gust_time_s, seconds)
        meander = self._process(self._meander, habit.meander_deg, habit.meander_time_s, seconds)
        turn = self._process(self._turn, habit.turn_deg, habit.turn_time_s, seconds)
        away = (self._settled - self.heading + 180.0) % 360.0 - 180.0
        unsettled = np.exp(-np.arange(1, seconds + 1) / habit.settle_time_s)
        settled = self.heading + away * unsettled
        settled_speed = self.mean_speed + (self._settled_speed - self.mean_speed) * unsettled
        self._gust, self._meander, self._turn = float(gust[-1]), float(meander[-1]), float(turn[-1])
        self._settled, self._settled_speed = float(settled[-1]), float(settled_speed[-1])
        speed = settled_speed * np.exp(gust - habit.gust_share**2 / 2.0)
        from_deg = (settled + turn + meander) % 360.0
        east, north = wind_vector(speed, from_deg)
        return WindSeries(speed, from_deg, east, north)

    def _process(self, start: float, sigma: float, time_scale: float, seconds: int) -> Floats:
        """An Ornstein-Uhlenbeck process in its exact discrete form, one value a second."""
        memory = math.exp(-1.0 / time_scale)
        kicks = self.generator.standard_normal(seconds) * sigma * math.sqrt(1.0 - memory**2)
        values = np.empty(seconds)
        value = start
        for index in range(seconds):
            value = memory * value + float(kicks[index])
            values[index] = value
        return values
