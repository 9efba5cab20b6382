"""Alarms that nobody is to be called for: suppressed by design, out of service, shelved for a time that is over.

What is to be hidden is decided elsewhere (a `Hold` of the station or datastream); here the alarm is made to fit it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.alerts.lifecycle.alarm import Alarm, Entry, Step, Suppressor, advance, as_it_stands
from services.alerts.lifecycle.by_hand import TIME_OVER, unshelve
from services.alerts.lifecycle.transitions import Action
from shared.messages import AlarmState


@dataclass(frozen=True, slots=True)
class Hold:
    """What stands about the station or the datastream of an alarm, and who said why."""

    maintenance: bool = False
    out_of_service: bool = False
    actor: str | None = None
    reason: str | None = None

    def as_changes(self, alarm: Alarm) -> dict[str, Any]:
        """What an alarm that is raised under it gets from it."""
        return {
            "suppressed_by": _with(alarm, Suppressor.MAINTENANCE, self.maintenance),
            "out_of_service": self.out_of_service,
        }


def fit(alarm: Alarm, hold: Hold, now: datetime) -> Step:
    """Make an open alarm what its hold and the time (`now`, wall time) ask for; nothing where it is that already."""
    entries: list[Entry] = []
    if alarm.state is AlarmState.SHELVED and alarm.shelved_until is not None and alarm.shelved_until <= now:
        alarm, more = unshelve(alarm, None, TIME_OVER, now)
        entries += more
    if alarm.is_open and (Suppressor.MAINTENANCE in alarm.suppressed_by) != hold.maintenance:
        alarm, more = suppress(alarm, Suppressor.MAINTENANCE, hold.maintenance, now, hold.actor, hold.reason)
        entries += more
    if alarm.is_open and alarm.out_of_service != hold.out_of_service:
        action = Action.TAKE_OUT_OF_SERVICE if hold.out_of_service else Action.RETURN_TO_SERVICE
        alarm, more = advance(
            alarm,
            action,
            as_it_stands(alarm, now),
            now,
            actor=hold.actor,
            comment=hold.reason,
            out_of_service=hold.out_of_service,
        )
        entries += more
    return alarm, entries


def suppress(
    alarm: Alarm,
    why: Suppressor,
    stands: bool,
    now: datetime,
    actor: str | None = None,
    comment: str | None = None,
    detail: dict[str, Any] | None = None,
) -> Step:
    """One reason to suppress the alarm stands now, or does not any more."""
    return advance(
        alarm,
        Action.SUPPRESS if stands else Action.UNSUPPRESS,
        as_it_stands(alarm, now, {"suppressed_by": why.value, **(detail or {})}),
        now,
        actor=actor,
        comment=comment,
        suppressed_by=_with(alarm, why, stands),
    )


def overshadow(alarms: Iterable[Alarm], now: datetime) -> list[Step]:
    """Suppress the lower level alarms of one datastream while a higher one stands; take up again those that do not.

    Gives what changed. Only alarms that say how much gas there is overshadow and are overshadowed.
    """
    levels = [alarm for alarm in alarms if alarm.is_open and alarm.subject.amount]
    steps: list[Step] = []
    highest: Alarm | None = None  # of those that stand for everybody to see
    for alarm in sorted(levels, key=lambda alarm: alarm.colour.rank, reverse=True):
        by = highest if highest is not None and highest.colour.rank > alarm.colour.rank else None
        suppressed = Suppressor.HIGHER_LEVEL in alarm.suppressed_by
        if (by is not None and not suppressed and _is_seen(alarm)) or (by is None and suppressed):
            detail = {"higher_alarm": str(by.id), "higher_colour": by.colour} if by is not None else None
            steps.append(suppress(alarm, Suppressor.HIGHER_LEVEL, by is not None, now, detail=detail))
            alarm = steps[-1][0]
        if highest is None and _is_seen(alarm):
            highest = alarm
    return steps


def _is_seen(alarm: Alarm) -> bool:
    return alarm.is_open and alarm.active and not alarm.state.is_hidden


def _with(alarm: Alarm, why: Suppressor, stands: bool) -> tuple[Suppressor, ...]:
    return tuple(sorted((set(alarm.suppressed_by) - {why}) | ({why} if stands else set())))
