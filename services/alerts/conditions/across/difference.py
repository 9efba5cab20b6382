"""The boundary downwind less the boundary upwind: what the park itself adds to the air that comes to it."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from services.alerts.conditions.across.aligned import Aligned
from services.alerts.conditions.across.condition import AcrossCondition, Combined
from services.alerts.conditions.across.members import bearing_deg, middle_of
from services.alerts.conditions.across.wind import in_sector
from services.alerts.conditions.readings import Bools, Floats


@dataclass(frozen=True, slots=True)
class UpwindDifference(AcrossCondition):
    """The highest reading downwind less the mean of those upwind, both within `sector` [degree] of the wind's axis.

    Without wind, or without a reading upwind that has a value, it proves nothing. GB 16297-1996, appendix C: monitoring
    points downwind, a reference point upwind.
    """

    sector: float
    mean: int
    least_speed: float
    kind: ClassVar[str] = "upwind_difference"

    @property
    def wind_mean(self) -> int:
        """The wind always matters."""
        return self.mean

    @property
    def calm(self) -> float:
        """As said."""
        return self.least_speed

    def combine(self, found: Aligned, wind: Floats) -> Combined:
        """Downwind less upwind."""
        upwind, downwind = self._sides(wind)
        counted = found.present & upwind & np.isfinite(found.height)
        # Beyond its range the reading upwind is at least so much: what is above it is not known.
        known = counted.any(axis=1) & ~(found.present & upwind & ~np.isfinite(found.height)).any(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            background = np.where(counted, found.value, 0.0).sum(axis=1) / counted.sum(axis=1)
        heard = found.present & downwind
        height = np.where(heard, found.height, -np.inf)
        best = np.argmax(height, axis=1) if height.shape[1] else np.zeros(len(height), np.int64)
        known &= heard.any(axis=1)
        vanished = (found.vanished & (downwind | upwind)).any(axis=1)
        if not height.shape[1]:
            nothing = np.full(len(wind), np.nan)
            return Combined(nothing, np.full(len(wind), np.inf), nothing)
        rows = np.arange(len(height))
        low = np.where(known, height[rows, best] - background, np.nan)
        return Combined(
            low,
            np.where(known & ~vanished, low, np.inf),
            np.where(known, found.value[rows, best] - background, np.nan),
        )

    def roles(self, found: Aligned, wind: Floats) -> list[str]:  # noqa: ARG002
        """On which side each stands."""
        upwind, downwind = self._sides(wind[:1])
        sides = zip(upwind[0].tolist(), downwind[0].tolist(), strict=True)
        return ["upwind" if up else "downwind" if down else "" for up, down in sides]

    def told(self) -> dict[str, Any]:
        """In numbers."""
        return {"kind": self.kind, "sector_deg": self.sector, "wind_mean_s": self.mean / 1e6}

    def _sides(self, wind: Floats) -> tuple[Bools, Bools]:
        """[instant, member]: whether it stands upwind, and downwind, of the middle of all."""
        middle = middle_of(self.members)
        found = [bearing_deg(middle, (member.longitude, member.latitude)) for member in self.members]
        bearing = np.array([np.nan if each is None else each for each in found], np.float64)[None]
        return tuple(in_sector(bearing, axis[:, None], self.sector) for axis in (wind, (wind + 180.0) % 360.0))  # type: ignore[return-value]
