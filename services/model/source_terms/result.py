"""What a source term is: how much gets into the air and when, in what state, and everything that was assumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from shared.text import BilingualText

FloatArray = npt.NDArray[np.float64]
Phase = Literal["gas", "two-phase", "vapour"]


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something that was taken for granted; `code` names it for machines."""

    code: str
    text: BilingualText


@dataclass(frozen=True, slots=True)
class SourceTerm:
    """A release into the air, its rate constant between edges.

    Attributes
    ----------
    edges_s : times [s] from 0, rising; one more than rates.
    rates_kg_s : mean rate into the air in each interval [kg/s], >= 0: times the interval it is exactly the mass.
    phase : "gas" from a vessel of gas; "two-phase", vapour with droplets; "vapour" that boils or evaporates.
    temperature_k : of what gets into the air [K].
    diameter_m : of the hole, or of the pool at its widest [m].
    outflow_kg : what left the vessel [kg].
    pool_left_kg, vessel_left_kg : what lies on the ground, and what stays in the vessel, at the end [kg].
    assumptions : everything that was taken for granted.
    """

    edges_s: tuple[float, ...]
    rates_kg_s: tuple[float, ...]
    phase: Phase
    temperature_k: float
    diameter_m: float
    outflow_kg: float
    pool_left_kg: float
    vessel_left_kg: float
    assumptions: tuple[Assumption, ...]

    @property
    def airborne_kg(self) -> float:
        """What got into the air [kg]."""
        return float(np.dot(self.rates_kg_s, np.diff(self.edges_s)))

    @property
    def duration_s(self) -> float:
        """When the last gas gets into the air [s]."""
        return self.edges_s[-1]

    @property
    def peak_rate_kg_s(self) -> float:
        """The highest rate [kg/s]."""
        return max(self.rates_kg_s)

    @property
    def series(self) -> list[list[float]]:
        """[[t, kg/s], ...]: each rate holds from its time until the next; the last one is 0."""
        return [[time, rate] for time, rate in zip(self.edges_s, (*self.rates_kg_s, 0.0), strict=True)]
