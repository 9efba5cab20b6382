"""How much gas leaves the source, and when."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from services.model.dispersion.profile import FloatArray

SUDDEN_S = 1.0


@dataclass(frozen=True, slots=True)
class Release:
    """A release whose rate is constant between edges.

    Attributes
    ----------
    edges_s : times [s], rising; one more than rates.
    rates_kg_s : rate in each interval, >= 0.
    height_m : height above ground.
    diameter_m : width of the source; gives the cloud its first size.
    east_m, north_m : place in the frame that the cloud is computed in.
    depth_m : vertical extent of the source, standing on its height; None: as high as wide, like a jet.
    buoyancy_flux_m4_s3 : what makes a hot or light plume rise (`rise.buoyancy_flux_m4_s3`); 0 for none.
    deposition_velocity_m_s : dry deposition to the ground; 0 for none.

    Raises ValueError for edges that do not rise or rates that are negative or not finite.
    """

    edges_s: tuple[float, ...]
    rates_kg_s: tuple[float, ...]
    height_m: float = 0.0
    diameter_m: float = 1.0
    east_m: float = 0.0
    north_m: float = 0.0
    depth_m: float | None = None
    buoyancy_flux_m4_s3: float = 0.0
    deposition_velocity_m_s: float = 0.0

    def __post_init__(self) -> None:
        if len(self.edges_s) != len(self.rates_kg_s) + 1 or not self.rates_kg_s:
            raise ValueError("a release needs one more edge than rates, and at least one rate")
        if not all(a < b for a, b in zip(self.edges_s, self.edges_s[1:], strict=False)):
            raise ValueError("the release's edges must rise")
        if not all(np.isfinite(rate) and rate >= 0.0 for rate in self.rates_kg_s):
            raise ValueError("release rates must be finite and not negative")
        if not (0.0 <= self.height_m <= 300.0 and 0.01 <= self.diameter_m <= 500.0):
            raise ValueError("release height must lie in 0..300 m and diameter in 0.01..500 m")
        if not (math.isfinite(self.east_m) and math.isfinite(self.north_m)):
            raise ValueError("the release's place must be finite")
        if self.depth_m is not None and not 0.0 <= self.depth_m <= 500.0:
            raise ValueError("the source's depth must lie in 0..500 m")
        if not (0.0 <= self.buoyancy_flux_m4_s3 <= 10_000.0 and 0.0 <= self.deposition_velocity_m_s <= 1.0):
            raise ValueError("buoyancy flux must lie in 0..10000 m4/s3 and deposition velocity in 0..1 m/s")

    @property
    def start_s(self) -> float:
        """When it begins [s]."""
        return self.edges_s[0]

    @property
    def end_s(self) -> float:
        """When it ends [s]."""
        return self.edges_s[-1]

    @property
    def initial_sigma_m(self) -> float:
        """First spread of the cloud: diameter / 4.3 (Turner 1970: the edge stands at a tenth of the peak)."""
        return self.diameter_m / 4.3

    @property
    def initial_sigma_z_m(self) -> float:
        """First height of the cloud: depth / 2.15 (ISC3, EPA-454/B-95-003b, table 1-6, a source on the ground)."""
        return self.initial_sigma_m if self.depth_m is None else self.depth_m / 2.15

    def mass_until(self, time_s: npt.ArrayLike) -> FloatArray:
        """Return the mass [kg] released until times [s]."""
        edges = np.asarray(self.edges_s)
        masses = np.concatenate(([0.0], np.cumsum(np.asarray(self.rates_kg_s) * np.diff(edges))))
        return np.asarray(np.interp(np.asarray(time_s, dtype=np.float64), edges, masses))

    @property
    def total_kg(self) -> float:
        """Mass [kg] released in all."""
        return float(self.mass_until(self.end_s))


def constant_release(
    rate_kg_s: float, duration_s: float, height_m: float = 0.0, start_s: float = 0.0, diameter_m: float = 1.0
) -> Release:
    """One rate for one duration."""
    return Release((start_s, start_s + duration_s), (rate_kg_s,), height_m, diameter_m)


def stepped_release(edges_s: Sequence[float], rates_kg_s: Sequence[float], height_m: float = 0.0) -> Release:
    """A rate that changes at the given edges."""
    return Release(tuple(edges_s), tuple(rates_kg_s), height_m)


def series_release(series: Sequence[tuple[float, float]], height_m: float = 0.0, diameter_m: float = 1.0) -> Release:
    """A series of (time [s], rate [kg/s]), straight between its points, such as a vessel's blow-down.

    Each interval carries its mean rate, so the mass is exact. Raises ValueError for less than two points.
    """
    if len(series) < 2:
        raise ValueError("a series of rates needs at least two points")
    edges = tuple(float(time) for time, _ in series)
    rates = tuple(0.5 * (float(a) + float(b)) for (_, a), (_, b) in pairwise(series))
    return Release(edges, rates, height_m, diameter_m)


def sudden_release(mass_kg: float, height_m: float = 0.0, diameter_m: float = 1.0, start_s: float = 0.0) -> Release:
    """All gas within one second: no engine here resolves less."""
    return Release((start_s, start_s + SUDDEN_S), (mass_kg / SUDDEN_S,), height_m, diameter_m)


def area_release(rate_kg_s: float, duration_s: float, area_m2: float, height_m: float = 0.0) -> Release:
    """Gas from an area, such as a pool: as wide as the disc of that area, and flat."""
    diameter = 2.0 * math.sqrt(area_m2 / math.pi)
    return Release((0.0, duration_s), (rate_kg_s,), height_m, diameter, depth_m=0.0)
