"""What a benchmark is, and which of them a name selects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Sense = Literal["at most", "at least"]


@dataclass(frozen=True, slots=True)
class Measured:
    """The value of a key, and whatever explains it."""

    value: float
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limit:
    """What is promised of a value."""

    sense: Sense
    value: float

    def holds(self, value: float) -> bool:
        """Whether a measured value keeps the promise."""
        return value <= self.value if self.sense == "at most" else value >= self.value

    def __str__(self) -> str:
        return f"{'≤' if self.sense == 'at most' else '≥'} {self.value:g}"


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One key of the results. `measure` is given a budget [s] that it keeps to, apart from preparing."""

    key: str
    what: str
    unit: str
    limit: Limit | None
    measure: Callable[[float], Measured]
    budget_s: float = 6.0


class NoSuchBenchmark(LookupError):
    """A name that selects nothing; the message says which there are."""


def selected(benchmarks: Sequence[Benchmark], names: Sequence[str]) -> list[Benchmark]:
    """Return the benchmarks that the names select, in their own order; all of them without names.

    A name selects the key that equals it and the keys that begin with it: `model` selects `model.footprint_ms`.
    """
    for name in names:
        if not any(_selects(name, entry.key) for entry in benchmarks):
            known = ", ".join(entry.key for entry in benchmarks)
            raise NoSuchBenchmark(f"no benchmark is called {name!r}; there are {known}")
    return [entry for entry in benchmarks if not names or any(_selects(name, entry.key) for name in names)]


def _selects(name: str, key: str) -> bool:
    return key.startswith(name)
