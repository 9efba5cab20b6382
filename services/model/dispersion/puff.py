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

from services.model.dispersion.deposition import ground_contact
from services.model.dispersion.growth import CALM_GROWTH_M_S, GrowthCurve, growth_curve
from services.model.dispersion.meteorology import WeatherSpell, checked_spells
from services.model.dispersion.profile import FloatArray
from services.model.dispersion.release import Release
from services.model.dispersion.rise import ENTRAINED_SHARE, final_rise_m, plume_rise_m
from services.model.dispersion.sigma import REFERENCE_AVERAGING_S
from services.model.dispersion.vertical import vertical_density

# Spacing of nodes in units of sigma. After a wind that was stronger than now they are set closer, at most so much.
NODE_SPACING = 1.0
_CLOSEST_NODES = 8.0

# A rate with more edges than this is a smooth one in small steps: nodes carry its mass exactly without an edge each.
_MOST_SHARP_EDGES = 16


@dataclass(frozen=True, slots=True)
class Cloud:
    """All puffs at one moment: arrays of one length.

    east, north : centres [m] from the source; sigma_y (also along the wind), sigma_z [m]; mass [kg];
    lid [m] of the weather; height_m: of the puffs' middles above ground, one for all or one each.
    """

    east: FloatArray
    north: FloatArray
    sigma_y: FloatArray
    sigma_z: FloatArray
    mass: FloatArray
    lid: float
    height_m: float | FloatArray

    def weight(self, height_m: float) -> FloatArray:
        """Return mass times vertical density [kg/m] of each puff at a height [m]."""
        return self.mass * vertical_density(height_m, self.height_m, self.sigma_z, self.lid)

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
        self._rises = release.buoyancy_flux_m4_s3 > 0.0
        self.curves = tuple(
            growth_curve(
                s.weather,
                release.height_m + final_rise_m(release.buoyancy_flux_m4_s3, s.weather, release.height_m),
                averaging_s,
            )
            for s in self.spells
        )
        self._contacts = (
            tuple(
                ground_contact(curve, release.height_m, spell.weather.mixing_height_m)
                for curve, spell in zip(self.curves, self.spells, strict=True)
            )
            if release.deposition_velocity_m_s > 0.0
            else ()
        )
        self._node_spacing = node_spacing

    @property
    def start_s(self) -> float:
        """When the release begins [s]."""
        return self.release.start_s

    @property
    def end_s(self) -> float:
        """When the release ends [s]."""
        return self.release.end_s

    @property
    def parts(self) -> tuple[PuffModel, ...]:
        """The releases that make the cloud: this one."""
        return (self,)

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
        puffs = self._carry(time_s - ages, time_s)
        height: float | FloatArray = self.release.height_m
        if self._rises:
            height = height + puffs.rise
            for sigma in (puffs.sigma_y, puffs.sigma_z):
                np.hypot(sigma, ENTRAINED_SHARE * puffs.rise, out=sigma)
        if self._contacts:
            mass = mass * np.exp(-self.release.deposition_velocity_m_s * puffs.contact)
        lid = self.spells[self._spell_at(time_s)].weather.mixing_height_m
        return Cloud(puffs.east, puffs.north, puffs.sigma_y, puffs.sigma_z, mass, lid, height)

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
        offset = float(curve.travel_time(curve.path_of_sigma_y(self.release.initial_sigma_m)))
        first, last = np.interp([youngest + offset, oldest + offset], curve.time, count)
        nodes = max(int(np.ceil((last - first) * crowding)), 1) + 1
        ages = np.interp(np.linspace(first, last, nodes), count, curve.time) - offset
        ages[0], ages[-1] = youngest, oldest
        changes = [time_s - spell.start_s for spell in self.spells]
        if len(self.release.edges_s) <= _MOST_SHARP_EDGES:
            changes += [time_s - edge for edge in self.release.edges_s]
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

    def _carry(self, released_s: FloatArray, time_s: float) -> _Puffs:
        """Carry puffs released at given times through every spell until `time_s`."""
        puffs = _Puffs.at_source(self.release, released_s.size)
        ends = [spell.start_s for spell in self.spells[1:]] + [np.inf]
        for index, (spell, curve, end) in enumerate(zip(self.spells, self.curves, ends, strict=True)):
            begin = spell.start_s if index > 0 else -np.inf
            duration = np.minimum(time_s, end) - np.maximum(released_s, begin)
            moving = duration > 0.0
            if not moving.any():
                continue
            path_z = curve.path_of_sigma_z(puffs.sigma_z[moving])
            path_y = curve.path_of_sigma_y(puffs.sigma_y[moving])
            # Speed belongs to the cloud's height, so time runs along the vertical curve's path.
            path_z_after = curve.path_after(curve.travel_time(path_z) + duration[moving])
            grown = path_z_after - path_z
            moved = curve.drift_at(path_z_after) - curve.drift_at(path_z)
            puffs.sigma_y[moving] = curve.spread_at(path_y + grown)[0]
            puffs.sigma_z[moving] = curve.spread_at(path_z_after)[1]
            toward_east, toward_north = spell.weather.toward
            puffs.east[moving] += moved * toward_east
            puffs.north[moving] += moved * toward_north
            if self._rises:
                puffs.path[moving] += grown
                flux = self.release.buoyancy_flux_m4_s3
                risen = plume_rise_m(puffs.path[moving], flux, spell.weather, self.release.height_m)
                puffs.rise[moving] = np.maximum(puffs.rise[moving], risen)
            if self._contacts:
                contact = self._contacts[index]
                puffs.contact[moving] += np.interp(path_z_after, curve.path, contact)
                puffs.contact[moving] -= np.interp(path_z, curve.path, contact)
        return puffs


@dataclass(frozen=True, slots=True)
class _Puffs:
    """What changes on the way, arrays of one length: place, spread, path flown, rise [m]; contact with ground [s/m]."""

    east: FloatArray
    north: FloatArray
    sigma_y: FloatArray
    sigma_z: FloatArray
    path: FloatArray
    rise: FloatArray
    contact: FloatArray

    @classmethod
    def at_source(cls, release: Release, count: int) -> _Puffs:
        return cls(
            np.full(count, release.east_m),
            np.full(count, release.north_m),
            np.full(count, release.initial_sigma_m),
            np.full(count, release.initial_sigma_z_m),
            np.zeros(count),
            np.zeros(count),
            np.zeros(count),
        )
