"""What a condition across stations is: it makes one value of those of its members at each instant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from services.alerts.conditions.across.aligned import Aligned, aligned
from services.alerts.conditions.across.members import Member, Weather
from services.alerts.conditions.across.wind import wind_from
from services.alerts.conditions.readings import Floats, Ints, Readings
from shared.time import from_microseconds, iso

_MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Combined:
    """One value an instant. `low` is what the readings prove, `high` what it may be at most where some have vanished.

    A level is reached by `low` and left by `high`: so bad and missing data neither raise nor clear. NaN proves nothing.
    `value` is what is told: `low`, or the sum of values where a reading is beyond its instrument's range.
    """

    low: Floats
    high: Floats
    value: Floats


@dataclass(frozen=True, slots=True)
class AcrossCondition:
    """One of them, with its members as they are. Times in microseconds."""

    members: tuple[Member, ...]
    weather: Weather = field(default=Weather(), kw_only=True)
    kind: ClassVar[str]

    @property
    def window(self) -> int:
        """Of each member's readings, the highest of so long counts; 0: the newest."""
        return 0

    @property
    def wind_mean(self) -> int:
        """Over how long the wind is taken; 0 where it does not matter."""
        return 0

    @property
    def calm(self) -> float:
        """Below it [m/s] the wind has no direction."""
        return 0.0

    @property
    def datastreams(self) -> tuple[int, ...]:
        """All whose readings it needs."""
        own = tuple(member.datastream_id for member in self.members)
        return own + (self.weather.directions + self.weather.speeds if self.wind_mean else ())

    def combine(self, found: Aligned, wind: Floats) -> Combined:
        """The values at the instants of `found`; `wind` is where it comes from [degree], NaN: not known."""
        raise NotImplementedError

    def roles(self, found: Aligned, wind: Floats) -> list[str]:  # noqa: ARG002
        """What each member is for at the first instant; empty where it counts for nothing."""
        return ["counts"] * len(self.members)

    def told(self) -> dict[str, Any]:
        """What it is, for the evidence."""
        return {"kind": self.kind}


def combined(condition: AcrossCondition, samples: Mapping[int, Readings], instants: Ints, hold: int) -> Combined:
    """What the condition makes of the readings at these instants."""
    return condition.combine(*_inputs(condition, samples, instants, hold))


def evidence(condition: AcrossCondition, samples: Mapping[int, Readings], instant: int, hold: int) -> dict[str, Any]:
    """Which stations contributed what at an instant, the highest first; at most 20 of them."""
    found, wind = _inputs(condition, samples, np.array([instant], np.int64), hold)
    height = np.where(found.present[0], found.height[0], -np.inf)
    roles = condition.roles(found, wind)
    order = [i for i in np.argsort(-height, kind="stable").tolist() if roles[i] and found.present[0, i]]
    stations = [
        {
            "station_id": condition.members[i].station_id,
            "datastream_id": condition.members[i].datastream_id,
            "property_id": condition.members[i].property_id,
            "value": _number(found.value[0, i]),
            "over_range": bool(np.isinf(found.height[0, i])),
            "at": iso(from_microseconds(int(found.at[0, i]))),
            "role": roles[i],
        }
        for i in order[:_MOST_TOLD]
    ]
    told = condition.told() | {
        "members": len(condition.members),
        "present": int(found.present.sum()),
        "stations": stations,
    }
    return told | ({"wind_from_deg": _number(wind[0])} if condition.wind_mean else {})


def _inputs(
    condition: AcrossCondition, samples: Mapping[int, Readings], instants: Ints, hold: int
) -> tuple[Aligned, Floats]:
    ids = [member.datastream_id for member in condition.members]
    found = aligned(samples, ids, instants, hold, condition.window)
    if not condition.wind_mean:
        return found, np.full(len(instants), np.nan)
    return found, wind_from(samples, condition.weather, instants, condition.wind_mean, condition.calm)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
