"""What the alerts service tells over HTTP."""

from dataclasses import fields
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.alerts.lifecycle import Alarm
from services.alerts.rules import EffectiveRule
from shared.levels import Colour
from shared.messages import AlarmState
from shared.text import BilingualText
from shared.time import UtcDatetime
from shared.vocabulary import observed_properties


class AlarmOut(BaseModel):
    """An alarm as it stands."""

    id: UUID
    park_id: str
    station_id: str
    station_name: BilingualText
    ring: str
    datastream_id: int | None = Field(description="null for an alarm about a station, such as its silence")
    property_id: str | None
    rule_id: str
    state: AlarmState
    active: bool = Field(description="whether the condition stands now")
    colour: Colour
    peak_colour: Colour
    value: float | None = Field(description="the latest value while active, else the one that ended it")
    peak_value: float | None
    unit: str | None
    threshold: float | None
    raised_at: UtcDatetime = Field(description="event time")
    changed_at: UtcDatetime = Field(description="event time of the last change; wall time for an acknowledgement")
    recorded_at: UtcDatetime = Field(description="wall time of the first raise")
    withdrawn: bool = Field(description="a late reading showed that the condition did not hold")
    acknowledged_by: str | None
    acknowledged_at: UtcDatetime | None
    comment: str | None
    returned_at: UtcDatetime | None
    closed_at: UtcDatetime | None

    @classmethod
    def of(cls, alarm: Alarm) -> Self:
        """From the alarm itself."""
        subject = alarm.subject
        of_subject = set(cls.model_fields) & {field.name for field in fields(subject)}
        own = set(cls.model_fields) - of_subject - {"journal"}
        return cls(
            **{name: getattr(subject, name) for name in of_subject},
            **{name: getattr(alarm, name) for name in own},
        )


class JournalEntry(BaseModel):
    """One thing that happened to an alarm: what, when (event time and wall time), who, why, on which evidence."""

    id: UUID
    action: str
    state_before: AlarmState | None
    state_after: AlarmState | None
    colour_before: Colour | None
    colour_after: Colour
    value: float | None
    threshold: float | None
    event_time: UtcDatetime
    recorded_at: UtcDatetime
    actor: str | None
    comment: str | None
    detail: dict[str, Any] | None


class AlarmWithJournal(AlarmOut):
    """An alarm and all that happened to it, in order."""

    journal: list[JournalEntry] = []


class AlarmPage(BaseModel):
    """Alarms, the latest first; `next` is the cursor of the next page."""

    items: list[AlarmOut]
    next: str | None


class Acknowledgement(BaseModel):
    """What an operator says when taking note."""

    comment: str | None = Field(default=None, max_length=1000)


class LevelOut(BaseModel):
    """One level of a rule."""

    colour: Colour
    threshold: float
    source: str


class RuleOut(BaseModel):
    """A rule as it is applied. `sources` tells where each number but the levels' comes from."""

    rule_id: str
    ring: str
    station_id: str | None = Field(description="set where the park gave this station a rule of its own")
    property_id: str
    property_name: BilingualText
    unit: str
    levels: list[LevelOut]
    on_delay_s: float
    off_delay_s: float
    deadband_fraction: float
    max_gap_s: float
    latching: bool = Field(description="the alarm has to be reset by hand once the condition is over")
    sources: dict[str, str]

    @classmethod
    def of(cls, rule: EffectiveRule) -> Self:
        """From the effective rule."""
        same = ("rule_id", "ring", "station_id", "property_id", "unit", "on_delay_s", "off_delay_s", "max_gap_s")
        return cls(
            property_name=observed_properties()[rule.property_id].name,
            levels=[
                LevelOut(colour=level.colour, threshold=level.threshold, source=level.source) for level in rule.levels
            ],
            deadband_fraction=rule.deadband_fraction,
            latching=rule.latching,
            sources=rule.sources,
            **{name: getattr(rule, name) for name in same},
        )


class SilenceRuleOut(BaseModel):
    """When a station counts as silent, in seconds of wall time without live data."""

    rule_id: str
    colour: Colour
    realtime_after_s: float = Field(description="stations with real-time data")
    minute_after_s: float = Field(description="stations with minute data only")
    source: str


class RulePage(BaseModel):
    """Every effective rule of a park."""

    items: list[RuleOut]
    next: str | None = None
    silence: SilenceRuleOut
    note: BilingualText


class RegistryTaken(BaseModel):
    """What was taken from the park file."""

    rules: int


Which = Literal["open", "all"]
