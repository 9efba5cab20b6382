"""Transitions of alarms."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from shared.levels import Colour
from shared.messages.base import Message
from shared.time import UtcDatetime


class AlarmState(StrEnum):
    """ISA-18.2 states of an alarm."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"


class AlarmTransition(StrEnum):
    """What happened to an alarm."""

    RAISED = "raised"
    ESCALATED = "escalated"
    DEESCALATED = "deescalated"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"
    CLOSED = "closed"


class AlarmChanged(Message):
    """One transition of one alarm. `transition_id` lets a receiver drop repeats."""

    version: Literal[1] = 1
    transition_id: UUID
    alarm_id: UUID
    park_id: str
    station_id: str
    datastream_id: int | None
    property_id: str | None
    rule_id: str
    transition: AlarmTransition
    state: AlarmState
    colour: Colour
    peak_colour: Colour
    value: float | None
    unit: str | None
    threshold: float | None
    event_time: UtcDatetime
    recorded_at: UtcDatetime
    raised_at: UtcDatetime
    actor: str | None = None
    comment: str | None = None
