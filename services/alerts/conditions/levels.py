"""Levels on one datastream: on-delay, off-delay and deadband, counted in the station's own time.

A level is reached once the value has stood at or above its threshold, reading after reading, for the on-delay. It is
left once the value has stood below the threshold less the deadband for the off-delay. Between the two nothing moves.
A gap in the readings longer than `max_gap` breaks both counts: readings that are not there prove nothing.

The state is plain integers with a sentinel instead of None, and each step is comparisons only, so that the same rule
runs over columns (one array a field) when many datastreams are evaluated at once: see `columns` and `scan`. What
stands here is the rule in its plainest form; it is used where something happens.
"""

import hashlib
import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from services.alerts.conditions.measures import RAW, Measure
from services.alerts.conditions.readings import Sample
from shared.levels import Colour

NEVER = 2**63 - 1
"""The time of what has not begun: later than any reading, so that `time - NEVER` is never a long delay."""
LONG_AGO = -(2**62)
"""The time of the last reading before there was any. Half of what 64 bits hold, so that `time - LONG_AGO` fits."""
MOST_LEVELS = len(Colour)
"""Levels climb in colour, so there are no more of them than colours."""


@dataclass(frozen=True, slots=True)
class Level:
    """One level: at or above `threshold` the alarm has this colour. `source` says where the number comes from.

    `deadband`: how far below, in the unit of the threshold; None: the rule's fraction of it.
    """

    colour: Colour
    threshold: float
    source: str = ""
    deadband: float | None = None


@dataclass(frozen=True, slots=True)
class LevelRule:
    """Levels that climb, with their delays in microseconds and the deadband as a fraction of the threshold.

    `measure`: what is made of the readings before they are compared with the levels.
    `latching`: who saw its alarm has to reset it by hand once the condition is over. It changes nothing here.
    """

    rule_id: str
    levels: tuple[Level, ...]
    on_delay: int
    off_delay: int
    deadband_fraction: float = 0.1
    max_gap: int = 180_000_000
    latching: bool = False
    measure: Measure = RAW

    def __post_init__(self) -> None:
        if not self.levels:
            raise ValueError(f"{self.rule_id}: a rule needs at least one level")
        if self.levels[0].threshold <= 0:
            raise ValueError(f"{self.rule_id}: a threshold must be above zero")
        for low, high in pairwise(self.levels):
            if low.threshold >= high.threshold or low.colour.rank >= high.colour.rank:
                raise ValueError(
                    f"{self.rule_id}: levels must climb in threshold and colour, but {low.colour} {low.threshold:g} "
                    f"stands before {high.colour} {high.threshold:g}"
                )
        if self.on_delay < 0 or self.off_delay < 0 or self.max_gap <= 0:
            raise ValueError(f"{self.rule_id}: delays cannot be negative and the gap must be above zero")
        if not 0 <= self.deadband_fraction < 1:
            raise ValueError(f"{self.rule_id}: the deadband is a fraction from 0 up to, not including, 1")
        for level in self.levels:
            if level.deadband is not None and not 0 <= level.deadband < level.threshold:
                raise ValueError(f"{self.rule_id}: the deadband of {level.colour} must be below its threshold")

    def clear_below(self, index: int) -> float:
        """The value under which level `index` begins to be left."""
        level = self.levels[index]
        if level.deadband is not None:
            return level.threshold - level.deadband
        return level.threshold * (1 - self.deadband_fraction)

    def level_of(self, colour: Colour) -> int:
        """How many levels stand for an alarm of this colour: its own, or the nearest below it, else the lowest."""
        return max(1, sum(1 for level in self.levels if level.colour.rank <= colour.rank))

    def fingerprint(self) -> int:
        """Changes whenever a number or colour of the rule does; 63 bits."""
        numbers = [self.on_delay, self.off_delay, self.deadband_fraction, self.max_gap]
        for level in self.levels:
            numbers += level.colour.rank, level.threshold
        packed = struct.pack(f"<{len(numbers)}d", *numbers)
        if any(level.deadband is not None for level in self.levels):
            packed += repr([level.deadband for level in self.levels]).encode()
        if self.measure != RAW:
            packed += repr(self.measure).encode()
        return int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), "big") >> 1


class LevelState(NamedTuple):
    """What must be remembered between two readings.

    `level`: how many levels stand (0: none). `over[i]`: since when the readings stand at or above level i; `below[i]`:
    since when they are below the clearing value of level i, which stands (NEVER: they are not, or it does not).
    `last`: time of the last reading. `peak`: the highest value since readings rose over the lowest level, None when
    all is quiet.
    """

    level: int
    over: tuple[int, ...]
    below: tuple[int, ...]
    last: int
    peak: float | None


class Edge(NamedTuple):
    """The standing level changed at `time`, from `before` levels to `after`, at a reading of `value`.

    `since` is the first reading of the evidence: for a rise, at least the on-delay before `time`. `peak` is the
    highest value of the episode so far.
    """

    time: int
    before: int
    after: int
    value: float | None
    over_range: bool
    since: int
    peak: float | None


def quiet(rule: LevelRule) -> LevelState:
    """The state before any reading."""
    count = len(rule.levels)
    return LevelState(0, (NEVER,) * count, (NEVER,) * count, LONG_AGO, None)


def step(
    rule: LevelRule, state: LevelState, sample: Sample, at_most: float | None = None
) -> tuple[LevelState, Edge | None]:
    """The state after `sample`, which must not be earlier than the state's last, and the edge that it makes.

    `at_most`: where the sample says what is proved at least, how high it may be; a level is left by that.
    """
    time, height, standing = sample.time, sample.height, state.level
    highest = height if at_most is None else at_most
    unbroken = time - state.last <= rule.max_gap
    over, below = [], []
    proven = held = 0
    for index, level in enumerate(rule.levels):
        since = NEVER
        if height >= level.threshold:
            since = min(state.over[index], time) if unbroken else time
            if time - since >= rule.on_delay:
                proven = index + 1
        over.append(since)
        since = NEVER
        if index < standing:
            if highest < rule.clear_below(index):
                since = min(state.below[index], time) if unbroken else time
            if time - since < rule.off_delay:
                held = index + 1
        below.append(since)
    after = max(proven, held)
    episode = after > 0 or over[0] != NEVER
    peak = _higher(state.peak, sample.value) if episode or standing else None
    edge = None
    if after != standing:
        since = over[after - 1] if after > standing else below[standing - 1]
        edge = Edge(time, standing, after, sample.value, sample.over_range, since, peak)
        # Of a level that does not stand nobody asks since when it is below; where it rises again it is not.
        below[after:] = [NEVER] * (len(below) - after)
    return LevelState(after, tuple(over), tuple(below), time, peak if episode else None), edge


def _higher(one: float | None, other: float | None) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
