"""One alarm, and what each action does to it. Every function gives the new alarm and its journal entries.

Ids are computed, not drawn: the same history gives the same ids, so that whoever receives a transition twice can drop
the repeat.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from services.alerts.lifecycle.transitions import Action, next_state
from shared.levels import Colour
from shared.messages import AlarmState, AlarmTransition
from shared.text import BilingualText

_NAMESPACE = UUID("8d3f4d4e-7d0c-5b46-9a7b-0e6f2f0a1c55")

_TOLD_AS = {
    Action.RAISE: AlarmTransition.RAISED,
    Action.ESCALATE: AlarmTransition.ESCALATED,
    Action.DEESCALATE: AlarmTransition.DEESCALATED,
    Action.RETURN: AlarmTransition.RETURNED,
    Action.ACKNOWLEDGE: AlarmTransition.ACKNOWLEDGED,
    Action.WITHDRAW: AlarmTransition.RETURNED,
}
"""How subscribers hear of an action. A revision that changes neither state nor colour is for the journal alone."""


WITHDRAWN = "withdrawn: a late reading showed that the condition did not hold"


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alarm is about: a datastream (level rules) or a station (silence) and its rule."""

    park_id: str
    station_id: str
    station_name: BilingualText
    ring: str
    rule_id: str
    datastream_id: int | None = None
    property_id: str | None = None
    unit: str | None = None

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


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as it stands. `serial` counts the alarms of one subject and rule, `entries` its journal entries."""

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
    actor: str | None = None
    comment: str | None = None
    detail: dict[str, Any] | None = None


Step = tuple[Alarm, list[Entry]]


def open_alarm(subject: Subject, serial: int, evidence: Evidence, now: datetime) -> Step:
    """Raise a new alarm, the `serial`-th of its subject and rule. `now` is wall time."""
    alarm = Alarm(
        id=uuid5(_NAMESPACE, f"{subject.rule_id}|{subject.key}|{serial}"),
        subject=subject,
        serial=serial,
        entries=0,
        state=AlarmState.NORMAL,
        active=False,
        colour=evidence.colour,
        peak_colour=evidence.colour,
        value=evidence.value,
        peak_value=evidence.peak_value,
        threshold=evidence.threshold,
        raised_at=evidence.at,
        changed_at=evidence.at,
        recorded_at=now,
    )
    return _advance(alarm, Action.RAISE, evidence, now, active=True)


def reopen(alarm: Alarm, evidence: Evidence, now: datetime) -> Step:
    """The condition is back before the alarm's return was acknowledged: the same alarm goes on."""
    return _advance(alarm, Action.RAISE, evidence, now, active=True, returned_at=None, withdrawn=False)


def rise(alarm: Alarm, evidence: Evidence, now: datetime) -> Step:
    """A higher level is reached."""
    return _advance(alarm, Action.ESCALATE, evidence, now)


def fall(alarm: Alarm, evidence: Evidence, now: datetime) -> Step:
    """A level is left, a lower one still stands."""
    return _advance(alarm, Action.DEESCALATE, evidence, now)


def settle(alarm: Alarm, evidence: Evidence, now: datetime) -> Step:
    """The condition is over. The alarm keeps its last colour; it closes if it was acknowledged."""
    kept = replace(evidence, colour=alarm.colour)
    return _advance(alarm, Action.RETURN, kept, now, active=False, returned_at=evidence.at)


def withdraw(alarm: Alarm, evidence: Evidence, now: datetime) -> Step:
    """A late reading showed that the condition never held. Who saw the alarm still has to acknowledge it."""
    kept = replace(evidence, colour=alarm.colour)
    return _advance(
        alarm,
        Action.WITHDRAW,
        kept,
        now,
        active=False,
        returned_at=evidence.at,
        withdrawn=True,
        comment=WITHDRAWN,
    )


def restate(alarm: Alarm, evidence: Evidence, now: datetime) -> Step:
    """A late reading moved the times or the peak of what stands, but not the level."""
    return _advance(alarm, Action.REVISE, replace(evidence, colour=alarm.colour), now)


def acknowledge(alarm: Alarm, actor: str, comment: str | None, now: datetime) -> Step:
    """Somebody has taken note; raises `IllegalTransition`."""
    evidence = Evidence(now, alarm.colour, alarm.value, alarm.peak_value, alarm.threshold)
    after, entries = _advance(alarm, Action.ACKNOWLEDGE, evidence, now, actor=actor, comment=comment)
    return replace(after, acknowledged_by=actor, acknowledged_at=now, comment=comment), entries


def _advance(
    alarm: Alarm,
    action: Action,
    evidence: Evidence,
    now: datetime,
    *,
    actor: str | None = None,
    comment: str | None = None,
    **changes: Any,
) -> Step:
    state = next_state(alarm.state, action)
    if state is AlarmState.UNACKNOWLEDGED and action in (Action.RAISE, Action.ESCALATE):
        changes |= {"acknowledged_by": None, "acknowledged_at": None, "comment": None}
    if state is AlarmState.NORMAL:
        changes["closed_at"] = now
    peaks = [peak for peak in (alarm.peak_value, evidence.peak_value) if peak is not None]
    after = replace(
        alarm,
        state=state,
        colour=evidence.colour,
        peak_colour=max(alarm.peak_colour, evidence.colour, key=lambda colour: colour.rank),
        value=evidence.value,
        peak_value=max(peaks, default=None),
        threshold=evidence.threshold,
        changed_at=evidence.at,
        **changes,
    )
    told = {action.value: _TOLD_AS.get(action)}
    if state is AlarmState.NORMAL:
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
            actor=actor,
            comment=comment,
            detail=evidence.detail,
        )
        for offset, (name, transition) in enumerate(told.items(), start=1)
    ]
    return replace(after, entries=alarm.entries + len(entries)), entries
