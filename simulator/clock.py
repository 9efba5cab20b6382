"""Simulated time: it may run faster than the wall clock, begins in the past, and never overtakes it."""

from __future__ import annotations

import math
from dataclasses import dataclass

LONGEST_WAIT_S = 60.0


@dataclass(frozen=True)
class SimulatedClock:
    """Seconds since 1970. From `start`, at wall time `wall_start`, it runs `speed` times as fast as the wall."""

    start: float
    wall_start: float
    speed: float

    @classmethod
    def for_story(cls, wall_now: float, story_s: float, speed: float, not_before: float | None) -> SimulatedClock:
        """A clock whose first story of `story_s` seconds ends just as simulated time catches up with the wall.

        It begins on a whole second. `not_before` is the end of what an earlier run has sent: no time is told twice.
        An end far in the future comes from a clock that was wrong then, and is not waited for.
        """
        start = wall_now - story_s * (1.0 - 1.0 / speed)
        if not_before is not None and not_before < wall_now + LONGEST_WAIT_S:
            start = max(start, not_before)
        return cls(float(math.ceil(start)), wall_now, speed)

    def at(self, wall: float) -> float:
        """Simulated time at this wall time."""
        return min(wall, self.start + self.speed * (wall - self.wall_start))

    def wall_when(self, simulated: float) -> float:
        """Wall time at which this simulated time comes."""
        return max(simulated, self.wall_start + (simulated - self.start) / self.speed)
