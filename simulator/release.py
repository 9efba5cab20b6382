"""A release of gas: from where, how much, and when."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.site import Source

# A seal gives way: a seep at first, which multiplies in equal times until the opening is whole.
FIRST_SHARE = 3e-4
GROWTH_S = 90
STORY_LENGTH_S = 1500


@dataclass(frozen=True)
class Timing:
    """When a release begins after the start of its episode, how long it and the episode last [s]."""

    release_after_s: int = 60
    release_for_s: int = 360
    length_s: int = STORY_LENGTH_S


@dataclass(frozen=True)
class Release:
    """Gas out of a source from `start` to `end` (seconds since 1970) at `rate_kg_s` once it has grown."""

    source: Source
    rate_kg_s: float
    start: int
    end: int

    def rate_at(self, moment: float) -> float:
        """Rate [kg/s] at this moment."""
        if not self.start < moment <= self.end:
            return 0.0
        return self.rate_kg_s * grown_share(moment - self.start)

    def mass_kg(self) -> float:
        """All that it lets out [kg]."""
        return sum(self.rate_at(moment) for moment in range(self.start + 1, self.end + 1))


def grown_share(seconds: float) -> float:
    """Share of its full rate that a leak has so long after it began."""
    return float(FIRST_SHARE ** max(1.0 - seconds / GROWTH_S, 0.0))
