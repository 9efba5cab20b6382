"""One datastream under one rule, with readings that may come late or out of order.

Nothing waits: a level is raised on the reading that proves it. The readings of the last `bound` of event time are
kept, with the state from before them; when a reading comes late, but within the bound, they are evaluated again in
order. What that changes is told as edges withdrawn and edges issued, so that issued less withdrawn is at any time
what the readings give in order. A reading later than the bound is refused: it is for history only. So is one that is
older than the last `MOST_KEPT` readings of a datastream: what is kept is bounded in number too.

This is the evaluation reading by reading, with a list of edges: what `evaluation` does over columns where nothing
happens, and what it calls where something does.
"""

from bisect import bisect_left, insort
from collections.abc import Mapping
from enum import Enum
from itertools import takewhile
from math import inf
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from services.alerts.conditions.levels import Edge, LevelRule, LevelState, quiet, step
from services.alerts.conditions.measures import RAW, Measure, Series
from services.alerts.conditions.measures.lead import first_needed
from services.alerts.conditions.readings import Readings, Sample

MOST_KEPT = 4096
"""Readings kept of one datastream: 120 s of thirty a second."""


class Verdict(Enum):
    """What became of a reading."""

    TAKEN = "taken"
    TOO_LATE = "too_late"


class Change(NamedTuple):
    """What one reading did to the edges.

    `level_before` and `level_after` stand at the newest reading. `kept` is the level before the first edge that was
    withdrawn or issued. `refuted_by` is the event time of the late reading, None where the reading came in order.
    `evidence` is what else the journal should hold of an edge, by its time.
    """

    level_before: int
    level_after: int
    kept: int
    withdrawn: tuple[Edge, ...]
    issued: tuple[Edge, ...]
    refuted_by: int | None
    evidence: Mapping[int, Mapping[str, Any]] = MappingProxyType({})


class Track:
    """The evaluation of one datastream under one rule. All times in microseconds of event time.

    `samples` are the readings that are kept, `measured` what the rule's measure makes of each of them, and `lead`
    those from before, which it needs for that.
    """

    __slots__ = ("_measure", "_states", "bound", "checkpoint", "edges", "lead", "measured", "rule", "samples")

    def __init__(
        self,
        rule: LevelRule,
        bound: int,
        checkpoint: LevelState | None = None,
        samples: list[Sample] | None = None,
        lead: list[Sample] | None = None,
        measure: Measure | None = None,
    ) -> None:
        """Begin, or go on from a checkpoint: the edges of the kept readings follow from evaluating them again.

        `measure` takes the place of the rule's: `RAW` for readings that are measured already.
        """
        self.rule = rule
        self.bound = bound
        self.checkpoint = checkpoint if checkpoint is not None else quiet(rule)
        self.samples = samples if samples is not None else []
        self.lead = lead if lead is not None else []
        self.measured: list[Sample] = []
        self.edges: list[Edge] = []
        self._measure = measure if measure is not None else rule.measure
        self._states: list[LevelState] = []
        self._replay(0)

    @property
    def head(self) -> LevelState:
        """The state after the newest reading."""
        return self._states[-1] if self._states else self.checkpoint

    def offer(self, sample: Sample) -> tuple[Verdict, Change | None]:
        """Take one reading; the change is None where it alters no edge."""
        newest = self.samples[-1].time if self.samples else self.checkpoint.last
        if sample.time < newest - self.bound or sample.time <= self.checkpoint.last:
            return Verdict.TOO_LATE, None
        before = self.head.level
        if sample.time > newest:
            self.samples.append(sample)
            edge = self._take(*self._measured_from(len(self.samples) - 1))
            change = Change(before, self.head.level, before, (), (edge,), None) if edge is not None else None
            self._trim()
            return Verdict.TAKEN, change
        outcome = self._insert(sample, before)
        self._trim()
        return Verdict.TAKEN, outcome

    def _insert(self, sample: Sample, before: int) -> Change | None:
        place = bisect_left(self.samples, sample.time, key=lambda kept: kept.time)
        if place < len(self.samples) and self.samples[place].time == sample.time:
            # Two readings of one time contradict each other. The higher one counts, whichever came first.
            self.samples[place] = max(self.samples[place], sample, key=severity)
        else:
            insort(self.samples, sample, key=lambda kept: kept.time)
        old = self.edges
        self.edges = [edge for edge in old if edge.time < sample.time]
        self._replay(place)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, self.edges, strict=False)))
        withdrawn, issued = tuple(old[same:]), tuple(self.edges[same:])
        if not withdrawn and not issued:
            return None
        kept = (withdrawn or issued)[0].before
        return Change(before, self.head.level, kept, withdrawn, issued, sample.time)

    def _replay(self, place: int) -> None:
        """Evaluate the readings from `place` on again."""
        del self._states[place:]
        del self.measured[place:]
        for sample in self._measured_from(place):
            self._take(sample)

    def _measured_from(self, place: int) -> list[Sample]:
        """What the measure gives for the readings from `place` on."""
        if self._measure == RAW or place == len(self.samples):
            return self.samples[place:]
        known = self.lead + self.samples
        series = Series(Readings.of(known), np.array([0]), np.array([self.rule.max_gap]), self._measure.lookback or 0)
        return self._measure.over(series, np.arange(len(self.lead) + place, len(known))).samples()

    def _take(self, sample: Sample) -> Edge | None:
        """Evaluate what the measure gave for the next reading."""
        state, edge = step(self.rule, self.head, sample)
        self._states.append(state)
        self.measured.append(sample)
        if edge is not None:
            self.edges.append(edge)
        return edge

    def _trim(self) -> None:
        """Move the checkpoint over the readings that no late one may come before any more."""
        horizon = self.samples[-1].time - self.bound
        settled = bisect_left(self.samples, horizon, key=lambda kept: kept.time)
        settled = max(settled, len(self.samples) - MOST_KEPT)
        if not settled:
            return
        self.checkpoint = self._states[settled - 1]
        if self._measure != RAW:
            self.lead += self.samples[:settled]
            del self.lead[: first_needed([kept.time for kept in self.lead], self.checkpoint.last, self._measure)]
        del self.samples[:settled]
        del self.measured[:settled]
        del self._states[:settled]
        self.edges = [edge for edge in self.edges if edge.time > self.checkpoint.last]


def severity(sample: Sample) -> tuple[float, float]:
    """Which of two readings of one time counts: the higher."""
    value = -inf if sample.value is None else sample.value
    return inf if sample.over_range else value, value
