"""A release of gas: from where, how much, and when."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.site import Source

# A leak tears open: it begins at a share of its rate and grows to the whole of it.
FIRST_SHARE = 0.2
GROWTH_S = 60
STORY_LENGTH_S = 1500


@dataclass(frozen=True)
class Timing:
    """When a release begins after the start of its episode, how long it and the episode last [s]."""

    release_after_s: int = 60
    release_for_s: int = 330
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
    return FIRST_SHARE + (1.0 - FIRST_SHARE) * min(seconds / GROWTH_S, 1.0)
