"""The park in one piece: wind, gas and instruments, one simulated second at a time."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from shared.hj212.readings import Reading
from simulator.atmosphere import SurfaceLayer, inverse_obukhov_at
from simulator.concentration import concentrations
from simulator.geometry import Floats
from simulator.minute import minute_reading
from simulator.plume import ParticleCloud
from simulator.release import Release
from simulator.sensors import ANALYSER, ELECTROCHEMICAL, GasSensors
from simulator.site import Channel, Site
from simulator.weather import (
    Anemometer,
    humidity_percent,
    mean_direction,
    mean_speed,
    pressure_kpa,
    temperature_c,
)

PARTICLES_PER_SECOND = 30
STEPS_PER_SECOND = 2
MINUTE_S = 60
# A real-time wind value is the mean over this many seconds: a single gust says little.
WIND_MEAN_S = 10
WEATHER_DECIMALS = {"wind-direction": 0, "pressure": 2}
WIND_PROPERTIES = ("wind-speed", "wind-direction")


@dataclass(frozen=True)
class Sample:
    """What every channel showed in one second: value in the stored unit, and over-range marks."""

    value: Floats
    over: npt.NDArray[np.bool_]


class World:
    """Air and instruments of a site. `seed` settles everything; `now` counts whole seconds since 1970."""

    def __init__(self, site: Site, seed: int, now: int) -> None:
        self.site = site
        self.now = now
        self.concentration = np.zeros(len(site.stations))
        self._cloud = ParticleCloud(np.random.default_rng([seed, 1]))
        self._gas = [index for index, channel in enumerate(site.channels) if channel.is_gas]
        self._gas_station = np.array([site.channels[index].station for index in self._gas], dtype=int)
        habits = [
            ELECTROCHEMICAL if site.stations[site.channels[index].station].ring == "source" else ANALYSER
            for index in self._gas
        ]
        self._sensors = GasSensors([site.channels[index] for index in self._gas], habits, [seed, 2])
        self._masts = {
            channel.station: Anemometer(np.random.default_rng([seed, 3, channel.station]))
            for channel in site.channels
            if channel.property_id in WIND_PROPERTIES
        }
        self._gusts: dict[int, deque[tuple[float, float]]] = {
            station: deque(maxlen=MINUTE_S) for station in self._masts
        }
        self._flutter = np.random.default_rng([seed, 5])
        self._samples: deque[Sample] = deque(maxlen=MINUTE_S)
        self._channels_of: dict[int, list[int]] = {}
        for index, channel in enumerate(site.channels):
            self._channels_of.setdefault(channel.station, []).append(index)

    @property
    def particles(self) -> int:
        """Number of particles in the air."""
        return len(self._cloud)

    def local_time(self) -> datetime:
        """The park's local time now, without zone, as HJ 212 writes it."""
        return self.site.local_time(self.now)

    def step(self, speed: float, east: float, north: float, release: Release | None) -> None:
        """Let one second pass in a wind of this speed and these components [m/s] at 10 m."""
        self.now += 1
        local = self.local_time()
        hour = local.hour + local.minute / 60.0
        layer = SurfaceLayer.from_wind(speed, inverse_obukhov_at(hour))
        self._carry_gas(layer, east, north, release)
        gas_values, over = self._read_gas(release)
        values = np.zeros(len(self.site.channels))
        marks = np.zeros(len(values), dtype=bool)
        values[self._gas], marks[self._gas] = gas_values, over
        for station, mast in self._masts.items():
            self._gusts[station].append(mast.feel(layer, east, north))
        for index, channel in enumerate(self.site.channels):
            if not channel.is_gas:
                values[index] = self._weather_value(channel, hour, local.timetuple().tm_yday)
        self._samples.append(Sample(values, marks))

    def realtime(self, station: int) -> list[Reading]:
        """What the station's channels show now, in the units that it sends."""
        sample = self._samples[-1]
        return [
            Reading(
                factor=channel.factor,
                statistic="Rtd",
                value=sent_value(channel, float(sample.value[index])),
                flag="T" if sample.over[index] else "N",
            )
            for index, channel in self._of(station, "realtime")
        ]

    def minute(self, station: int) -> list[Reading]:
        """Statistics of the minute that has just ended; empty where the world has not lived all of it."""
        if len(self._samples) < MINUTE_S:
            return []
        direction = mean_direction(list(self._gusts[station])) if station in self._gusts else 0.0
        return [
            minute_reading(
                channel.factor,
                [sent_value(channel, float(sample.value[index])) for sample in self._samples],
                [bool(sample.over[index]) for sample in self._samples],
                decimals(channel) + 1,
                sent_value(channel, direction) if channel.property_id == "wind-direction" else None,
            )
            for index, channel in self._of(station, "minute")
        ]

    def _of(self, station: int, cadence: str) -> list[tuple[int, Channel]]:
        channels = self.site.channels
        return [
            (index, channels[index])
            for index in self._channels_of.get(station, [])
            if cadence in channels[index].cadences
        ]

    def _carry_gas(self, layer: SurfaceLayer, east: float, north: float, release: Release | None) -> None:
        rate = release.rate_at(self.now) if release is not None else 0.0
        seconds = 1.0 / STEPS_PER_SECOND
        for _ in range(STEPS_PER_SECOND):
            if release is not None and rate > 0.0:
                count = PARTICLES_PER_SECOND // STEPS_PER_SECOND
                self._cloud.emit(release.source.leak, rate * 1e6 * seconds, count, layer, seconds)
            self._cloud.step(layer, east, north, seconds)
        self.concentration = concentrations(self._cloud, self.site.places, layer)

    def _read_gas(self, release: Release | None) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Only one gas is out at a time: the instruments of the others see their background."""
        carried = release.source.property_id if release is not None else ""
        seen = np.array([self.site.channels[index].property_id == carried for index in self._gas])
        self._sensors.step(np.where(seen, self.concentration[self._gas_station], 0.0), 1.0)
        return self._sensors.read()

    def _weather_value(self, channel: Channel, hour: float, day_of_year: int) -> float:
        flutter = float(self._flutter.standard_normal())
        match channel.property_id:
            case "temperature":
                return temperature_c(hour, day_of_year) + 0.08 * flutter
            case "humidity":
                return humidity_percent(hour) + 0.3 * flutter
            case "pressure":
                return pressure_kpa(hour, day_of_year) + 0.01 * flutter
            case "wind-speed":
                return mean_speed(list(self._gusts[channel.station])[-WIND_MEAN_S:])
            case "wind-direction":
                return mean_direction(list(self._gusts[channel.station])[-WIND_MEAN_S:])
            case _:
                return 0.0


def sent_value(channel: Channel, stored: float) -> float:
    """A value in the unit and with the digits that the instrument sends."""
    return round(stored * channel.sent_per_stored, decimals(channel))


def decimals(channel: Channel) -> int:
    """Digits behind the point: a tenth of a gas's detection limit, what is usual for weather."""
    if not channel.is_gas:
        return WEATHER_DECIMALS.get(channel.property_id, 1)
    limit = channel.detection_limit * channel.sent_per_stored
    return max(1, math.ceil(-math.log10(limit / 10.0))) if limit > 0.0 else 3
