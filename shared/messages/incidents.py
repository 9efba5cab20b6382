"""Incidents: the alarms of one event."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from shared.levels import Colour
from shared.messages.base import Message
from shared.time import UtcDatetime


class IncidentState(StrEnum):
    """How an incident stands."""

    ACTIVE = "active"
    SETTLED = "settled"
    """No alarm of it stands any more; somebody has to say what it was."""
    CLOSED = "closed"


class IncidentChange(StrEnum):
    """What happened to an incident."""

    OPENED = "opened"
    GREW = "grew"
    ESCALATED = "escalated"
    SETTLED = "settled"
    RESUMED = "resumed"
    CLOSED = "closed"


class IncidentReason(StrEnum):
    """What an incident was."""

    RELEASE = "release"
    PROCESS_UPSET = "process_upset"
    FALSE_ALARM = "false_alarm"
    INSTRUMENT_FAULT = "instrument_fault"
    COMMUNICATION_FAULT = "communication_fault"
    TEST = "test"
    MAINTENANCE = "maintenance"
    OTHER = "other"


class IncidentChanged(Message):
    """One change of one incident. `change_id` lets a receiver drop repeats.

    `colour` is the highest that stands (once none stands, the highest that stood), `property_ids` are the gases, none
    for an incident of stations that fell silent. `alarms`, `active` and `unacknowledged` count. `at` is event time: of
    the last raise or return; of a closing, wall time.
    """

    version: Literal[1] = 1
    change_id: UUID
    incident_id: UUID
    park_id: str
    change: IncidentChange
    state: IncidentState
    colour: Colour
    peak_colour: Colour
    property_ids: list[str]
    station_ids: list[str]
    alarms: int
    active: int
    unacknowledged: int
    opened_at: UtcDatetime
    at: UtcDatetime
    recorded_at: UtcDatetime
    actor: str | None = None
    reason_kind: IncidentReason | None = None
    reason: str | None = None
