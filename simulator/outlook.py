"""What a release would do at the stations: a quick look by formula, and a small run of particles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulator.atmosphere import SurfaceLayer
from simulator.concentration import concentrations
from simulator.geometry import Floats
from simulator.plume import ParticleCloud
from simulator.site import Site, Source
from simulator.wind import WindSeries

if TYPE_CHECKING:
    from simulator.story import Timing

SCOUT_PARTICLES_PER_SECOND = 10
# Time that gas needs to the farthest stations, about 3 km at 3 m/s.
TRAVEL_S = 900
# Instruments smooth what passes over them: the mean over this many seconds is what they show.
SMOOTHING_S = 20
RINGS = ("source", "boundary", "receptor")


@dataclass(frozen=True)
class Forecast:
    """Highest concentration [mg/m3 per kg/s] that a station of each ring would show."""

    property_id: str
    source: float
    boundary: float
    receptor: float


def quick_look(site: Site, source: Source, wind: WindSeries, inverse_obukhov: float, timing: Timing) -> Forecast:
    """A Gaussian plume in the wind of each second, without travel time: good enough to rank draws by.

    Spreads after Briggs (1973), class D, nearer to town than to open country, as an industrial site is:
    sigma_y = 0.14 x / sqrt(1 + 0.0002 x), sigma_z = 0.08 x / sqrt(1 + 0.001 x).
    """
    window = slice(timing.release_after_s, timing.release_after_s + timing.release_for_s)
    speed = wind.speed[window][:, None] * (0.75 if inverse_obukhov <= 0.0 else 0.65)
    unit = np.stack([wind.east[window], wind.north[window]], axis=1) / wind.speed[window][:, None]
    offset = site.places[:, :2] - np.array([source.leak.east_m, source.leak.north_m])
    along = np.maximum(unit @ offset.T, 1.0)
    across = unit[:, :1] * offset[None, :, 1] - unit[:, 1:] * offset[None, :, 0]
    sigma_y = 0.14 * along / np.sqrt(1.0 + 2e-4 * along) + 1.5
    sigma_z = 0.08 * along / np.sqrt(1.0 + 1e-3 * along) + 1.0
    series = 1e6 / (np.pi * speed * sigma_y * sigma_z) * np.exp(-0.5 * (across / sigma_y) ** 2)
    series = np.where(unit @ offset.T > 5.0, series, 0.0)
    return _forecast(site, source, series)


def scout(
    site: Site,
    source: Source,
    wind: WindSeries,
    inverse_obukhov: float,
    timing: Timing,
    generator: np.random.Generator,
) -> Forecast:
    """The real thing with few particles: 1 kg/s in the wind that will blow."""
    cloud = ParticleCloud(generator)
    begin, end = timing.release_after_s, timing.release_after_s + timing.release_for_s
    last = min(end + TRAVEL_S, len(wind))
    series = np.zeros((last - begin, len(site.places)))
    for index in range(begin, last):
        layer = SurfaceLayer.from_wind(float(wind.speed[index]), inverse_obukhov)
        if index < end:
            cloud.emit(source.leak, 1e6, SCOUT_PARTICLES_PER_SECOND, layer, 1.0)
        cloud.step(layer, float(wind.east[index]), float(wind.north[index]), 1.0)
        series[index - begin] = concentrations(cloud, site.places, layer)
    return _forecast(site, source, series)


def _forecast(site: Site, source: Source, series: Floats) -> Forecast:
    """Peaks of the smoothed series, shape (seconds, stations)."""
    total = np.cumsum(np.vstack([np.zeros((1, series.shape[1])), series]), axis=0)
    width = min(SMOOTHING_S, len(series))
    peaks = ((total[width:] - total[:-width]) / width).max(axis=0)
    best = [peaks[site.stations_measuring(source.property_id, ring)].max(initial=0.0) for ring in RINGS]
    return Forecast(source.property_id, *(float(value) for value in best))
