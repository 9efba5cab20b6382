"""One rule across stations, evaluated over the readings of all its members, which may come late or out of order.

Nothing waits: a level is raised on the reading that proves it. The readings of the last `bound` are kept, with the
state from before them. A reading that comes late changes what was made of all instants from its own on; what that does
to the edges is told as edges withdrawn and issued, as `Track` tells it of one datastream. So whatever the order in
which members are heard, issued less withdrawn is what the readings give in order.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Mapping
from itertools import takewhile
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from services.alerts.conditions.across.aligned import merged
from services.alerts.conditions.across.condition import AcrossCondition, combined, evidence
from services.alerts.conditions.levels import LONG_AGO, NEVER, Edge, LevelRule, LevelState, quiet, step
from services.alerts.conditions.readings import Ints, Readings, Sample
from services.alerts.conditions.track import MOST_KEPT, Change
from shared.levels import Colour

MOST_INSTANTS = 20_000
"""Instants of one rule that are evaluated again when a reading comes late."""


class Kept(NamedTuple):
    """What is needed to go on as if nothing had happened: see `Group`."""

    fingerprint: int
    colour: Colour | None
    base: LevelState
    clock: int
    samples: dict[int, Readings]


class Group:
    """The evaluation of one rule across stations. All times in microseconds; event time, but for `clock`.

    `clock` is the latest receipt of a reading. What is older than it by `bound` is settled: `base` is the state from
    before. `samples` are the readings from then on, and those that a value at that time may rest on.
    """

    def __init__(self, condition: AcrossCondition, rule: LevelRule, bound: int) -> None:
        self.condition = condition
        self.rule = rule
        self.bound = bound
        self.clock = 0
        self.base = quiet(rule)
        self.samples: dict[int, Readings] = {}
        self.edges: list[Edge] = []
        self.too_late = 0
        self.value: float | None = None
        self._instants: list[int] = []
        self._states: list[LevelState] = []

    @property
    def head(self) -> LevelState:
        """The state after the newest instant."""
        return self._states[-1] if self._states else self.base

    def take(self, readings: Mapping[int, Readings], clock: int) -> Change | None:
        """Take readings by datastream, received up to `clock`; the change is None where they alter no edge."""
        self.clock = max(self.clock, clock)
        began, first = self.head, NEVER
        newest = self._instants[-1] if self._instants else self.base.last
        for datastream_id, found in readings.items():
            # What comes from before the base, within the bound, counts for what follows the base: a base is ahead of
            # the bound where the rule or its members have just changed.
            in_time = found.time > min(self.base.last, self.clock - self.bound)
            self.too_late += int(np.count_nonzero(~in_time))
            if in_time.any():
                self.samples[datastream_id] = merged(self.samples.get(datastream_id), found.take(in_time))
                first = min(first, max(int(found.time[in_time].min()), self.base.last + 1))
        if first == NEVER:
            return None
        change = self._evaluate(first, began.level, first if first <= newest else None)
        self._settle()
        return change

    def begin_anew(
        self, condition: AcrossCondition, rule: LevelRule, colour: Colour | None, peak: float | None
    ) -> None:
        """Go on under another rule, or with other members: what stands (`colour`) stays, delays begin anew."""
        stood = rule.level_of(colour) if colour is not None else 0
        never = (NEVER,) * len(rule.levels)
        # A member whose clock leads must not make the readings of the others late.
        last = min(max(self.head.last, *self._newest(), LONG_AGO), self.clock)
        self.base = LevelState(stood, never, never, last, peak if stood else None)
        self.condition, self.rule = condition, rule
        wanted = set(condition.datastreams)
        self.samples = {i: found for i, found in self.samples.items() if i in wanted}
        self._instants, self._states, self.edges = [], [], []

    def standing(self) -> Colour | None:
        """The colour that stands, None where none does."""
        level = self.head.level
        return self.rule.levels[level - 1].colour if level else None

    def keep(self) -> Kept:
        """For a checkpoint."""
        base = self.rule.levels[self.base.level - 1].colour if self.base.level else None
        return Kept(self.fingerprint(), base, self.base, self.clock, dict(self.samples))

    def fingerprint(self) -> int:
        """Changes whenever a number of the rule or a member does; 63 bits."""
        said = f"{self.rule.fingerprint()}|{self.condition!r}".encode()
        return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "big") >> 1

    @classmethod
    def resume(cls, condition: AcrossCondition, rule: LevelRule, bound: int, kept: Kept) -> "Group":
        """Go on from a checkpoint; under a rule that changed since, only what stood goes on."""
        group = cls(condition, rule, bound)
        group.clock = kept.clock
        wanted = set(condition.datastreams)
        group.samples = {i: found for i, found in kept.samples.items() if i in wanted}
        if kept.fingerprint == group.fingerprint():
            group.base = kept.base
            group._evaluate(kept.base.last + 1, kept.base.level, None)
        else:
            group.base = kept.base._replace(level=0)
            group.begin_anew(condition, rule, kept.colour, kept.base.peak)
        return group

    def _evaluate(self, first: int, before: int, late: int | None) -> Change | None:
        """Evaluate all instants from `first` on again."""
        place = bisect_left(self._instants, first)
        instants = self._instants_from(first)
        del self._instants[place:], self._states[place:]
        old = self.edges
        self.edges = [edge for edge in old if edge.time < first]
        found = combined(self.condition, self.samples, instants, self.rule.max_gap)
        columns = (instants.tolist(), found.low.tolist(), found.high.tolist(), found.value.tolist())
        for time, low, high, value in zip(*columns, strict=True):
            self.value = value if np.isfinite(value) else None
            sample = Sample(time, self.value if low == low else None, low == np.inf)
            state, edge = step(self.rule, self.head, sample, high)
            self._instants.append(time)
            self._states.append(state)
            if edge is not None:
                self.edges.append(edge)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, self.edges, strict=False)))
        withdrawn, issued = tuple(old[same:]), tuple(self.edges[same:])
        if not withdrawn and not issued:
            return None
        kept = (withdrawn or issued)[0].before
        told = MappingProxyType({edge.time: self._told(edge.time) for edge in issued})
        return Change(before, self.head.level, kept, withdrawn, issued, late if withdrawn else None, told)

    def _newest(self) -> list[int]:
        return [int(found.time[-1]) for found in self.samples.values() if len(found)]

    def _told(self, instant: int) -> dict[str, Any]:
        return {"across": evidence(self.condition, self.samples, instant, self.rule.max_gap)}

    def _instants_from(self, first: int) -> Ints:
        """When a member of the rule (not the wind) said something, from `first` on."""
        members = {member.datastream_id for member in self.condition.members}
        times = [self.samples[i].time[self.samples[i].time >= first] for i in sorted(members & self.samples.keys())]
        return np.unique(np.concatenate(times)) if times else np.zeros(0, np.int64)

    def _settle(self) -> None:
        """Move the base over what no reading may come before any more, and let go of what nothing rests on."""
        settled = bisect_left(self._instants, self.clock - self.bound)
        settled = max(settled, len(self._instants) - MOST_INSTANTS)
        # Nothing is evaluated again without the readings that it rested on.
        cut = max((int(found.time[-MOST_KEPT]) for found in self.samples.values() if len(found) > MOST_KEPT), default=0)
        settled = max(settled, bisect_left(self._instants, cut))
        if settled > 0:
            self.base = self._states[settled - 1]
            del self._instants[:settled], self._states[:settled]
            self.edges = [edge for edge in self.edges if edge.time > self.base.last]
        lookback = max(self.condition.window, self.condition.wind_mean, self.rule.max_gap)
        since = min(self.base.last, self.clock - self.bound) - lookback
        for datastream_id, found in self.samples.items():
            # The one before stays: it tells that the datastream has spoken.
            first = max(int(np.searchsorted(found.time, since)) - 1, len(found) - MOST_KEPT, 0)
            if first:
                self.samples[datastream_id] = found.take(slice(first, None))


def by_datastream(ids: Ints, readings: Readings) -> dict[int, Readings]:
    """The rows of each datastream for itself."""
    order = np.argsort(ids, kind="stable")
    found, first = np.unique(ids[order], return_index=True)
    parts = zip(found.tolist(), np.split(order, first[1:]), strict=True) if len(found) else ()
    return {datastream_id: readings.take(rows) for datastream_id, rows in parts}
