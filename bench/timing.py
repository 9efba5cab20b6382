"""Timing that a busy machine does not fool: contenders take turns, and medians are compared."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

Work = Callable[[], object]

MOST_ROUNDS = 41
LEAST_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of every round of one contender."""

    seconds: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        """The median round [ms]."""
        return 1e3 * statistics.median(self.seconds)

    def summary(self) -> dict[str, float | int]:
        """Median, extremes [ms] and the number of rounds."""
        return {
            "median_ms": rounded(self.median_ms),
            "least_ms": rounded(1e3 * min(self.seconds)),
            "most_ms": rounded(1e3 * max(self.seconds)),
            "rounds": len(self.seconds),
        }


def alternate(
    contenders: Mapping[str, Work],
    budget_s: float,
    clock: Callable[[], float] = time.perf_counter,
    rest_s: float = 0.0,
) -> dict[str, Timing]:
    """Run every contender once a round, in turned order every other round, until the budget [s] is spent.

    The first call of each is not counted: it fills caches and loads code. At least three rounds are run, so that
    there is a median; at most 41. Before each call there is a rest [s], for what works on after it has answered.
    """
    for work in contenders.values():
        work()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    with _no_collections():
        limit = clock() + budget_s
        for number in range(MOST_ROUNDS):
            if number >= LEAST_ROUNDS and clock() >= limit:
                break
            for name in names if number % 2 == 0 else reversed(names):
                if rest_s:
                    time.sleep(rest_s)
                begun = clock()
                contenders[name]()
                seconds[name].append(clock() - begun)
    return {name: Timing(tuple(rounds)) for name, rounds in seconds.items()}


@contextmanager
def _no_collections() -> Iterator[None]:
    """Collect garbage now and not in the middle of a round, where it would be counted as one contender's time."""
    collects = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def ratio(over: Timing, under: Timing) -> float:
    """The median over rounds of one contender's time over another's: what slows a whole round slows both."""
    return statistics.median(a / b for a, b in zip(over.seconds, under.seconds, strict=True))


def rounded(value: float) -> float:
    """Four digits: more would be noise."""
    return float(f"{value:.4g}")
