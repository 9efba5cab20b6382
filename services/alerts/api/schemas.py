"""What the alerts service tells over HTTP."""

from dataclasses import fields
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, model_validator

from services.alerts.lifecycle import BY_HAND, Action, Alarm, Habits, Suppressor, allowed
from services.alerts.store.suppressions import Kind, Suppression
from shared.levels import Colour
from shared.messages import AlarmState
from shared.text import BilingualText
from shared.time import UtcDatetime


class EscalationOut(BaseModel):
    """Who was called about an alarm that waits for its acknowledgement, and who will be. All times are wall time."""

    since: UtcDatetime = Field(description="since when it waits")
    called: list[str] = Field(description="roles")
    next_role: str | None = Field(description="null: all were called that the policy names for its colour")
    next_at: UtcDatetime | None = Field(description="when that is due; a flood may hold it back")


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
    changed_at: UtcDatetime = Field(description="event time of the last change; wall time of what somebody did")
    recorded_at: UtcDatetime = Field(description="wall time of the first raise")
    withdrawn: bool = Field(description="a late reading showed that the condition did not hold")
    acknowledged_by: str | None
    acknowledged_at: UtcDatetime | None
    comment: str | None
    returned_at: UtcDatetime | None
    closed_at: UtcDatetime | None
    latching: bool = Field(description="once over, it has to be acknowledged and reset by hand")
    assigned_to: str | None
    shelved_until: UtcDatetime | None = Field(description="wall time")
    shelved_once: bool = Field(description="shelved until the condition is over, but no longer than `shelved_until`")
    suppressed_by: list[Suppressor] = Field(description="why it is suppressed by design")
    out_of_service: bool
    chattering: bool = Field(description="raised again and again within a short time (ISA-18.2), as of the last raise")
    stale: bool = Field(description="has stood, for everybody to see, since so long that nobody looks (ISA-18.2)")
    allowed: list[Action] = Field(description="what can be done to it by hand")
    incident_id: UUID | None = Field(default=None, description="the open incident it is of, else the last it was of")
    escalation: EscalationOut | None = Field(default=None, description="while it waits for its acknowledgement")

    @classmethod
    def of(cls, alarm: Alarm, now: datetime, habits: Habits) -> Self:
        """From the alarm itself, at `now` (wall time)."""
        subject = alarm.subject
        of_subject = set(cls.model_fields) & {field.name for field in fields(subject)}
        own = (set(cls.model_fields) & {field.name for field in fields(alarm)}) - of_subject
        return cls(
            **{name: getattr(subject, name) for name in of_subject},
            **{name: getattr(alarm, name) for name in own},
            stale=habits.is_stale(alarm, now),
            allowed=by_hand(alarm.state),
        )


def by_hand(state: AlarmState) -> list[Action]:
    """What an operator can do to an alarm in this state."""
    return [action for action in allowed(state) if action in BY_HAND]


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


Comment = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class Acknowledgement(BaseModel):
    """What an operator says when taking note, or when doing something else to an alarm."""

    comment: str | None = Field(default=None, max_length=1000)


class Remark(BaseModel):
    """A word for the journal."""

    comment: Comment


class Assignment(BaseModel):
    """Who is to see to it; null: nobody in particular any more."""

    assignee: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] | None
    comment: str | None = Field(default=None, max_length=1000)


class Shelving(BaseModel):
    """For how long an alarm is put aside, and why."""

    for_s: float | None = Field(default=None, gt=0, description="seconds; can be left out only with `once`")
    once: bool = Field(default=False, description="until its condition is over, but no longer than `for_s`")
    reason: Comment

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.for_s is None and not self.once:
            raise ValueError("for_s: say for how many seconds, or once: true")
        return self


class SuppressionBody(BaseModel):
    """What is said of a station, or of one of its datastreams, and why."""

    kind: Kind = Field(description="maintenance: gas alarms are suppressed; out_of_service: all alarms")
    station_id: str = Field(max_length=200)
    datastream_id: int | None = Field(default=None, description="null: the whole station")
    for_s: float | None = Field(default=None, gt=0, lt=1e9, description="seconds; maintenance must have an end")
    reason: Comment

    @model_validator(mode="after")
    def _maintenance_ends(self) -> Self:
        if self.kind is Kind.MAINTENANCE and self.for_s is None:
            raise ValueError("for_s: say for how many seconds; maintenance must have an end")
        return self


class SuppressionOut(BaseModel):
    """What is or was in force about a station or a datastream. All times are wall time."""

    id: UUID
    park_id: str
    station_id: str
    datastream_id: int | None
    kind: Kind
    reason: str
    until: UtcDatetime | None
    begun_at: UtcDatetime
    begun_by: str
    ended_at: UtcDatetime | None
    ended_by: str | None = Field(description="null where it ended by itself")
    end_comment: str | None

    @classmethod
    def of(cls, suppression: Suppression) -> Self:
        """From what is stored."""
        return cls(**{name: getattr(suppression, name) for name in cls.model_fields})


class SuppressionPage(BaseModel):
    """Suppressions, the latest first; `next` is the cursor of the next page."""

    items: list[SuppressionOut]
    next: str | None


WhichAlarms = Literal["open", "all", "shelved", "suppressed", "out_of_service"]
Which = Literal["open", "all"]
