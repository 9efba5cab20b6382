"""Weather instruments: a plain day of temperature, humidity and pressure, and anemometers in turbulent air."""

from __future__ import annotations

import math

import numpy as np

from simulator.atmosphere import SurfaceLayer
from simulator.geometry import wind_from_degrees
from simulator.plume import SMALL_SCALE_SHARE

# An anemometer feels eddies of this life time [s] that the wind series, one for the whole park, does not hold.
EDDY_TIME_S = 8.0


def temperature_c(hour: float, day_of_year: int) -> float:
    """Air temperature [degC] at a local hour: a mild coastal year with a daily swing of 8 degrees."""
    season = 13.5 - 14.0 * math.cos((day_of_year - 20) / 365.25 * 2.0 * math.pi)
    return season + 4.0 * math.cos((hour - 14.5) / 24.0 * 2.0 * math.pi)


def humidity_percent(hour: float) -> float:
    """Relative humidity [%]: highest before sunrise, when it is coldest."""
    return 66.0 - 16.0 * math.cos((hour - 14.5) / 24.0 * 2.0 * math.pi)


def pressure_kpa(hour: float, day_of_year: int) -> float:
    """Air pressure [kPa] at sea level: higher in winter, with the half-daily tide of the air."""
    season = 101.6 + 1.0 * math.cos((day_of_year - 15) / 365.25 * 2.0 * math.pi)
    return season + 0.08 * math.cos((hour - 10.0) / 12.0 * 2.0 * math.pi)


class Anemometer:
    """A mast at 10 m: the park's wind plus eddies of its own."""

    def __init__(self, generator: np.random.Generator) -> None:
        self._generator = generator
        self._eddy = generator.standard_normal(2)

    def feel(self, layer: SurfaceLayer, east: float, north: float) -> tuple[float, float]:
        """The wind vector [m/s] at the mast, one second later."""
        memory = math.exp(-1.0 / EDDY_TIME_S)
        kick = math.sqrt(1.0 - memory**2) * self._generator.standard_normal(2)
        self._eddy = memory * self._eddy + kick
        scale = math.sqrt(SMALL_SCALE_SHARE)
        along, across = scale * layer.sigma_u() * self._eddy[0], scale * layer.sigma_v() * self._eddy[1]
        speed = math.hypot(east, north)
        unit_east, unit_north = (east / speed, north / speed) if speed > 0.0 else (1.0, 0.0)
        return east + along * unit_east - across * unit_north, north + along * unit_north + across * unit_east


def mean_direction(vectors: list[tuple[float, float]]) -> float:
    """Direction [degrees] that the mean wind vector comes from: 359 and 1 give 0, not 180."""
    return wind_from_degrees(sum(east for east, _ in vectors), sum(north for _, north in vectors))


def mean_speed(vectors: list[tuple[float, float]]) -> float:
    """Scalar mean of the wind speed [m/s]."""
    return sum(math.hypot(east, north) for east, north in vectors) / len(vectors)
