"""What the alerts service tells over HTTP."""

from dataclasses import fields
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.alerts.lifecycle import Alarm
from shared.levels import Colour
from shared.messages import AlarmState
from shared.text import BilingualText
from shared.time import UtcDatetime


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


Which = Literal["open", "all"]
