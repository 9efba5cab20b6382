"""Concentration at stations, counted from particles through a kernel that grows with their age."""

from __future__ import annotations

import numpy as np

from simulator.atmosphere import SurfaceLayer
from simulator.geometry import Floats
from simulator.plume import ParticleCloud

# Half-widths of the kernel: a share of the spread that a particle of this age has, between two bounds [m].
WIDTH_SHARE = 0.6
HORIZONTAL_BOUNDS_M = (2.5, 40.0)
VERTICAL_BOUNDS_M = (1.2, 15.0)


def concentrations(cloud: ParticleCloud, stations: Floats, layer: SurfaceLayer) -> Floats:
    """Concentration [mg/m3] at each station.

    `stations` has shape (n, 3): east, north, height [m]. A product of three Epanechnikov kernels; the
    ground mirrors what would count below it, so no mass is lost there.
    """
    result = np.zeros(len(stations))
    if not len(cloud):
        return result
    reach = HORIZONTAL_BOUNDS_M[1]
    low = cloud.place[:2].min(axis=1) - reach
    high = cloud.place[:2].max(axis=1) + reach
    inside = ((stations[:, :2] >= low) & (stations[:, :2] <= high)).all(axis=1)
    if not inside.any():
        return result
    wide, tall = kernel_widths(cloud.age_s, layer)
    for index in np.flatnonzero(inside):
        result[index] = _at_point(cloud, stations[index], wide, tall)
    return result


def kernel_widths(age_s: Floats, layer: SurfaceLayer) -> tuple[Floats, Floats]:
    """Horizontal and vertical half-width [m] of the kernel of particles of these ages."""
    # Taylor's limits joined: spread grows as sigma t at first, as the root of t later.
    slowed = age_s / np.sqrt(1.0 + age_s / 60.0)
    wide = np.clip(WIDTH_SHARE * 0.7 * layer.sigma_v() * slowed, *HORIZONTAL_BOUNDS_M)
    neutral_sigma_w = float(layer.sigma_w(np.zeros(1))[0])
    tall = np.clip(WIDTH_SHARE * 0.5 * neutral_sigma_w * slowed, *VERTICAL_BOUNDS_M)
    return wide, tall


def _at_point(cloud: ParticleCloud, point: Floats, wide: Floats, tall: Floats) -> float:
    near = np.flatnonzero(np.abs(cloud.place[0] - point[0]) < wide)
    near = near[np.abs(cloud.place[1, near] - point[1]) < wide[near]]
    if not len(near):
        return 0.0
    wide, tall, height = wide[near], tall[near], cloud.place[2, near]
    east = _epanechnikov((cloud.place[0, near] - point[0]) / wide)
    north = _epanechnikov((cloud.place[1, near] - point[1]) / wide)
    vertical = _epanechnikov((height - point[2]) / tall) + _epanechnikov((height + point[2]) / tall)
    return float((cloud.mass_mg[near] * east * north * vertical / (wide**2 * tall)).sum())


def _epanechnikov(distance: Floats) -> Floats:
    return 0.75 * np.maximum(1.0 - distance**2, 0.0)
