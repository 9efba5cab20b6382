"""One alarm, its journal, and how an action moves it: `advance` gives the new alarm and its journal entries.

Ids are computed, not drawn: the same history gives the same ids, so that whoever receives a transition twice can drop
the repeat.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from services.alerts.lifecycle.transitions import Action, When, next_state
from shared.levels import Colour
from shared.messages import AlarmState, AlarmTransition
from shared.text import BilingualText

_TOLD_AS = {
    Action.RAISE: AlarmTransition.RAISED,
    Action.ESCALATE: AlarmTransition.ESCALATED,
    Action.DEESCALATE: AlarmTransition.DEESCALATED,
    Action.RETURN: AlarmTransition.RETURNED,
    Action.ACKNOWLEDGE: AlarmTransition.ACKNOWLEDGED,
    Action.WITHDRAW: AlarmTransition.RETURNED,
    Action.RESET: AlarmTransition.RESET,
    Action.ASSIGN: AlarmTransition.ASSIGNED,
    Action.COMMENT: AlarmTransition.COMMENTED,
    Action.SHELVE: AlarmTransition.SHELVED,
    Action.UNSHELVE: AlarmTransition.UNSHELVED,
    Action.SUPPRESS: AlarmTransition.SUPPRESSED,
    Action.UNSUPPRESS: AlarmTransition.UNSUPPRESSED,
    Action.TAKE_OUT_OF_SERVICE: AlarmTransition.TAKEN_OUT_OF_SERVICE,
    Action.RETURN_TO_SERVICE: AlarmTransition.RETURNED_TO_SERVICE,
}
"""How subscribers hear of an action. A revision that changes neither state nor colour is for the journal alone."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alarm is about: a datastream (level rules) or a station (silence) and its rule.

    `amount`: the alarm says how much gas there is, not that an instrument is stuck, say.
    """

    park_id: str
    station_id: str
    station_name: BilingualText
    ring: str
    rule_id: str
    datastream_id: int | None = None
    property_id: str | None = None
    unit: str | None = None
    amount: bool = False

    @property
    def key(self) -> str:
        """Unique among subjects; there is at most one open alarm of one key and rule."""
        return self.station_id if self.datastream_id is None else f"datastream:{self.datastream_id}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why: the reading (or silence) at event time `at`, the level it reached, and what else the journal should hold."""

    at: datetime
    colour: Colour
    value: float | None = None
    peak_value: float | None = None
    threshold: float | None = None
    detail: dict[str, Any] | None = None


class Suppressor(StrEnum):
    """Why an alarm is suppressed by design."""

    MAINTENANCE = "maintenance"
    HIGHER_LEVEL = "higher_level"


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as it stands. `serial` counts the alarms of one subject and rule, `entries` its journal entries.

    `raises`: event times of its last raises, with those of the alarms before it; `chattering` as of the last one.
    `shelved_until` is wall time; `shelved_once`: until the condition is over, and no longer than that.
    """

    id: UUID
    subject: Subject
    serial: int
    entries: int
    state: AlarmState
    active: bool
    colour: Colour
    peak_colour: Colour
    value: float | None
    peak_value: float | None
    threshold: float | None
    raised_at: datetime
    changed_at: datetime
    recorded_at: datetime
    withdrawn: bool = False
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    comment: str | None = None
    returned_at: datetime | None = None
    closed_at: datetime | None = None
    latching: bool = False
    raises: tuple[datetime, ...] = ()
    chattering: bool = False
    assigned_to: str | None = None
    shelved_until: datetime | None = None
    shelved_once: bool = False
    suppressed_by: tuple[Suppressor, ...] = ()
    out_of_service: bool = False

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to look at it."""
        return self.closed_at is None


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the journal. `told_as` is the transition that subscribers hear of, None for the journal alone."""

    id: UUID
    alarm_id: UUID
    number: int
    action: str
    told_as: AlarmTransition | None
    state_before: AlarmState
    state_after: AlarmState
    colour_before: Colour | None
    colour_after: Colour
    peak_colour: Colour
    raised_at: datetime
    value: float | None
    threshold: float | None
    event_time: datetime
    recorded_at: datetime
    active: bool
    chattering: bool
    assigned_to: str | None
    actor: str | None = None
    comment: str | None = None
    detail: dict[str, Any] | None = None


Step = tuple[Alarm, list[Entry]]


def as_it_stands(alarm: Alarm, now: datetime, detail: dict[str, Any] | None = None) -> Evidence:
    """The evidence of what somebody does to an alarm: no new reading, but the moment and what was to be seen."""
    return Evidence(now, alarm.colour, alarm.value, alarm.peak_value, alarm.threshold, detail)


def advance(
    alarm: Alarm,
    action: Action,
    evidence: Evidence,
    now: datetime,
    *,
    actor: str | None = None,
    comment: str | None = None,
    **changes: Any,
) -> Step:
    """Do `action` with `changes` of the alarm's fields; raises `IllegalTransition`. `now` is wall time.

    `comment` is the journal's; the alarm's own is what was said at its acknowledgement, and is among the changes.
    """
    peaks = [peak for peak in (alarm.peak_value, evidence.peak_value) if peak is not None]
    seen: dict[str, Any] = {
        "colour": evidence.colour,
        "peak_colour": max(alarm.peak_colour, evidence.colour, key=lambda colour: colour.rank),
        "value": evidence.value,
        "peak_value": max(peaks, default=None),
        "threshold": evidence.threshold,
        "changed_at": evidence.at,
    }
    after = replace(alarm, **(seen | changes))
    state = next_state(alarm.state, action, _holds(after, now))
    closed = state is AlarmState.NORMAL and alarm.state is not AlarmState.NORMAL
    after = replace(after, state=state, closed_at=now if closed else after.closed_at)
    if state.needs_acknowledgement and (alarm.state.is_hidden or action in (Action.RAISE, Action.ESCALATE)):
        after = replace(after, acknowledged_by=None, acknowledged_at=None, comment=None)
    told = {action.value: _TOLD_AS.get(action)}
    if closed:
        told["close"] = AlarmTransition.CLOSED
    entries = [
        Entry(
            id=uuid5(alarm.id, str(alarm.entries + offset)),
            alarm_id=alarm.id,
            number=alarm.entries + offset,
            action=name,
            told_as=transition,
            state_before=alarm.state,
            state_after=state,
            colour_before=None if action is Action.RAISE else alarm.colour,
            colour_after=after.colour,
            peak_colour=after.peak_colour,
            raised_at=after.raised_at,
            value=evidence.value,
            threshold=evidence.threshold,
            event_time=evidence.at,
            recorded_at=now,
            active=after.active,
            chattering=after.chattering,
            assigned_to=after.assigned_to,
            actor=actor,
            comment=comment,
            detail=evidence.detail,
        )
        for offset, (name, transition) in enumerate(told.items(), start=1)
    ]
    return replace(after, entries=alarm.entries + len(entries)), entries


def _holds(alarm: Alarm, now: datetime) -> set[When]:
    """What decides between several states."""
    facts = {
        When.OUT_OF_SERVICE: alarm.out_of_service,
        When.SUPPRESSED: bool(alarm.suppressed_by),
        When.SHELVED: alarm.shelved_until is not None and now < alarm.shelved_until,
        When.ACTIVE: alarm.active,
        When.LATCHING: alarm.latching and not alarm.active and not alarm.withdrawn,
    }
    return {when for when, true in facts.items() if true}
