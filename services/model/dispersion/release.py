"""How much gas leaves the source, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.model.dispersion.profile import FloatArray


@dataclass(frozen=True, slots=True)
class Release:
    """A release whose rate is constant between edges.

    Attributes
    ----------
    edges_s : times [s], rising; one more than rates.
    rates_kg_s : rate in each interval, >= 0.
    height_m : height above ground.
    diameter_m : width of the source; gives the cloud its first size.

    Raises ValueError for edges that do not rise or rates that are negative or not finite.
    """

    edges_s: tuple[float, ...]
    rates_kg_s: tuple[float, ...]
    height_m: float = 0.0
    diameter_m: float = 1.0

    def __post_init__(self) -> None:
        if len(self.edges_s) != len(self.rates_kg_s) + 1 or not self.rates_kg_s:
            raise ValueError("a release needs one more edge than rates, and at least one rate")
        if not all(a < b for a, b in zip(self.edges_s, self.edges_s[1:], strict=False)):
            raise ValueError("the release's edges must rise")
        if not all(np.isfinite(rate) and rate >= 0.0 for rate in self.rates_kg_s):
            raise ValueError("release rates must be finite and not negative")
        if not (0.0 <= self.height_m <= 300.0 and 0.01 <= self.diameter_m <= 500.0):
            raise ValueError("release height must lie in 0..300 m and diameter in 0.01..500 m")

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
