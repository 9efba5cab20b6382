"""A rule over the history of a datastream: the alarms that it would have raised. Pure; the evaluation is the live one.

History comes in order of time, so nothing in it is late: an alarm that was raised live on readings that were put right
by late ones is not among these.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from services.alerts.conditions import Columns, LevelRule, Readings, evaluate
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

    datastream_id: int
    since: int
    raised_at: int
    ended_at: int | None
    colour: Colour
    peak_colour: Colour
    peak_value: float | None
    steps: list[tuple[int, Colour]] = field(default_factory=list)


class Trial:
    """One rule over one datastream. `alarms` are those so far, the earliest first."""

    def __init__(
        self, datastream_id: int, rule: LevelRule, bound: int, usual: Mapping[int, Usual] = NOTHING_USUAL
    ) -> None:
        """`bound`: the same as of the live evaluation, in microseconds; `usual`: baselines by their number of days."""
        self.alarms: list[TrialAlarm] = []
        self._id = datastream_id
        self._rule = rule
        self._usual = usual
        self._columns = Columns(bound)
        self._columns.add([datastream_id], [rule])
        self._last: int | None = None

    def take(self, readings: Readings) -> None:
        """The readings that follow, in order of time."""
        if not len(readings):
            return
        slots = np.zeros(len(readings), np.int64)
        columns = self._columns
        readings = prepared(columns.measures, columns.measure[slots], columns.ids[slots], readings, self._usual)
        outcome = evaluate(columns, slots, slots, readings)
        for change in outcome.changes.get(0, ()):
            for edge in change.issued:
                if edge.before == 0:
                    colour = self._rule.levels[edge.after - 1].colour
                    steps = [(edge.time, colour)]
                    self.alarms.append(
                        TrialAlarm(self._id, edge.since, edge.time, None, colour, colour, edge.peak, steps)
                    )
                    continue
                alarm = self.alarms[-1]
                alarm.peak_value = edge.peak
                if edge.after == 0:
                    alarm.ended_at = edge.time
                    continue
                colour = self._rule.levels[edge.after - 1].colour
                alarm.peak_colour = max(alarm.peak_colour, colour, key=lambda each: each.rank)
                if len(alarm.steps) < MOST_STEPS:
                    alarm.steps.append((edge.time, colour))
        self._last = int(readings.time[-1])
        if self.alarms and self.alarms[-1].ended_at is None:
            peak = float(self._columns.head.peak[0])
            self.alarms[-1].peak_value = None if np.isnan(peak) else peak

    def length(self, alarm: TrialAlarm) -> int:
        """How long an alarm stood, in microseconds; one that did not end, up to the last reading."""
        end = alarm.ended_at if alarm.ended_at is not None else self._last
        return (end if end is not None else alarm.raised_at) - alarm.raised_at
