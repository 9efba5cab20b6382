"""Transitions of alarms."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from shared.levels import Colour
from shared.messages.base import Message
from shared.time import UtcDatetime


class AlarmState(StrEnum):
    """States of an alarm after ISA-18.2 / IEC 62682; `services/alerts/lifecycle` has the table of transitions."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"
    LATCHED_UNACKNOWLEDGED = "latched_unacknowledged"
    """The condition is over, the rule latches: it must be acknowledged, then reset by hand."""
    LATCHED = "latched"
    SHELVED = "shelved"
    """Put aside by an operator, for a time or once."""
    SUPPRESSED = "suppressed"
    """Suppressed by design: its station is under maintenance, or a higher level of the same datastream stands."""
    OUT_OF_SERVICE = "out_of_service"

    @property
    def is_hidden(self) -> bool:
        """Whether nobody is to be called for it. Its condition is followed, and says what the state is afterwards."""
        return self in (AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE)

    @property
    def needs_acknowledgement(self) -> bool:
        """Whether nobody has taken note of it yet, and somebody should."""
        return self in (
            AlarmState.UNACKNOWLEDGED,
            AlarmState.RETURNED_UNACKNOWLEDGED,
            AlarmState.LATCHED_UNACKNOWLEDGED,
        )


class AlarmTransition(StrEnum):
    """What happened to an alarm."""

    RAISED = "raised"
    ESCALATED = "escalated"
    DEESCALATED = "deescalated"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"
    RESET = "reset"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"
    TAKEN_OUT_OF_SERVICE = "taken_out_of_service"
    RETURNED_TO_SERVICE = "returned_to_service"
    ASSIGNED = "assigned"
    COMMENTED = "commented"
    CLOSED = "closed"


class AlarmChanged(Message):
    """One transition of one alarm. `transition_id` lets a receiver drop repeats.

    What happens to the condition of a hidden alarm is told too, with its hidden state: whether to call anybody is said
    by `state`, not by `transition`. `active`: the condition stands (None in facts from before it was told).
    """

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
    active: bool | None = None
    chattering: bool = False
    assigned_to: str | None = None
