"""The state of many datastreams under their rules, in columns: position i of every array is one datastream under one.

Of each datastream three states are held: `head`, after its newest reading; `base`, from before the readings that are
kept, to begin from where one comes late; and `middle`, between the two. Once `middle` is older than the bound it
becomes the base, and the head the new middle: so no reading is evaluated twice only to carry a base along.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from services.alerts.conditions.levels import LONG_AGO, MOST_LEVELS, NEVER, LevelRule, LevelState
from services.alerts.conditions.measures import RAW, Measure
from services.alerts.conditions.measures.lead import needed_since
from services.alerts.conditions.readings import Bools, Floats, Ints, Readings, Sample, no_readings
from services.alerts.conditions.recent import Recent
from services.alerts.conditions.track import MOST_KEPT, Track, severity

_MOST_ROWS = 500_000
"""Readings looked through at once for what no window needs any more."""


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
    """Datastreams under rules in slots, with states and recent readings. A datastream under two rules has two slots.

    `wake` is the value from which on a reading matters: the lowest level, where the rule is about the raw value.
    `calm`: no reading that is kept came to it and no level stands, so that a reading below it changes nothing but the
    time of the last. `stirred[0]`, `stirred[1]`: a reading that is kept, that came since the middle, came to it.
    `latest` is the newest value, as measured, of a datastream that is not calm. `measure` numbers the `measures`, 0
    for the raw value. `prepared`: what is kept is not the readings but what the measure made of them.
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
        self.measures: list[Measure] = [RAW]
        self.measure: Ints = np.zeros(0, np.int64)
        self.prepared: Bools = np.zeros(0, np.bool_)
        self.wake: Floats = np.zeros(0)
        self.threshold: Floats = np.zeros((0, MOST_LEVELS))
        self.clear: Floats = np.zeros((0, MOST_LEVELS))
        self.delays: Ints = np.zeros((0, 3), np.int64)
        self.most_rules = 0
        self._sorted: Ints = np.zeros(0, np.int64)
        self._order: Ints = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self.rules)

    def find(self, ids: Ints, nth: int = 0) -> Ints:
        """The slot of each datastream under the first (or nth after it) of its rules; -1 where it has none."""
        if not len(self):
            return np.full(len(ids), -1)
        place = np.minimum(np.searchsorted(self._sorted, ids) + nth, len(self) - 1)
        return np.where(self._sorted[place] == ids, self._order[place], -1)

    def of_raw(self, slots: Ints) -> Bools:
        """Which of these slots (-1: none) are of a rule about the raw value."""
        return (slots >= 0) & (self.measure[slots] == 0) if len(self) else slots >= 0

    def add(self, ids: Sequence[int], rules: Sequence[LevelRule]) -> None:
        """Slots for datastreams under rules that they were not under."""
        count = len(ids)
        self.ids = np.concatenate([self.ids, np.array(ids, np.int64)])
        self._order = np.argsort(self.ids, kind="stable")
        self._sorted = self.ids[self._order]
        self.most_rules = int(np.unique(self._sorted, return_counts=True)[1].max(initial=0))
        for states in (self.head, self.middle, self.base):
            states.extend(count)
        self.recent.extend(count)
        self.stirred = np.concatenate([self.stirred, np.zeros((2, count), np.bool_)], axis=1)
        self.calm = np.concatenate([self.calm, np.ones(count, np.bool_)])
        self.latest = np.concatenate([self.latest, np.full(count, np.nan)])
        self.measure = np.concatenate([self.measure, np.zeros(count, np.int64)])
        self.prepared = np.concatenate([self.prepared, np.zeros(count, np.bool_)])
        self.wake = np.concatenate([self.wake, np.full(count, np.nan)])
        never_reached = np.full((count, MOST_LEVELS), np.nan)
        self.threshold = np.concatenate([self.threshold, never_reached])
        self.clear = np.concatenate([self.clear, never_reached])
        self.delays = np.concatenate([self.delays, np.zeros((count, 3), np.int64)])
        self.fingerprints = np.concatenate([self.fingerprints, np.zeros(count, np.int64)])
        for slot, rule in enumerate(rules, len(self.rules)):
            self.rules.append(rule)
            self._write_rule(slot, rule)

    def begin_anew(self, slot: int, rule: LevelRule, level: int, peak: float | None) -> None:
        """Go on under `rule` with the level that stands: its delays start from the next reading.

        Of a measure the readings so far stay in its windows.
        """
        never = (NEVER,) * len(rule.levels)
        state = LevelState(level, never, never, int(self.head.last[slot]), peak if level else None)
        in_kind = bool(self.prepared[slot]) == rule.measure.is_prepared
        self.rules[slot] = rule
        self._write_rule(slot, rule)
        for states in (self.head, self.middle, self.base):
            states.put(slot, state)
        behind = self.recent.of(slot) if rule.measure != RAW and in_kind else no_readings()
        self.recent.replace(slot, behind, len(behind))
        self.stirred[:, slot] = False, False
        self.stirred[0, slot] = np.any(behind.height() >= self.wake[slot])
        self._judge_calm(np.array([slot]))

    def track(self, slot: int) -> Track:
        """One datastream reading by reading, with all that is kept."""
        return self._track(slot, self.base, int(self.recent.start[slot]))

    def track_since_middle(self, slot: int) -> Track:
        """The same from the middle on: enough for raw values where no reading from before it comes."""
        return self._track(slot, self.middle, int(self.recent.mid[slot]))

    def state(self, slot: int) -> LevelState:
        """The state after the newest reading."""
        return self.head.get(slot, len(self.rules[slot].levels))

    def _track(self, slot: int, states: States, number: int) -> Track:
        rule = self.rules[slot]
        state = states.get(slot, len(rule.levels))
        by_time: dict[int, Sample] = {}
        for sample in self.recent.of(slot, number).samples():
            by_time[sample.time] = max(by_time.get(sample.time, sample), sample, key=severity)
        known = [by_time[time] for time in sorted(by_time)]
        # A reading that came late may be from before a base that was set after it, and is in it already.
        after = bisect_right(known, state.last, key=lambda sample: sample.time)
        return Track(rule, self.bound, state, known[after:], known[:after])

    def put_head(self, slot: int, track: Track, more: Readings) -> None:
        """Take back what `track_since_middle` gave, after it took what came: the readings `more`."""
        self.head.put(slot, track.head)
        self._put_latest(slot, track)
        one = np.array([slot])
        self.recent.append(one, np.array([len(more)]), np.array([0]), more)
        if np.any(more.height() >= self.wake[slot]):
            self.stirred[:, slot] = True
            self.calm[slot] = False
        self.rotate(one)

    def put_track(self, slot: int, track: Track) -> None:
        """Take back what `track` gave."""
        lead = track.lead if self.measure[slot] else []
        kept = Readings.of(lead + track.samples)
        self.recent.replace(slot, kept, len(lead))
        self.base.put(slot, track.checkpoint)
        self.middle.put(slot, track.head)
        self.head.put(slot, track.head)
        self._put_latest(slot, track)
        self.stirred[0, slot] = bool(np.any(kept.height() >= self.wake[slot]))
        self.stirred[1, slot] = False
        self._judge_calm(np.array([slot]))

    def _put_latest(self, slot: int, track: Track) -> None:
        if track.measured:
            newest = track.measured[-1].value
            self.latest[slot] = np.nan if newest is None else newest

    def rotate(self, slot: Ints) -> None:
        """Let the bases of these slots follow, where the middle is older than the bound or too much is kept."""
        aged = self.head.last[slot] - self.middle.last[slot] > self.bound
        aged |= self.recent.count[slot] - self.recent.base[slot] > MOST_KEPT
        if not aged.any():
            return
        slot = slot[aged]
        self.base.copy_from(self.middle, slot)
        self.middle.copy_from(self.head, slot)
        self.recent.rotate(slot)
        self.stirred[0, slot] = self.stirred[1, slot]
        self.stirred[1, slot] = False
        self.recent.forget(slot[self.measure[slot] == 0])
        rest = slot[self.measure[slot] > 0]
        behind = np.cumsum(self.recent.base[rest] - self.recent.start[rest])
        for part in np.split(rest, np.flatnonzero(np.diff(behind // _MOST_ROWS)) + 1):
            self._forget_what_no_window_needs(part)
        self._judge_calm(slot)

    def _forget_what_no_window_needs(self, slot: Ints) -> None:
        if not len(slot):
            return
        recent = self.recent
        length = recent.base[slot] - recent.start[slot]
        behind = recent.of_many(slot, recent.base[slot])
        owner = np.repeat(np.arange(len(slot)), length)
        measures = [self.measures[number] for number in self.measure[slot].tolist()]
        needed = needed_since(behind.time, owner, self.base.last[slot], measures)
        # By order of arrival: what stands behind one that is needed stays as well.
        number = np.arange(len(owner)) - np.repeat(np.cumsum(length) - length, length)
        kept = behind.time >= needed[owner]
        first = length.copy()
        np.minimum.at(first, owner[kept], number[kept])
        stays = number >= first[owner]
        self.stirred[0, slot[owner[stays & (behind.height() >= self.wake[slot[owner]])]]] = True
        recent.forget(slot, recent.start[slot] + first)

    def _judge_calm(self, slot: Ints) -> None:
        self.calm[slot] = ~self.stirred[0, slot] & (self.base.level[slot] == 0) & (self.base.over[slot, 0] == NEVER)

    def _write_rule(self, slot: int, rule: LevelRule) -> None:
        count = len(rule.levels)
        self.fingerprints[slot] = rule.fingerprint()
        if rule.measure not in self.measures:
            self.measures.append(rule.measure)
        self.measure[slot] = self.measures.index(rule.measure)
        self.prepared[slot] = rule.measure.is_prepared
        self.wake[slot] = rule.measure.wake(rule.levels[0].threshold)
        self.threshold[slot] = self.clear[slot] = np.nan
        self.threshold[slot, :count] = [level.threshold for level in rule.levels]
        self.clear[slot, :count] = [rule.clear_below(index) for index in range(count)]
        self.delays[slot] = rule.on_delay, rule.off_delay, rule.max_gap
