"""The state of many datastreams, each under its rule, in columns: position i of every array is one datastream.

Of each datastream three states are held: `head`, after its newest reading; `base`, from before the readings that are
kept, to begin from where one comes late; and `middle`, between the two. Once `middle` is older than the bound it
becomes the base, and the head the new middle: so no reading is evaluated twice only to carry a base along.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from services.alerts.conditions.levels import LONG_AGO, MOST_LEVELS, NEVER, LevelRule, LevelState, Sample
from services.alerts.conditions.recent import Bools, Floats, Ints, Readings, Recent, no_readings
from services.alerts.conditions.track import MOST_KEPT, Track, severity


@dataclass(slots=True)
class States:
    """`LevelState` in columns: `over` and `below` have four columns of levels, a peak of NaN is none."""

    level: Ints
    over: Ints
    below: Ints
    last: Ints
    peak: Floats

    @classmethod
    def quiet(cls, count: int) -> "States":
        """The states before any reading."""
        never = (count, MOST_LEVELS)
        return cls(
            np.zeros(count, np.int64),
            np.full(never, NEVER),
            np.full(never, NEVER),
            np.full(count, LONG_AGO),
            np.full(count, np.nan),
        )

    def extend(self, count: int) -> None:
        """Quiet states at the end."""
        more = States.quiet(count)
        for field in fields(self):
            setattr(self, field.name, np.concatenate([getattr(self, field.name), getattr(more, field.name)]))

    def copy_from(self, other: "States", slot: Ints) -> None:
        """Take over the rows of other states."""
        for field in fields(self):
            getattr(self, field.name)[slot] = getattr(other, field.name)[slot]

    def get(self, slot: int, levels: int) -> LevelState:
        """One row, of a rule with this number of levels."""
        peak = float(self.peak[slot])
        return LevelState(
            int(self.level[slot]),
            tuple(self.over[slot, :levels].tolist()),
            tuple(self.below[slot, :levels].tolist()),
            int(self.last[slot]),
            None if np.isnan(peak) else peak,
        )

    def put(self, slot: int, state: LevelState) -> None:
        """Write one row."""
        self.level[slot] = state.level
        for column, since in ((self.over, state.over), (self.below, state.below)):
            column[slot] = NEVER
            column[slot, : len(since)] = since
        self.last[slot] = state.last
        self.peak[slot] = np.nan if state.peak is None else state.peak


class Columns:
    """Datastreams in slots, with their rules, states and recent readings.

    `calm`: no reading that is kept reached a level and none stands, so that a reading below all levels changes
    nothing but the time of the last. `stirred[0]`, `stirred[1]`: a reading since the base, since the middle, reached
    a level. `latest` is the newest value of a datastream that is not calm.
    """

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.ids: Ints = np.zeros(0, np.int64)
        self.rules: list[LevelRule] = []
        self.fingerprints: Ints = np.zeros(0, np.int64)
        self.head, self.middle, self.base = States.quiet(0), States.quiet(0), States.quiet(0)
        self.recent = Recent()
        self.stirred: Bools = np.zeros((2, 0), np.bool_)
        self.calm: Bools = np.zeros(0, np.bool_)
        self.latest: Floats = np.zeros(0)
        self.threshold: Floats = np.zeros((0, MOST_LEVELS))
        self.clear: Floats = np.zeros((0, MOST_LEVELS))
        self.delays: Ints = np.zeros((0, 3), np.int64)
        self._sorted: Ints = np.zeros(0, np.int64)
        self._order: Ints = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self.rules)

    def find(self, ids: Ints) -> Ints:
        """The slot of each datastream; -1 where it has none."""
        if not len(self):
            return np.full(len(ids), -1)
        place = np.minimum(np.searchsorted(self._sorted, ids), len(self) - 1)
        return np.where(self._sorted[place] == ids, self._order[place], -1)

    def add(self, ids: Sequence[int], rules: Sequence[LevelRule]) -> None:
        """Slots for new datastreams."""
        count = len(ids)
        self.ids = np.concatenate([self.ids, np.array(ids, np.int64)])
        self._order = np.argsort(self.ids)
        self._sorted = self.ids[self._order]
        for states in (self.head, self.middle, self.base):
            states.extend(count)
        self.recent.extend(count)
        self.stirred = np.concatenate([self.stirred, np.zeros((2, count), np.bool_)], axis=1)
        self.calm = np.concatenate([self.calm, np.ones(count, np.bool_)])
        self.latest = np.concatenate([self.latest, np.full(count, np.nan)])
        never_reached = np.full((count, MOST_LEVELS), np.nan)
        self.threshold = np.concatenate([self.threshold, never_reached])
        self.clear = np.concatenate([self.clear, never_reached])
        self.delays = np.concatenate([self.delays, np.zeros((count, 3), np.int64)])
        self.fingerprints = np.concatenate([self.fingerprints, np.zeros(count, np.int64)])
        for slot, rule in enumerate(rules, len(self.rules)):
            self.rules.append(rule)
            self._write_rule(slot, rule)

    def begin_anew(self, slot: int, rule: LevelRule, level: int, peak: float | None) -> None:
        """Go on under `rule` with the level that stands: its delays start from the next reading."""
        never = (NEVER,) * len(rule.levels)
        state = LevelState(level, never, never, int(self.head.last[slot]), peak if level else None)
        self.rules[slot] = rule
        self._write_rule(slot, rule)
        for states in (self.head, self.middle, self.base):
            states.put(slot, state)
        self.recent.replace(slot, no_readings())
        self.stirred[:, slot] = False
        self.calm[slot] = not level

    def track(self, slot: int) -> Track:
        """One datastream reading by reading, with all that is kept."""
        return self._track(slot, self.base, int(self.recent.start[slot]))

    def track_since(self, slot: int, states: States) -> Track:
        """The same from the middle or the head on: enough where no reading from before it comes."""
        number = self.recent.count if states is self.head else self.recent.mid
        return self._track(slot, states, int(number[slot]))

    def _track(self, slot: int, states: States, number: int) -> Track:
        rule = self.rules[slot]
        state = states.get(slot, len(rule.levels))
        by_time: dict[int, Sample] = {}
        for sample in self.recent.of(slot, number).samples():
            # A reading that came late may be from before a base that was set after it, and is in it already.
            if sample.time > state.last:
                by_time[sample.time] = max(by_time.get(sample.time, sample), sample, key=severity)
        return Track(rule, self.bound, state, [by_time[time] for time in sorted(by_time)])

    def put_head(self, slot: int, track: Track, more: Readings) -> None:
        """Take back what `track_since` gave, after it was offered `more` and took it."""
        self.head.put(slot, track.head)
        if track.samples:
            newest = track.samples[-1].value
            self.latest[slot] = np.nan if newest is None else newest
        one = np.array([slot])
        self.recent.append(one, np.array([len(more)]), np.array([0]), more)
        if np.any(more.height() >= self.threshold[slot, 0]):
            self.stirred[:, slot] = True
            self.calm[slot] = False
        self.rotate(one)

    def put_track(self, slot: int, track: Track) -> None:
        """Take back what `track` gave."""
        samples = track.samples
        kept = Readings(
            np.array([sample.time for sample in samples], np.int64),
            np.array([np.nan if sample.value is None else sample.value for sample in samples], np.float64),
            np.array([sample.over_range for sample in samples], np.bool_),
        )
        self.recent.replace(slot, kept)
        self.base.put(slot, track.checkpoint)
        self.middle.put(slot, track.head)
        self.head.put(slot, track.head)
        if samples:
            self.latest[slot] = kept.value[-1]
        self.stirred[0, slot] = bool(np.any(kept.height() >= self.threshold[slot, 0]))
        self.stirred[1, slot] = False
        self._judge_calm(np.array([slot]))

    def rotate(self, slot: Ints) -> None:
        """Let the bases of these slots follow, where the middle is older than the bound or too much is kept."""
        aged = self.head.last[slot] - self.middle.last[slot] > self.bound
        aged |= self.recent.count[slot] - self.recent.start[slot] > MOST_KEPT
        if not aged.any():
            return
        slot = slot[aged]
        self.base.copy_from(self.middle, slot)
        self.middle.copy_from(self.head, slot)
        self.recent.rotate(slot)
        self.stirred[0, slot] = self.stirred[1, slot]
        self.stirred[1, slot] = False
        self._judge_calm(slot)

    def _judge_calm(self, slot: Ints) -> None:
        self.calm[slot] = ~self.stirred[0, slot] & (self.base.level[slot] == 0) & (self.base.over[slot, 0] == NEVER)

    def _write_rule(self, slot: int, rule: LevelRule) -> None:
        count = len(rule.levels)
        self.fingerprints[slot] = rule.fingerprint()
        self.threshold[slot] = self.clear[slot] = np.nan
        self.threshold[slot, :count] = [level.threshold for level in rule.levels]
        self.clear[slot, :count] = [rule.clear_below(index) for index in range(count)]
        self.delays[slot] = rule.on_delay, rule.off_delay, rule.max_gap
