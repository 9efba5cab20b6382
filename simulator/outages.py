"""When stations lose their line: now and then, one at a time, for less than two minutes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MEAN_BETWEEN_S = 4 * 3600.0
SHORTEST_S, LONGEST_S = 20, 90


@dataclass(frozen=True)
class Outage:
    """A station (its index) without a line from `start` to `end`, seconds since 1970."""

    station: int
    start: int
    end: int


def outages_between(start: int, end: int, stations: int, seed: int) -> list[Outage]:
    """The outages that begin in this time, earliest first. Each station fails once in four hours on average."""
    generator = np.random.default_rng([seed, 4, start])
    count = int(generator.poisson((end - start) * stations / MEAN_BETWEEN_S))
    begins = np.sort(generator.integers(start, end, count))
    return [
        Outage(int(generator.integers(stations)), int(begin), int(begin + generator.integers(SHORTEST_S, LONGEST_S)))
        for begin in begins
    ]
