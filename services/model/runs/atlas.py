"""The atlas of a scenario: each combination of wind sector, speed and stability, and the nearest to a wind. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import log, sqrt
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.model.runs.request import Ensemble, GivenMeteorology, RunRequest

MOST_MEMBERS = 1000
_LEAST_SPEED_M_S = 0.5

# What is as far away as one sector: a third more wind, one class of stability.
_SPEED_STEP = log(4.0 / 3.0)
_CLASS_STEP = 1.0

Speed = Annotated[float, Field(ge=_LEAST_SPEED_M_S, le=30)]
Class = Annotated[float, Field(ge=1, le=6)]


class Matrix(BaseModel):
    """The combinations that an atlas is computed for; `stabilities` from 1 (A) to 6 (F)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sectors: int = Field(default=16, ge=1, le=72, description="wind directions, evenly spread from north on")
    wind_speeds_m_s: list[Speed] = Field(default=[1.5, 3.0, 6.0], min_length=1, max_length=12)
    stabilities: list[Class] = Field(default=[2.0, 4.0, 6.0], min_length=1, max_length=12)
    temperature_c: float = Field(default=20.0, ge=-60, le=60)
    ensemble_members: int = Field(default=0, ge=0, le=100, description="of each member of the atlas")

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.size > MOST_MEMBERS:
            raise ValueError(f"{self.size} combinations are more than the limit of {MOST_MEMBERS}")
        return self

    @property
    def size(self) -> int:
        """How many combinations there are."""
        return self.sectors * len(set(self.wind_speeds_m_s)) * len(set(self.stabilities))

    def members(self) -> list[Wind]:
        """Every combination: by speed and stability, then around the compass."""
        step = 360.0 / self.sectors
        combinations = product(sorted(set(self.wind_speeds_m_s)), sorted(set(self.stabilities)), range(self.sectors))
        return [Wind(round(step * sector, 3), speed, stability) for speed, stability, sector in combinations]


@dataclass(frozen=True, slots=True)
class Wind:
    """Where the wind comes from [deg], how fast it is at 10 m [m/s], and the stability (1 = A to 6 = F)."""

    wind_from_deg: float
    wind_speed_m_s: float
    stability: float


def member_request(request: RunRequest, matrix: Matrix, wind: Wind) -> RunRequest:
    """Return what is computed for one combination."""
    weather = GivenMeteorology(
        wind_speed_m_s=wind.wind_speed_m_s,
        wind_from_deg=wind.wind_from_deg,
        stability=wind.stability,
        temperature_c=matrix.temperature_c,
    )
    ensemble = Ensemble(members=matrix.ensemble_members, seed=request.ensemble.seed)
    return request.model_copy(update={"meteorology": weather, "ensemble": ensemble, "wait_s": 0.0, "at": None})


def nearest(wind: Wind, members: Sequence[Wind], sectors: int) -> int:
    """Return the index of the member nearest to `wind`; ValueError when there is none."""
    return min(range(len(members)), key=lambda index: distance(wind, members[index], sectors))


def distance(one: Wind, other: Wind, sectors: int) -> float:
    """Return how far two winds are apart: 1 is a sector, a third of the speed, or a class of stability."""
    turn = abs((one.wind_from_deg - other.wind_from_deg + 180.0) % 360.0 - 180.0) * sectors / 360.0
    faster = log(max(one.wind_speed_m_s, _LEAST_SPEED_M_S) / max(other.wind_speed_m_s, _LEAST_SPEED_M_S))
    return sqrt(turn**2 + (faster / _SPEED_STEP) ** 2 + ((one.stability - other.stability) / _CLASS_STEP) ** 2)
