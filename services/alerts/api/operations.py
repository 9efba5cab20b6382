"""What operators do to an alarm, over HTTP. What its state does not allow is answered 409, with what it does allow."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, Request

from services.alerts.api.alarms import no_alarm
from services.alerts.api.schemas import Acknowledgement, AlarmOut, Assignment, Remark, Shelving, by_hand
from services.alerts.api.shown import shown
from services.alerts.api.state import Resources, State
from services.alerts.engine.effects import count_transitions, save_changes
from services.alerts.lifecycle import (
    Alarm,
    IllegalTransition,
    Step,
    acknowledge,
    assign,
    remark,
    reset,
    shelve,
    unshelve,
)
from services.alerts.store import alarm_questions
from services.alerts.store import alarms as store
from shared.problems import Conflict, NotFound, Unprocessable, responses
from shared.time import utc_now
from shared.web import actor

router = APIRouter(prefix="/parks/{park_id}/alarms/{alarm_id}", tags=["alarms"])
_PROBLEMS = responses(NotFound, Conflict)


@router.post("/acknowledge", responses=_PROBLEMS)
async def acknowledge_alarm(
    park_id: str, alarm_id: UUID, request: Request, resources: Resources, body: Acknowledgement | None = None
) -> AlarmOut:
    """Take note of an alarm. One that has returned is closed by it, one that latches waits to be reset."""
    return await _do(
        resources, park_id, alarm_id, lambda alarm, now: acknowledge(alarm, actor(request), _said(body), now)
    )


@router.post("/reset", responses=_PROBLEMS)
async def reset_alarm(
    park_id: str, alarm_id: UUID, request: Request, resources: Resources, body: Acknowledgement | None = None
) -> AlarmOut:
    """Close a latched alarm, whose condition is over and which was acknowledged."""
    return await _do(resources, park_id, alarm_id, lambda alarm, now: reset(alarm, actor(request), _said(body), now))


@router.post("/shelve", responses=responses(NotFound, Conflict, Unprocessable))
async def shelve_alarm(
    park_id: str, alarm_id: UUID, request: Request, resources: Resources, body: Shelving
) -> AlarmOut:
    """Put an alarm aside for a time, or once: until its condition is over. Evaluation goes on, nobody is called.

    It ends by itself; the alarm then is what its condition says.
    """
    most = resources.settings.alerts_shelve_most_s
    for_s = body.for_s if body.for_s is not None else most
    if for_s > most:
        raise Unprocessable(f"for_s: an alarm can be shelved for at most {most:g} s.", most_s=most)
    return await _do(
        resources,
        park_id,
        alarm_id,
        lambda alarm, now: shelve(
            alarm, actor(request), body.reason, now + timedelta(seconds=for_s), now, once=body.once
        ),
    )


@router.post("/unshelve", responses=_PROBLEMS)
async def unshelve_alarm(
    park_id: str, alarm_id: UUID, request: Request, resources: Resources, body: Acknowledgement | None = None
) -> AlarmOut:
    """Take a shelved alarm up again before its time is over."""
    return await _do(resources, park_id, alarm_id, lambda alarm, now: unshelve(alarm, actor(request), _said(body), now))


@router.post("/assign", responses=_PROBLEMS)
async def assign_alarm(
    park_id: str, alarm_id: UUID, request: Request, resources: Resources, body: Assignment
) -> AlarmOut:
    """Say who is to see to an alarm."""
    return await _do(
        resources,
        park_id,
        alarm_id,
        lambda alarm, now: assign(alarm, actor(request), body.assignee, body.comment, now),
    )


@router.post("/comment", responses=_PROBLEMS)
async def comment_on_alarm(
    park_id: str, alarm_id: UUID, request: Request, resources: Resources, body: Remark
) -> AlarmOut:
    """Write a word into the journal of an alarm, also of one that is closed."""
    return await _do(resources, park_id, alarm_id, lambda alarm, now: remark(alarm, actor(request), body.comment, now))


async def _do(resources: State, park_id: str, alarm_id: UUID, step: Callable[[Alarm, datetime], Step]) -> AlarmOut:
    now = utc_now()
    async with resources.database.begin() as connection:
        found = await alarm_questions.one(connection, park_id, alarm_id)
        if found is None:
            raise no_alarm(park_id, alarm_id)
        # All of the subject, in the order in which everybody locks them: what is done to one may concern another.
        standing = await store.lock_open(connection, [found.subject.key])
        alarm = next((alarm for alarm in standing if alarm.id == alarm_id), None)
        alarm = alarm or await store.lock(connection, park_id, alarm_id) or found
        try:
            after, entries = step(alarm, now)
        except IllegalTransition as illegal:
            can = [action.value for action in by_hand(illegal.state)]
            raise Conflict(
                f"The alarm is {alarm.state}; by hand it can {', '.join(can) or 'do nothing'}.",
                state=alarm.state.value,
                allowed=can,
            ) from illegal
        written, told = await save_changes(connection, standing, {after.id: after}, entries, now)
        (answer,) = await shown(connection, park_id, [written[alarm_id]], now, resources.settings.habits)
    resources.relay.wake()
    count_transitions(told)
    return answer


def _said(body: Acknowledgement | None) -> str | None:
    return body.comment if body is not None else None
