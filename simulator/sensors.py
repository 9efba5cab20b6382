"""Gas instruments: lag, noise, drift, background, detection limit and the end of the range.

Each behaves like a first-order low pass of its response time T90, adds a slow drift and white noise, reports zero
below its detection limit, and holds the end of its range with flag T above it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.geometry import Floats
from simulator.site import Channel

DRIFT_TIME_S = 6 * 3600.0
BACKGROUND_TIME_S = 900.0
# A cell in pure gas gives no more than a few times the end of its range; so it also recovers in minutes.
SATURATION_RANGES = 3.0
LOG_OF_TEN = math.log(10.0)

# What clean coastal air beside industry holds [mg/m3].
BACKGROUND_MG_M3 = {"ammonia": 0.03, "hydrogen-sulfide": 0.004, "benzene": 0.004, "chlorine": 0.003}


@dataclass(frozen=True)
class SensorHabit:
    """Quality of an instrument: T90 [s], noise as share of the value, noise and drift as share of the limit."""

    t90_s: float
    noise_share: float
    noise_of_limit: float
    drift_of_limit: float


ELECTROCHEMICAL = SensorHabit(t90_s=30.0, noise_share=0.02, noise_of_limit=0.25, drift_of_limit=0.2)
ANALYSER = SensorHabit(t90_s=25.0, noise_share=0.01, noise_of_limit=0.2, drift_of_limit=0.3)


class GasSensors:
    """All gas channels of a park at once; arrays have one entry a channel."""

    def __init__(self, channels: Sequence[Channel], habits: Sequence[SensorHabit], seed: Sequence[int]) -> None:
        self._generator = np.random.default_rng(seed)
        count = len(channels)
        self._upper = np.array([channel.range_upper for channel in channels])
        self._limit = np.array([channel.detection_limit for channel in channels])
        self._tau = np.array([habit.t90_s / LOG_OF_TEN for habit in habits])
        self._noise_share = np.array([habit.noise_share for habit in habits])
        self._noise_floor = np.array([habit.noise_of_limit for habit in habits]) * self._limit
        self._drift_sigma = np.array([habit.drift_of_limit for habit in habits]) * self._limit
        usual = np.array([BACKGROUND_MG_M3.get(channel.property_id, 0.0) for channel in channels])
        self._usual = usual * np.exp(0.3 * self._generator.standard_normal(count))
        self._wander = self._generator.standard_normal(count)
        self._drift = self._generator.standard_normal(count)
        self._seen = self._usual.copy()

    def step(self, concentration: Floats, seconds: float) -> None:
        """Let the instruments breathe air of this concentration [mg/m3] for `seconds`."""
        self._drift = self._relax(self._drift, seconds / DRIFT_TIME_S)
        self._wander = self._relax(self._wander, seconds / BACKGROUND_TIME_S)
        reached = np.minimum(concentration, SATURATION_RANGES * self._upper)
        target = reached + self._usual * np.exp(0.35 * self._wander)
        self._seen += (target - self._seen) * (1.0 - np.exp(-seconds / self._tau))

    def read(self) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """What the instruments show now [mg/m3], and which of them are over their range."""
        noise = np.hypot(self._noise_floor, self._noise_share * self._seen)
        shown = self._seen + self._drift_sigma * self._drift
        shown = shown + noise * self._generator.standard_normal(len(shown))
        over = shown > self._upper
        return np.where(shown < self._limit, 0.0, np.minimum(shown, self._upper)), over

    def _relax(self, state: Floats, steps: float) -> Floats:
        """A unit Ornstein-Uhlenbeck process carried on by `steps` of its time scale."""
        memory = math.exp(-steps)
        return memory * state + math.sqrt(1.0 - memory**2) * self._generator.standard_normal(len(state))
