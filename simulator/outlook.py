"""What a release would do at the stations: a quick look by formula, and a small run of particles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.atmosphere import SurfaceLayer
from simulator.concentration import concentrations
from simulator.geometry import Floats
from simulator.plume import ParticleCloud
from simulator.release import Timing, grown_share
from simulator.site import Site, Source
from simulator.wind import WindSeries

SCOUT_PARTICLES_PER_SECOND = 12
PUFF_EVERY_S = 10
# Time that gas needs to the farthest stations, about 3 km at 3 m/s.
TRAVEL_S = 900
# Instruments smooth what passes over them: the mean over this many seconds is what they show.
SMOOTHING_S = 30
RINGS = ("source", "boundary", "receptor")


@dataclass(frozen=True)
class Forecast:
    """Highest concentration [mg/m3 per kg/s] that a station of each ring would show."""

    property_id: str
    source: float
    boundary: float
    receptor: float


def quick_look(site: Site, source: Source, wind: WindSeries, inverse_obukhov: float, timing: Timing) -> Forecast:
    """Gaussian puffs carried along the wind's path: not the truth, but good enough to rank draws by.

    Spreads after Briggs (1973), class D, nearer to town than to open country, as an industrial site is:
    sigma_y = 0.14 x / sqrt(1 + 0.0002 x), sigma_z = 0.08 x / sqrt(1 + 0.001 x).
    """
    begin = timing.release_after_s
    puffs = timing.release_for_s // PUFF_EVERY_S
    last = min(begin + timing.release_for_s + TRAVEL_S, len(wind))
    # Near the ground, where the gas is, the wind is slower than at 10 m.
    slower = (0.75 if inverse_obukhov <= 0.0 else 0.65) * PUFF_EVERY_S
    moments = slice(begin, last, PUFF_EVERY_S)
    track = np.cumsum(np.stack([wind.east[moments], wind.north[moments]], axis=1), axis=0) * slower
    length = np.cumsum(wind.speed[moments]) * slower
    offset = site.places[:, :2] - np.array([source.leak.east_m, source.leak.north_m])
    series = np.zeros((len(length), len(offset)))
    for puff in range(puffs):
        travelled = (length[puff + 1 :] - length[puff])[:, None]
        sigma_y = 0.14 * travelled / np.sqrt(1.0 + 2e-4 * travelled) + 1.5
        sigma_z = 0.08 * travelled / np.sqrt(1.0 + 1e-3 * travelled) + 1.0
        # Puffs stand apart by some metres: close to the source they must be wide enough to overlap.
        sigma_y = np.maximum(sigma_y, PUFF_EVERY_S)
        apart = offset[None, :, :] - (track[puff + 1 :] - track[puff])[:, None, :]
        mass = 1e6 * PUFF_EVERY_S * grown_share(puff * PUFF_EVERY_S)
        peak = 2.0 * mass / ((2.0 * np.pi) ** 1.5 * sigma_y**2 * sigma_z)
        series[puff + 1 :] += peak * np.exp(-0.5 * (apart**2).sum(axis=2) / sigma_y**2)
    return _forecast(site, source, series, SMOOTHING_S // PUFF_EVERY_S)


def scout(
    site: Site,
    source: Source,
    wind: WindSeries,
    inverse_obukhov: float,
    timing: Timing,
    generator: np.random.Generator,
) -> Forecast:
    """The real thing with few particles: a leak that grows to 1 kg/s, in the wind that will blow."""
    cloud = ParticleCloud(generator)
    begin, end = timing.release_after_s, timing.release_after_s + timing.release_for_s
    last = min(end + TRAVEL_S, len(wind))
    series = np.zeros((last - begin, len(site.places)))
    for index in range(begin, last):
        layer = SurfaceLayer.from_wind(float(wind.speed[index]), inverse_obukhov)
        if index < end:
            cloud.emit(source.leak, 1e6 * grown_share(index - begin), SCOUT_PARTICLES_PER_SECOND, layer, 1.0)
        cloud.step(layer, float(wind.east[index]), float(wind.north[index]), 1.0)
        series[index - begin] = concentrations(cloud, site.places, layer)
    return _forecast(site, source, series, SMOOTHING_S)


def _forecast(site: Site, source: Source, series: Floats, width: int) -> Forecast:
    """Peaks of the series, shape (times, stations), smoothed over `width` times."""
    total = np.cumsum(np.vstack([np.zeros((1, series.shape[1])), series]), axis=0)
    peaks = ((total[width:] - total[:-width]) / width).max(axis=0)
    best = [peaks[site.stations_measuring(source.property_id, ring)].max(initial=0.0) for ring in RINGS]
    return Forecast(source.property_id, *(float(value) for value in best))
