"""What reaches a point: concentration over time, its peak and its arrival."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.model.dispersion.profile import FloatArray
from services.model.dispersion.several import CloudModel


@dataclass(frozen=True, slots=True)
class Exposure:
    """times (t,) [s]; concentration (points, t) [kg/m3]."""

    times_s: FloatArray
    concentration: FloatArray

    @property
    def peak(self) -> FloatArray:
        """Highest concentration [kg/m3] at each point, shape (points,)."""
        return np.asarray(self.concentration.max(axis=1))

    def arrival_s(self, level_kg_m3: float) -> list[float | None]:
        """Return when each point first reaches a level [s after zero], None where it never does.

        Between two times the crossing is interpolated linearly.
        """
        arrivals: list[float | None] = []
        for series in self.concentration:
            above = np.flatnonzero(series >= level_kg_m3)
            if above.size == 0:
                arrivals.append(None)
                continue
            first = int(above[0])
            if first == 0:
                arrivals.append(float(self.times_s[0]))
                continue
            before, after = float(series[first - 1]), float(series[first])
            share = (level_kg_m3 - before) / (after - before)
            step = float(self.times_s[first] - self.times_s[first - 1])
            arrivals.append(float(self.times_s[first - 1]) + share * step)
        return arrivals


def exposure_at(
    model: CloudModel,
    east_m: npt.ArrayLike,
    north_m: npt.ArrayLike,
    end_s: float,
    height_m: float = 1.5,
    steps: int = 120,
) -> Exposure:
    """Follow the concentration at points (metres from the source) from the release's start until `end_s`."""
    times = np.linspace(model.start_s, end_s, steps + 1)
    points = np.atleast_1d(np.asarray(east_m, dtype=np.float64)).size
    series = np.zeros((points, times.size))
    for index, time in enumerate(times):
        cloud = model.cloud_at(float(time))
        if cloud is not None:
            series[:, index] = cloud.concentration_at(east_m, north_m, height_m)
    return Exposure(times, series)
