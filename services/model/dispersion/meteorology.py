"""What the engine knows of the weather, in one immutable value, and a sequence of them in time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from services.model.dispersion.profile import FloatArray, wind_at
from services.model.dispersion.stability import MOST_STABLE, MOST_UNSTABLE, golder_inverse_length

# Aerodynamic roughness of an industrial park amid open land: Davenport class "rough" is 0.25 m, "very rough" 0.5 m
# (Wieringa 1992, doi:10.1016/0167-6105(92)90434-C).
PARK_ROUGHNESS_M = 0.3

# "No lid" as a height: far above what a surface release reaches.
UNLIMITED_MIXING_M = 10_000.0


@dataclass(frozen=True, slots=True)
class Meteorology:
    """Steady weather over the site.

    Attributes
    ----------
    wind_speed_m_s : mean wind at `wind_height_m`, >= 0.
    wind_from_deg : where it comes from, clockwise from north.
    stability : 1 (A) to 6 (F), continuous.
    roughness_m : z0.
    wind_height_m : height of the anemometer.
    mixing_height_m : height of the lid.
    sigma_theta_deg : standard deviation of wind direction over the averaging time; None when not measured.
    temperature_c, pressure_kpa : ambient air.
    measured_inverse_length_per_m : 1/L where a flux measurement gives it; else from stability and z0 (Golder).

    Raises ValueError, naming the field, for a value that no weather has.
    """

    wind_speed_m_s: float
    wind_from_deg: float
    stability: float
    roughness_m: float = PARK_ROUGHNESS_M
    wind_height_m: float = 10.0
    mixing_height_m: float = UNLIMITED_MIXING_M
    sigma_theta_deg: float | None = None
    temperature_c: float = 20.0
    pressure_kpa: float = 101.325
    measured_inverse_length_per_m: float | None = None

    def __post_init__(self) -> None:
        _within("wind_speed_m_s", self.wind_speed_m_s, 0.0, 60.0)
        _within("wind_from_deg", self.wind_from_deg, 0.0, 360.0)
        _within("stability", self.stability, MOST_UNSTABLE, MOST_STABLE)
        _within("roughness_m", self.roughness_m, 1e-4, 3.0)
        _within("wind_height_m", self.wind_height_m, 1.0, 300.0)
        _within("mixing_height_m", self.mixing_height_m, 20.0, UNLIMITED_MIXING_M)
        _within("temperature_c", self.temperature_c, -60.0, 60.0)
        _within("pressure_kpa", self.pressure_kpa, 50.0, 110.0)
        if self.sigma_theta_deg is not None:
            _within("sigma_theta_deg", self.sigma_theta_deg, 0.0, 104.0)

    @property
    def inverse_length_per_m(self) -> float:
        """1/L [1/m]: measured, else Golder's for this stability and roughness."""
        if self.measured_inverse_length_per_m is not None:
            return self.measured_inverse_length_per_m
        return golder_inverse_length(self.stability, self.roughness_m)

    @property
    def toward(self) -> tuple[float, float]:
        """Unit vector (east, north) of where the wind blows TO."""
        angle = math.radians(self.wind_from_deg)
        return -math.sin(angle), -math.cos(angle)

    def wind_at(self, height_m: npt.ArrayLike) -> FloatArray:
        """Return the wind [m/s] at heights [m]."""
        return wind_at(height_m, self.wind_speed_m_s, self.wind_height_m, self.roughness_m, self.inverse_length_per_m)


@dataclass(frozen=True, slots=True)
class WeatherSpell:
    """Weather that holds from `start_s` [s after the run's zero] until the next spell begins."""

    start_s: float
    weather: Meteorology


def steady(weather: Meteorology) -> tuple[WeatherSpell, ...]:
    """One weather for all time."""
    return (WeatherSpell(-math.inf, weather),)


def checked_spells(spells: Sequence[WeatherSpell]) -> tuple[WeatherSpell, ...]:
    """Return the spells in order of time; ValueError when there is none or two begin at once."""
    if not spells:
        raise ValueError("at least one spell of weather is needed")
    ordered = tuple(sorted(spells, key=lambda spell: spell.start_s))
    if any(a.start_s == b.start_s for a, b in pairwise(ordered)):
        raise ValueError("two spells of weather begin at the same time")
    return ordered


def screening_mixing_height_m(wind_speed_10m_m_s: float, stability: float) -> float:
    """Return a mixing height [m] where none is measured.

    SCREEN3 (EPA-454/R-95-004): 320 u10 in neutral and unstable air, no lid in stable air; between D and E the
    logarithm is interpolated.
    """
    neutral = min(max(320.0 * wind_speed_10m_m_s, 150.0), UNLIMITED_MIXING_M)
    logs = np.interp(stability, [4.0, 5.0], [math.log(neutral), math.log(UNLIMITED_MIXING_M)])
    return min(float(math.exp(logs)), UNLIMITED_MIXING_M)


def _within(name: str, value: float, low: float, high: float) -> None:
    if not (low <= value <= high):
        raise ValueError(f"{name} is {value:g}: it must lie between {low:g} and {high:g}")
