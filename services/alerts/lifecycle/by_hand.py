"""What an operator does to one alarm. Every function gives the new alarm and its journal entries.

All raise `IllegalTransition` where the state does not allow it. `now` is wall time.
"""

from dataclasses import replace
from datetime import datetime

from services.alerts.lifecycle.alarm import Alarm, Step, advance, as_it_stands
from services.alerts.lifecycle.transitions import Action
from shared.time import iso

TIME_OVER = "the time of the shelving is over"


def acknowledge(alarm: Alarm, actor: str, comment: str | None, now: datetime) -> Step:
    """Somebody has taken note."""
    after, entries = advance(alarm, Action.ACKNOWLEDGE, as_it_stands(alarm, now), now, actor=actor, comment=comment)
    return replace(after, acknowledged_by=actor, acknowledged_at=now, comment=comment), entries


def reset(alarm: Alarm, actor: str, comment: str | None, now: datetime) -> Step:
    """Somebody has seen that all is in order again: a latched alarm ends."""
    return advance(alarm, Action.RESET, as_it_stands(alarm, now), now, actor=actor, comment=comment)


def assign(alarm: Alarm, actor: str, assignee: str | None, comment: str | None, now: datetime) -> Step:
    """Somebody is to see to it; None: nobody in particular any more."""
    evidence = as_it_stands(alarm, now, {"assigned_before": alarm.assigned_to, "assigned_after": assignee})
    return advance(
        alarm,
        Action.ASSIGN,
        evidence,
        now,
        actor=actor,
        comment=comment,
        assigned_to=assignee,
    )


def remark(alarm: Alarm, actor: str, comment: str, now: datetime) -> Step:
    """A word for the journal, also after the end."""
    evidence = as_it_stands(alarm, now)
    return advance(alarm, Action.COMMENT, evidence, now, actor=actor, comment=comment)


def shelve(alarm: Alarm, actor: str, reason: str, until: datetime, now: datetime, *, once: bool = False) -> Step:
    """Put aside until then (wall time), or `once`: until the condition is over, but no longer than that.

    One that is shelved already gets another end.
    """
    evidence = as_it_stands(alarm, now, {"until": iso(until), "once": once})
    return advance(
        alarm,
        Action.SHELVE,
        evidence,
        now,
        actor=actor,
        comment=reason,
        shelved_until=until,
        shelved_once=once,
    )


def unshelve(alarm: Alarm, actor: str | None, comment: str | None, now: datetime) -> Step:
    """Take it up again; without an `actor` because its time is over. What it is now the condition says."""
    return advance(
        alarm,
        Action.UNSHELVE,
        as_it_stands(alarm, now),
        now,
        actor=actor,
        comment=comment,
        shelved_until=None,
        shelved_once=False,
    )
