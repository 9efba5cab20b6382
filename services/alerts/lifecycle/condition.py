"""What the condition does to its alarm. Every function gives the new alarm and its journal entries."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from services.alerts.lifecycle.alarm import Alarm, Evidence, Step, Subject, advance
from services.alerts.lifecycle.habits import Habits
from services.alerts.lifecycle.hiding import Hold
from services.alerts.lifecycle.transitions import Action
from shared.messages import AlarmState

_NAMESPACE = UUID("8d3f4d4e-7d0c-5b46-9a7b-0e6f2f0a1c55")
WITHDRAWN = "withdrawn: a late reading showed that the condition did not hold"


def open_alarm(
    subject: Subject,
    serial: int,
    evidence: Evidence,
    now: datetime,
    *,
    latching: bool = False,
    raises: tuple[datetime, ...] = (),
    hold: Hold | None = None,
    habits: Habits | None = None,
) -> Step:
    """Raise a new alarm, the `serial`-th of its subject and rule. `now` is wall time.

    `raises` are those of the alarm before it; `hold` says whether it is hidden from the start.
    """
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
        latching=latching,
        raises=raises,
    )
    return _raise(alarm, evidence, now, hold or Hold(), habits or Habits())


def reopen(
    alarm: Alarm, evidence: Evidence, now: datetime, *, hold: Hold | None = None, habits: Habits | None = None
) -> Step:
    """The condition is back before the alarm came to its end: the same alarm goes on."""
    return _raise(alarm, evidence, now, hold or Hold(), habits or Habits(), returned_at=None, withdrawn=False)


def _raise(alarm: Alarm, evidence: Evidence, now: datetime, hold: Hold, habits: Habits, **changes: Any) -> Step:
    raises = (*alarm.raises, evidence.at)[-habits.chattering_raises :]
    chattering = habits.is_chattering(raises)
    if chattering:
        detail = {**(evidence.detail or {}), "chattering_since": raises[0].isoformat()}
        evidence = replace(evidence, detail=detail)
    if not alarm.state.is_hidden:
        changes |= hold.as_changes(alarm)
    return advance(alarm, Action.RAISE, evidence, now, active=True, raises=raises, chattering=chattering, **changes)


def rise(alarm: Alarm, evidence: Evidence, now: datetime) -> Step:
    """A higher level is reached."""
    return advance(alarm, Action.ESCALATE, evidence, now)


def fall(alarm: Alarm, evidence: Evidence, now: datetime) -> Step:
    """A level is left, a lower one still stands."""
    return advance(alarm, Action.DEESCALATE, evidence, now)


def settle(alarm: Alarm, evidence: Evidence, now: datetime) -> Step:
    """The condition is over. The alarm keeps its last colour; it closes if it was acknowledged and does not latch."""
    kept = replace(evidence, colour=alarm.colour)
    return advance(alarm, Action.RETURN, kept, now, active=False, returned_at=evidence.at, **_unshelved(alarm))


def withdraw(alarm: Alarm, evidence: Evidence, now: datetime) -> Step:
    """A late reading showed that the condition never held. Who saw the alarm still has to acknowledge it."""
    kept = replace(evidence, colour=alarm.colour)
    return advance(
        alarm,
        Action.WITHDRAW,
        kept,
        now,
        active=False,
        returned_at=evidence.at,
        withdrawn=True,
        comment=WITHDRAWN,
        **_unshelved(alarm),
    )


def restate(alarm: Alarm, evidence: Evidence, now: datetime) -> Step:
    """A late reading moved the times or the peak of what stands, but not the level."""
    return advance(alarm, Action.REVISE, replace(evidence, colour=alarm.colour), now)


def _unshelved(alarm: Alarm) -> dict[str, Any]:
    """A shelving for one time is over with the condition."""
    return {"shelved_until": None, "shelved_once": False} if alarm.shelved_once else {}
