"""What the alerts service tells of incidents and policies over HTTP."""

from dataclasses import asdict
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from services.alerts.notifications import Policy
from services.alerts.store.incidents import Incident
from services.alerts.store.policies import KeptPolicy
from shared.levels import Colour
from shared.messages import IncidentReason, IncidentState
from shared.time import UtcDatetime


class IncidentOut(BaseModel):
    """An incident as it stands: the alarms of one event."""

    id: UUID
    park_id: str
    state: IncidentState = Field(description="`settled`: no alarm of it stands; it waits to be closed with a reason")
    colour: Colour = Field(description="the highest that stands; once none stands, the highest that stood")
    peak_colour: Colour
    property_ids: list[str] = Field(description="the gases; none for stations that fell silent")
    station_ids: list[str]
    alarms: int
    active: int = Field(description="alarms that stand and are not hidden")
    unacknowledged: int
    opened_at: UtcDatetime = Field(description="event time of the first raise")
    last_at: UtcDatetime = Field(description="event time of the last raise or return")
    recorded_at: UtcDatetime = Field(description="wall time at which it began here")
    closed_at: UtcDatetime | None
    closed_by: str | None
    reason_kind: IncidentReason | None
    reason: str | None

    @classmethod
    def of(cls, incident: Incident) -> Self:
        """From the incident itself."""
        standing = asdict(incident.standing)
        own = set(cls.model_fields) - set(standing)
        lists = {"property_ids": list(standing["property_ids"]), "station_ids": list(standing["station_ids"])}
        return cls(**(standing | lists), **{name: getattr(incident, name) for name in own})


class IncidentPage(BaseModel):
    """Incidents, the latest first; `next` is the cursor of the next page."""

    items: list[IncidentOut]
    next: str | None


class TimelineEntry(BaseModel):
    """One line: a change of the incident, or (with `alarm_id`) a line of the journal of one of its alarms."""

    id: UUID
    alarm_id: UUID | None
    station_id: str | None
    rule_id: str | None
    what: str = Field(examples=["opened", "grew", "raise", "acknowledge"])
    colour: Colour
    value: float | None
    event_time: UtcDatetime
    recorded_at: UtcDatetime
    actor: str | None
    comment: str | None
    detail: dict[str, Any] | None


class Timeline(BaseModel):
    """What happened, in the order in which it was recorded; `next` is the cursor of the next page."""

    items: list[TimelineEntry]
    next: str | None


class Closing(BaseModel):
    """What an incident was."""

    kind: IncidentReason
    reason: str = Field(min_length=1, max_length=2000)


class PolicyOut(BaseModel):
    """The policy in force, with who said so last and why; version 0 is the default."""

    policy: Policy
    version: int
    updated_by: str | None
    reason: str | None
    updated_at: UtcDatetime | None

    @classmethod
    def of(cls, kept: KeptPolicy) -> Self:
        """From what is kept."""
        return cls(**{name: getattr(kept, name) for name in cls.model_fields})


class PolicyIn(BaseModel):
    """A new policy, whole: what it does not say is as by default."""

    policy: Policy
    reason: str = Field(min_length=1, max_length=1000)
