"""Readings and levels in words: minutes or seconds of a day that begins at 0, a rule with yellow, orange and red."""

from services.alerts.conditions import Level, LevelRule, Sample, Track, Verdict
from shared.levels import Colour

S = 1_000_000
START = 1_780_000_000 * S

RULE = LevelRule(
    "test",
    (Level(Colour.YELLOW, 1.0), Level(Colour.ORANGE, 2.0), Level(Colour.RED, 5.8)),
    on_delay=30 * S,
    off_delay=60 * S,
    deadband_fraction=0.1,
    max_gap=180 * S,
)
BOUND = 120 * S


def at(second: float, value: float | None, *, over_range: bool = False) -> Sample:
    return Sample(START + int(second * S), value, over_range)


def told(rule: LevelRule, samples: list[Sample], bound: int = BOUND) -> list[tuple[float, int, int]]:
    """Every edge in the order of arrival: (second, level before, level after)."""
    track = Track(rule, bound)
    edges = []
    for sample in samples:
        verdict, change = track.offer(sample)
        assert verdict is Verdict.TAKEN
        if change is not None:
            assert not change.withdrawn
            edges += [((edge.time - START) / S, edge.before, edge.after) for edge in change.issued]
    return edges
