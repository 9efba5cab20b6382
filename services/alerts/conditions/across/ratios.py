"""Mixtures: the sum of concentrations, each over its limit."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from services.alerts.conditions.across.aligned import Aligned
from services.alerts.conditions.across.condition import AcrossCondition, Combined
from services.alerts.conditions.readings import Floats


@dataclass(frozen=True, slots=True)
class SumOfRatios(AcrossCondition):
    """C1/L1 + C2/L2 + ... of each station; of several stations the highest sum, for it is breathed at one place.

    Additive effects: GBZ 2.1-2019; 1 is the limit of the mixture.
    """

    kind: ClassVar[str] = "sum_of_ratios"

    def combine(self, found: Aligned, wind: Floats) -> Combined:
        """The highest sum that the readings prove, and the highest that may be."""
        stations = list(dict.fromkeys(member.station_id for member in self.members))
        limits = np.array([member.limit for member in self.members], np.float64)
        rows, nothing = len(wind), np.full(len(wind), np.nan)
        if not stations:
            return Combined(nothing, np.full(rows, np.inf), nothing)
        low, high, value = (np.zeros((rows, len(stations))) for _ in range(3))
        heard = np.zeros((rows, len(stations)), np.bool_)
        for column, station in enumerate(stations):
            own = [i for i, member in enumerate(self.members) if member.station_id == station]
            present = found.present[:, own]
            heard[:, column] = present.any(axis=1)
            low[:, column] = (np.where(present, found.height[:, own], 0.0) / limits[own]).sum(axis=1)
            number = np.where(present & np.isfinite(found.value[:, own]), found.value[:, own], 0.0)
            value[:, column] = (number / limits[own]).sum(axis=1)
            high[:, column] = np.where(found.vanished[:, own].any(axis=1), np.inf, low[:, column])
        best = np.argmax(np.where(heard, low, -np.inf), axis=1)
        anybody, at = heard.any(axis=1), np.arange(rows)
        return Combined(
            np.where(anybody, low[at, best], np.nan),
            np.where(anybody, high.max(axis=1), np.inf),
            np.where(anybody, value[at, best], np.nan),
        )

    def roles(self, found: Aligned, wind: Floats) -> list[str]:  # noqa: ARG002
        """The station with the highest sum, and no other."""
        sums: dict[str, float] = {}
        for i, member in enumerate(self.members):
            if found.present[0, i]:
                sums[member.station_id] = sums.get(member.station_id, 0.0) + found.height[0, i] / member.limit
        worst = max(sums, key=lambda station: sums[station], default=None)
        return ["counts" if member.station_id == worst else "" for member in self.members]

    def told(self) -> dict[str, Any]:
        """The limits by property."""
        return {"kind": self.kind, "limits": {member.property_id: member.limit for member in self.members}}
