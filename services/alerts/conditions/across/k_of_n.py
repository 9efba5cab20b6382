"""k of n stations reach a level: the k-th highest of them does."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from services.alerts.conditions.across.aligned import Aligned
from services.alerts.conditions.across.condition import AcrossCondition, Combined
from services.alerts.conditions.across.members import bearing_deg
from services.alerts.conditions.across.wind import in_sector
from services.alerts.conditions.readings import Bools, Floats

_AT_ONCE = 2_000_000
"""Cells of instant, station and station looked at together."""


@dataclass(frozen=True, slots=True)
class KOfN(AcrossCondition):
    """The k-th highest of the highest readings that each station had within `within`.

    With a `sector` [degree] the stations have to lie downwind of one of them, which counts itself.
    """

    k: int
    within: int
    sector: float | None = None
    mean: int = 0
    least_speed: float = 0.0
    kind: ClassVar[str] = "k_of_n"

    @property
    def window(self) -> int:
        """The time within which they have to reach it."""
        return self.within

    @property
    def wind_mean(self) -> int:
        """The wind matters where the stations have to lie along it."""
        return self.mean if self.sector is not None else 0

    @property
    def calm(self) -> float:
        """As said."""
        return self.least_speed

    def combine(self, found: Aligned, wind: Floats) -> Combined:
        """The k-th highest; of all, or the highest that any station and those downwind of it give."""
        if self.sector is None:
            return self._of_all(found)
        count, most = len(self.members), max(1, _AT_ONCE // max(1, len(self.members) ** 2))
        parts = [
            self._along_wind(_rows(found, slice(first, first + most)), wind[first : first + most])
            for first in range(0, len(wind), most)
        ]
        if not parts or not count:
            return self._of_all(found)
        return Combined(*(np.concatenate([getattr(part, name) for part in parts]) for name in Combined.__slots__))

    def roles(self, found: Aligned, wind: Floats) -> list[str]:
        """Along the wind: the station whose sector gives the value, and those in it."""
        if self.sector is None or np.isnan(wind[0]):
            return ["counts"] * len(self.members)
        downwind = self._downwind(wind[:1])[0]
        lows = [_kth(_only(found, downwind[[i]]), self.k).low[0] for i in range(len(downwind))]
        first = int(np.argmax(np.nan_to_num(lows, nan=-np.inf, neginf=-np.inf)))
        return ["first" if i == first else "downwind" if downwind[first, i] else "" for i in range(len(downwind))]

    def told(self) -> dict[str, Any]:
        """In numbers."""
        told = {"kind": self.kind, "k": self.k, "within_s": self.within / 1e6, "along_wind": self.sector is not None}
        return told | ({"sector_deg": self.sector} if self.sector is not None else {})

    def _of_all(self, found: Aligned) -> Combined:
        one = _kth(found, self.k)
        unknown = ~found.present.any(axis=1) & (len(self.members) >= self.k)
        return replace(one, high=np.where(unknown, np.inf, one.high))

    def _along_wind(self, found: Aligned, wind: Floats) -> Combined:
        downwind = self._downwind(wind)
        each = [_kth(_only(found, downwind[:, first]), self.k) for first in range(len(self.members))]
        low = np.array([one.low for one in each])
        best = np.argmax(np.nan_to_num(low, nan=-np.inf, neginf=-np.inf), axis=0), np.arange(len(wind))
        blown = ~np.isnan(wind)
        high = np.max([np.nan_to_num(one.high, nan=-np.inf, posinf=np.inf, neginf=-np.inf) for one in each], axis=0)
        nobody = ~found.present.any(axis=1)
        return Combined(
            np.where(blown & ~nobody, low[best], np.nan),
            np.where(blown & ~nobody, high, np.inf),
            np.where(blown, np.array([one.value for one in each])[best], np.nan),
        )

    def _downwind(self, wind: Floats) -> Bools:
        """[instant, first, other]: whether the other lies downwind of the first, or is it."""
        places = [(member.longitude, member.latitude) for member in self.members]
        bearings = np.array(
            [[_or_nan(bearing_deg(one, other)) for other in places] for one in places], np.float64
        ).reshape(len(places), len(places))
        towards = (wind[:, None, None] + 180.0) % 360.0
        near = in_sector(bearings[None], towards, self.sector if self.sector is not None else 180.0)
        return near | np.isnan(bearings)[None]


def _kth(found: Aligned, k: int) -> Combined:
    if found.present.shape[1] < k:
        nothing = np.full(len(found.present), np.nan)
        return Combined(nothing, np.full(len(found.present), -np.inf), nothing)
    height = np.where(found.present, found.height, -np.inf)
    order = np.argsort(height, axis=1, kind="stable")
    rows, column = np.arange(len(height)), order[:, -k]
    at_most = np.sort(np.where(found.vanished, np.inf, height), axis=1)[:, -k]
    low = height[rows, column]
    return Combined(
        np.where(np.isneginf(low), np.nan, low),
        at_most,
        np.where(found.present[rows, column], found.value[rows, column], np.nan),
    )


def _rows(found: Aligned, rows: slice) -> Aligned:
    return Aligned(*(getattr(found, name)[rows] for name in Aligned.__slots__))


def _only(found: Aligned, counted: Bools) -> Aligned:
    return Aligned(found.value, found.height, found.present & counted, found.vanished & counted, found.at)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
