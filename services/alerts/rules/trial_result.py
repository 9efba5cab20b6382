"""What a trial tells: the alarms that a draft rule would have raised, beside those of the rule that is in force."""

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Self

from pydantic import BaseModel, Field

from services.alerts.rules.trial import MOST_STEPS, TrialAlarm, TrialRun
from shared.levels import Colour
from shared.time import UtcDatetime, from_microseconds

MOST_ALARMS = 1000
"""Shown one by one; the numbers count all."""


class Step(BaseModel):
    """From `time` on this colour stood."""

    time: UtcDatetime
    colour: Colour


class AlarmInTrial(BaseModel):
    """An alarm that the draft would have raised."""

    datastream_id: int | None = Field(description="null for a rule across stations")
    since: UtcDatetime = Field(description="the first reading of the evidence")
    raised_at: UtcDatetime
    ended_at: UtcDatetime | None = Field(description="null where it stood at the end of the span")
    length_s: float
    colour: Colour = Field(description="when it was raised")
    peak_colour: Colour
    peak_value: float | None
    steps: list[Step] = Field(description=f"its changes of colour, the first {MOST_STEPS}")

    @classmethod
    def of(cls, alarm: TrialAlarm, length: int) -> Self:
        """From an alarm and its length in microseconds."""
        return cls(
            datastream_id=alarm.datastream_id,
            since=from_microseconds(alarm.since),
            raised_at=from_microseconds(alarm.raised_at),
            ended_at=from_microseconds(alarm.ended_at) if alarm.ended_at is not None else None,
            length_s=length / 1e6,
            colour=alarm.colour,
            peak_colour=alarm.peak_colour,
            peak_value=alarm.peak_value,
            steps=[Step(time=from_microseconds(time), colour=colour) for time, colour in alarm.steps],
        )


class Tally(BaseModel):
    """Number and lengths of alarms, lengths in seconds."""

    alarms: int = 0
    by_peak_colour: dict[Colour, int] = {}
    total_s: float = 0.0
    median_s: float | None = None
    longest_s: float | None = None

    @classmethod
    def of(cls, trials: Sequence[TrialRun]) -> Self:
        """Over all alarms of some trials."""
        lengths = [trial.length(alarm) / 1e6 for trial in trials for alarm in trial.alarms]
        if not lengths:
            return cls()
        return cls(
            alarms=len(lengths),
            by_peak_colour=Counter(alarm.peak_colour for trial in trials for alarm in trial.alarms),
            total_s=sum(lengths),
            median_s=median(lengths),
            longest_s=max(lengths),
        )


class DatastreamInTrial(BaseModel):
    """One datastream of a trial. Alarms of a rule across stations are of none: they are counted in the whole alone."""

    datastream_id: int
    station_id: str
    readings: int = Field(description="of any quality")
    draft: Tally
    in_force: Tally


class TrialResult(BaseModel):
    """What came out. `alarms` is the time line of the draft, the earliest first; `more_alarms` were left off."""

    draft: Tally
    in_force: Tally = Field(description="the same readings under the rules that were in force when the trial ran")
    datastreams: list[DatastreamInTrial]
    alarms: list[AlarmInTrial]
    more_alarms: int

    @classmethod
    def of(cls, drafts: Sequence[TrialRun], in_force: Sequence[TrialRun], datastreams: list[DatastreamInTrial]) -> Self:
        """From the trials of all datastreams."""
        found = sorted(
            ((alarm.raised_at, alarm.datastream_id or 0, alarm, trial) for trial in drafts for alarm in trial.alarms),
            key=lambda each: each[:2],
        )
        return cls(
            draft=Tally.of(drafts),
            in_force=Tally.of(in_force),
            datastreams=datastreams,
            alarms=[AlarmInTrial.of(alarm, trial.length(alarm)) for _, _, alarm, trial in found[:MOST_ALARMS]],
            more_alarms=max(0, len(found) - MOST_ALARMS),
        )
