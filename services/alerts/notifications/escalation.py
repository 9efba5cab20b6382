"""Who is called for an alarm, and when, until somebody acknowledges it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field

from services.alerts.lifecycle import Alarm, Entry
from services.alerts.notifications.flood import FloodRule
from shared.levels import Colour

ACTION = "call"
"""In the journal."""


class Step(BaseModel):
    """A role that is called when an alarm has waited so long for its acknowledgement."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$", examples=["shift_leader"])
    after_s: float = Field(ge=0, le=7 * 86_400)
    lowest: Colour = Field(default=Colour.BLUE, description="not called for lower ones")


DEFAULT_STEPS = (
    Step(role="operator", after_s=0),
    Step(role="shift_leader", after_s=300),
    Step(role="duty_manager", after_s=600, lowest=Colour.YELLOW),
    Step(role="province", after_s=1800, lowest=Colour.ORANGE),
)
"""This system's default: an operator answers within five to ten minutes, the province hears within thirty."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An alarm that nobody has acknowledged. `since` is wall time; `called` are the roles that know of it already."""

    alarm_id: UUID
    incident_id: UUID | None
    colour: Colour
    since: datetime
    called: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Call:
    """One role is called about alarms of one incident; `colour` is their highest."""

    role: str
    after_s: float
    incident_id: UUID | None
    colour: Colour
    alarms: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now, the highest colour first, and when to look at each alarm again: None until it changes."""

    calls: tuple[Call, ...]
    again: Mapping[UUID, datetime | None]


def plan(
    waiting: Iterable[Waiting],
    steps: Sequence[Step],
    rule: FloodRule,
    last: Mapping[tuple[UUID | None, str], datetime],
    now: datetime,
    *,
    flood: bool,
) -> Plan:
    """Who is to be called now for these alarms of one park.

    Alarms of one incident that are due for one role make one call. In a flood a role is called about one incident no
    more often than `rule.hold_s` allows (`last` tells when it was), unless one of the alarms has `rule.at_once` or
    above, or has waited for as long itself; those that wait stay due and come with the next call, so none is lost.
    """
    everybody = list(waiting)
    due: defaultdict[tuple[UUID | None, Step], list[Waiting]] = defaultdict(list)
    for one in everybody:
        for step in _open_steps(one, steps):
            if _due_at(one, step) <= now:
                due[one.incident_id, step].append(one)
    calls: list[Call] = []
    held: dict[tuple[UUID, str], datetime] = {}
    for (incident_id, step), alarms in due.items():
        colour = max((one.colour for one in alarms), key=lambda at: at.rank)
        before = last.get((incident_id, step.role))
        since = min(_due_at(one, step) for one in alarms)
        until = min(before, since) + timedelta(seconds=rule.hold_s) if before is not None else now
        if flood and until > now and colour.rank < rule.at_once.rank:
            held |= {(one.alarm_id, step.role): until for one in alarms}
            continue
        ordered = sorted(alarms, key=lambda one: (-one.colour.rank, one.since, one.alarm_id))
        calls.append(Call(step.role, step.after_s, incident_id, colour, tuple(ordered)))
    calls.sort(key=lambda call: (-call.colour.rank, call.after_s, call.role, str(call.incident_id)))
    told = {(one.alarm_id, call.role) for call in calls for one in call.alarms}
    again: dict[UUID, datetime | None] = {}
    for one in everybody:
        left = [
            held.get((one.alarm_id, step.role), _due_at(one, step))
            for step in _open_steps(one, steps)
            if (one.alarm_id, step.role) not in told
        ]
        again[one.alarm_id] = min(left, default=None)
    return Plan(tuple(calls), again)


def next_call(one: Waiting, steps: Sequence[Step]) -> tuple[Step, datetime] | None:
    """The step that comes next and when it is due; a flood may hold it back. None: everybody was called."""
    due = ((step, _due_at(one, step)) for step in _open_steps(one, steps))
    return min(due, key=lambda step_at: step_at[1], default=None)


def note_call(alarm: Alarm, notification_id: UUID, role: str, now: datetime) -> tuple[Alarm, Entry]:
    """The journal's line that a role was called about the alarm, which stays as it is."""
    number = alarm.entries + 1
    detail: dict[str, Any] = {"role": role, "notification_id": str(notification_id)}
    entry = Entry(
        id=uuid5(alarm.id, str(number)),
        alarm_id=alarm.id,
        number=number,
        action=ACTION,
        told_as=None,
        state_before=alarm.state,
        state_after=alarm.state,
        colour_before=alarm.colour,
        colour_after=alarm.colour,
        peak_colour=alarm.peak_colour,
        raised_at=alarm.raised_at,
        value=alarm.value,
        threshold=alarm.threshold,
        event_time=now,
        recorded_at=now,
        active=alarm.active,
        chattering=alarm.chattering,
        assigned_to=alarm.assigned_to,
        detail=detail,
    )
    return replace(alarm, entries=number), entry


def _open_steps(one: Waiting, steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps if step.role not in one.called and one.colour.rank >= step.lowest.rank]


def _due_at(one: Waiting, step: Step) -> datetime:
    return one.since + timedelta(seconds=step.after_s)
