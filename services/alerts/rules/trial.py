"""A rule over history: the alarms that it would have raised. Pure; the evaluation is the live one.

History comes in order of time, so nothing in it is late: an alarm that was raised live on readings that were put right
by late ones is not among these.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from services.alerts.conditions import Columns, Edge, LevelRule, Readings, evaluate
from services.alerts.conditions.across import AcrossCondition, Group
from services.alerts.conditions.baselines import Usual
from services.alerts.conditions.measures.baseline import NOTHING_USUAL, prepared
from shared.levels import Colour

MOST_STEPS = 50
"""Changes of level kept of one alarm, the first ones."""


@dataclass(slots=True)
class TrialAlarm:
    """One alarm. Times in microseconds since 1970 UTC; `ended_at` is None where it stood at the end of the history.

    `since` is the first reading of the evidence. `steps` tells at which time which colour began to stand.
    """

    datastream_id: int | None
    since: int
    raised_at: int
    ended_at: int | None
    colour: Colour
    peak_colour: Colour
    peak_value: float | None
    steps: list[tuple[int, Colour]] = field(default_factory=list)


class TrialRun:
    """A rule while it is tried. `alarms` are those so far, the earliest first."""

    def __init__(self, rule: LevelRule, datastream_id: int | None) -> None:
        """`datastream_id` is None for a rule across stations."""
        self.alarms: list[TrialAlarm] = []
        self.rule = rule
        self._id = datastream_id
        self._last: int | None = None

    def _follow(self, edges: Iterable[Edge], last: int, peak: float | None) -> None:
        """What came of the readings up to `last`; `peak` is the highest value of what stands."""
        for edge in edges:
            if edge.before == 0:
                colour = self.rule.levels[edge.after - 1].colour
                steps = [(edge.time, colour)]
                self.alarms.append(TrialAlarm(self._id, edge.since, edge.time, None, colour, colour, edge.peak, steps))
                continue
            alarm = self.alarms[-1]
            alarm.peak_value = edge.peak
            if edge.after == 0:
                alarm.ended_at = edge.time
                continue
            colour = self.rule.levels[edge.after - 1].colour
            alarm.peak_colour = max(alarm.peak_colour, colour, key=lambda each: each.rank)
            if len(alarm.steps) < MOST_STEPS:
                alarm.steps.append((edge.time, colour))
        self._last = last
        if self.alarms and self.alarms[-1].ended_at is None:
            self.alarms[-1].peak_value = peak

    def length(self, alarm: TrialAlarm) -> int:
        """How long an alarm stood, in microseconds; one that did not end, up to the last reading."""
        end = alarm.ended_at if alarm.ended_at is not None else self._last
        return (end if end is not None else alarm.raised_at) - alarm.raised_at


class Trial(TrialRun):
    """One rule over one datastream."""

    def __init__(
        self, datastream_id: int, rule: LevelRule, bound: int, usual: Mapping[int, Usual] = NOTHING_USUAL
    ) -> None:
        """`bound`: the same as of the live evaluation, in microseconds; `usual`: baselines by their number of days."""
        super().__init__(rule, datastream_id)
        self._usual = usual
        self._columns = Columns(bound)
        self._columns.add([datastream_id], [rule])

    def take(self, readings: Readings) -> None:
        """The readings that follow, in order of time."""
        if not len(readings):
            return
        slots = np.zeros(len(readings), np.int64)
        columns = self._columns
        readings = prepared(columns.measures, columns.measure[slots], columns.ids[slots], readings, self._usual)
        outcome = evaluate(columns, slots, slots, readings)
        edges = [edge for change in outcome.changes.get(0, ()) for edge in change.issued]
        peak = float(columns.head.peak[0])
        self._follow(edges, int(readings.time[-1]), None if np.isnan(peak) else peak)


class AcrossTrial(TrialRun):
    """One rule across stations."""

    def __init__(self, condition: AcrossCondition, rule: LevelRule) -> None:
        super().__init__(rule, None)
        self.condition = condition
        self._group = Group(condition, rule, 0)

    def take(self, readings: Mapping[int, Readings], until: int) -> None:
        """The readings of all members that follow, up to `until` (microseconds)."""
        own = {i: found for i, found in readings.items() if i in self.condition.datastreams and len(found)}
        change = self._group.take(own, until) if own else None
        newest = max((int(found.time[-1]) for found in own.values()), default=self._last)
        if newest is not None:
            self._follow(change.issued if change is not None else (), newest, self._group.head.peak)
