"""Puffs that follow the wind.

The cloud at a time t is an integral over the moments of release; here it is summed over nodes whose spacing along the
path equals their own sigma (a Gaussian comb of spacing sigma ripples by 2 exp(-2 pi^2), 5e-9), so some 100 puffs
stand for the whole cloud from the source's lip to kilometres away. Each node carries exactly the mass released
between its edges. Its place and spread come from the tables of `growth`, spell of weather by spell: no time stepping.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.model.dispersion.growth import CALM_GROWTH_M_S, GrowthCurve, growth_curve
from services.model.dispersion.meteorology import WeatherSpell, checked_spells
from services.model.dispersion.profile import FloatArray
from services.model.dispersion.release import Release
from services.model.dispersion.sigma import REFERENCE_AVERAGING_S
from services.model.dispersion.vertical import vertical_density

# Spacing of nodes in units of sigma. After a wind that was stronger than now they are set closer, at most so much.
NODE_SPACING = 1.0
_CLOSEST_NODES = 8.0


@dataclass(frozen=True, slots=True)
class Cloud:
    """All puffs at one moment: arrays of one length.

    east, north : centres [m] from the source; sigma_y (also along the wind), sigma_z [m]; mass [kg];
    lid [m] of the weather; release_height_m.
    """

    east: FloatArray
    north: FloatArray
    sigma_y: FloatArray
    sigma_z: FloatArray
    mass: FloatArray
    lid: float
    release_height_m: float

    def weight(self, height_m: float) -> FloatArray:
        """Return mass times vertical density [kg/m] of each puff at a height [m]."""
        return self.mass * vertical_density(height_m, self.release_height_m, self.sigma_z, self.lid)

    def concentration_at(self, east_m: npt.ArrayLike, north_m: npt.ArrayLike, height_m: float = 1.5) -> FloatArray:
        """Return concentrations [kg/m3] at points [m from the source], evaluated directly, without a grid."""
        e = np.atleast_1d(np.asarray(east_m, dtype=np.float64))
        n = np.atleast_1d(np.asarray(north_m, dtype=np.float64))
        variance = self.sigma_y**2
        distance = (e[:, None] - self.east) ** 2 + (n[:, None] - self.north) ** 2
        amplitude = self.weight(height_m) / (2.0 * np.pi * variance)
        return np.asarray(np.exp(-0.5 * distance / variance) @ amplitude)


class PuffModel:
    """One release in one sequence of weather; `cloud_at` gives the cloud at any time."""

    def __init__(
        self,
        release: Release,
        spells: Sequence[WeatherSpell],
        averaging_s: float = REFERENCE_AVERAGING_S,
        node_spacing: float = NODE_SPACING,
    ) -> None:
        """Raises ValueError when there is no weather, or when the source stands above the lid."""
        self.release = release
        self.spells = checked_spells(spells)
        for spell in self.spells:
            if release.height_m >= spell.weather.mixing_height_m:
                raise ValueError(
                    f"the release at {release.height_m:g} m stands above the mixing height "
                    f"({spell.weather.mixing_height_m:g} m)"
                )
        self.curves = tuple(growth_curve(s.weather, release.height_m, averaging_s) for s in self.spells)
        self._node_spacing = node_spacing

    def cloud_at(self, time_s: float) -> Cloud | None:
        """Return the cloud at a time [s], or None before the release begins."""
        if time_s <= self.release.start_s:
            return None
        edges = self._age_edges(time_s)
        ages = 0.5 * (edges[1:] + edges[:-1])
        mass = self.release.mass_until(time_s - edges[:-1]) - self.release.mass_until(time_s - edges[1:])
        released = mass > 0.0
        if not released.any():
            return None
        ages, mass = ages[released], mass[released]
        east, north, sigma_y, sigma_z = self._carry(time_s - ages, time_s)
        lid = self.spells[self._spell_at(time_s)].weather.mixing_height_m
        return Cloud(east, north, sigma_y, sigma_z, mass, lid, self.release.height_m)

    def _spell_at(self, time_s: float) -> int:
        starts = [spell.start_s for spell in self.spells]
        return max(int(np.searchsorted(starts, time_s, side="right")) - 1, 0)

    def _age_edges(self, time_s: float) -> FloatArray:
        """Ages [s] at the edges between nodes, rising: one sigma of path apart, and at every change of rate or wind."""
        youngest = max(time_s - self.release.end_s, 0.0)
        oldest = time_s - self.release.start_s
        curve = self.curves[self._spell_at(time_s)]
        sigma = np.hypot(curve.sigma_y, self.release.initial_sigma_m)
        count = np.concatenate(([0.0], np.cumsum(np.diff(curve.path) / (0.5 * (sigma[1:] + sigma[:-1])))))
        crowding = self._crowding(curve, time_s) / self._node_spacing
        offset = float(curve.travel_time(self._initial_paths(curve)[0]))
        first, last = np.interp([youngest + offset, oldest + offset], curve.time, count)
        nodes = max(int(np.ceil((last - first) * crowding)), 1) + 1
        ages = np.interp(np.linspace(first, last, nodes), count, curve.time) - offset
        ages[0], ages[-1] = youngest, oldest
        changes = [time_s - edge for edge in self.release.edges_s]
        changes += [time_s - spell.start_s for spell in self.spells]
        inside = [age for age in changes if youngest < age < oldest]
        return np.unique(np.concatenate((ages, inside)))

    def _crowding(self, now: GrowthCurve, time_s: float) -> float:
        """How much closer nodes must be because some of them flew in a stronger wind than blows now."""
        past = [
            curve
            for spell, curve in zip(self.spells, self.curves, strict=True)
            if spell.start_s < time_s and curve is not now
        ]
        middle = now.path.size // 2
        here = max(float(now.speed[middle]), CALM_GROWTH_M_S)
        ratio = max((float(curve.speed[middle]) / here for curve in past), default=1.0)
        return min(max(ratio, 1.0), _CLOSEST_NODES)

    def _initial_paths(self, curve: GrowthCurve) -> tuple[float, float]:
        sigma = self.release.initial_sigma_m
        return float(curve.path_of_sigma_y(sigma)), float(curve.path_of_sigma_z(sigma))

    def _carry(self, released_s: FloatArray, time_s: float) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Carry puffs released at given times through every spell until `time_s`."""
        east = np.zeros_like(released_s)
        north = np.zeros_like(released_s)
        sigma_y = np.full_like(released_s, self.release.initial_sigma_m)
        sigma_z = sigma_y.copy()
        ends = [spell.start_s for spell in self.spells[1:]] + [np.inf]
        for index, (spell, curve, end) in enumerate(zip(self.spells, self.curves, ends, strict=True)):
            begin = spell.start_s if index > 0 else -np.inf
            duration = np.minimum(time_s, end) - np.maximum(released_s, begin)
            moving = duration > 0.0
            if not moving.any():
                continue
            path_z = curve.path_of_sigma_z(sigma_z[moving])
            path_y = curve.path_of_sigma_y(sigma_y[moving])
            # Speed belongs to the cloud's height, so time runs along the vertical curve's path.
            path_z_after = curve.path_after(curve.travel_time(path_z) + duration[moving])
            grown = path_z_after - path_z
            moved = curve.drift_at(path_z_after) - curve.drift_at(path_z)
            sigma_y[moving] = curve.spread_at(path_y + grown)[0]
            sigma_z[moving] = curve.spread_at(path_z_after)[1]
            toward_east, toward_north = spell.weather.toward
            east[moving] += moved * toward_east
            north[moving] += moved * toward_north
        return east, north, sigma_y, sigma_z
