"""Alarms over HTTP: list, look, acknowledge."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from services.alerts.api.schemas import (
    Acknowledgement,
    AlarmOut,
    AlarmPage,
    AlarmWithJournal,
    JournalEntry,
    Which,
)
from services.alerts.api.state import Resources
from services.alerts.engine.effects import count_transitions
from services.alerts.lifecycle import Action, IllegalTransition, acknowledge
from services.alerts.store import alarms as store
from shared.problems import BadRequest, Conflict, NotFound, responses
from shared.web import actor

router = APIRouter(prefix="/parks/{park_id}/alarms", tags=["alarms"])
_BY_HAND = (Action.ACKNOWLEDGE,)


@router.get("", responses=responses(BadRequest))
async def list_alarms(
    park_id: str,
    resources: Resources,
    state: Annotated[Which, Query(description="`open`: not closed yet")] = "open",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> AlarmPage:
    """The alarms of a park, the latest raise first."""
    try:
        after = store.Place.decode(cursor) if cursor is not None else None
    except ValueError as error:
        raise BadRequest(f"cursor: {error}") from error
    async with resources.database.connect() as connection:
        found = await store.page(connection, park_id, only_open=state == "open", limit=limit + 1, after=after)
    shown = found[:limit]
    more = store.Place(shown[-1].raised_at, shown[-1].id).encode() if len(found) > limit else None
    return AlarmPage(items=[AlarmOut.of(alarm) for alarm in shown], next=more)


@router.get("/{alarm_id}", responses=responses(NotFound))
async def show_alarm(park_id: str, alarm_id: UUID, resources: Resources) -> AlarmWithJournal:
    """One alarm with its journal."""
    async with resources.database.connect() as connection:
        alarm = await store.one(connection, park_id, alarm_id)
        if alarm is None:
            raise _not_found(park_id, alarm_id)
        journal = await store.journal_of(connection, alarm_id)
    shown = AlarmWithJournal.of(alarm)
    shown.journal = [JournalEntry.model_validate(entry) for entry in journal]
    return shown


@router.post("/{alarm_id}/acknowledge", responses=responses(NotFound, Conflict))
async def acknowledge_alarm(
    park_id: str, alarm_id: UUID, request: Request, resources: Resources, body: Acknowledgement | None = None
) -> AlarmOut:
    """Take note of an alarm. One that has returned is closed by it; 409 where the state does not allow it."""
    comment = body.comment if body is not None else None
    async with resources.database.begin() as connection:
        alarm = await store.lock(connection, park_id, alarm_id)
        if alarm is None:
            raise _not_found(park_id, alarm_id)
        try:
            after, entries = acknowledge(alarm, actor(request), comment, datetime.now(UTC))
        except IllegalTransition as illegal:
            can = [action.value for action in illegal.allowed if action in _BY_HAND]
            raise Conflict(
                f"The alarm is {alarm.state}; by hand it can {', '.join(can) or 'do nothing'}.",
                state=alarm.state.value,
                allowed=can,
            ) from illegal
        await store.save(connection, {after.id: after}, entries)
    resources.relay.wake()
    count_transitions(entries)
    return AlarmOut.of(after)


def _not_found(park_id: str, alarm_id: UUID) -> NotFound:
    return NotFound(f"There is no alarm {alarm_id} in the park {park_id!r}.")
