"""Alarms over HTTP: list, look."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.alerts.api.cursors import Cursor, encode, time_and_id
from services.alerts.api.schemas import AlarmPage, AlarmWithJournal, JournalEntry, WhichAlarms
from services.alerts.api.shown import shown
from services.alerts.api.state import Resources
from services.alerts.store import alarm_questions as store
from services.alerts.store import journal as journal_store
from shared.problems import BadRequest, NotFound, responses
from shared.time import utc_now

router = APIRouter(prefix="/parks/{park_id}/alarms", tags=["alarms"])


@router.get("", responses=responses(BadRequest))
async def list_alarms(
    park_id: str,
    resources: Resources,
    state: Annotated[WhichAlarms, Query(description="`open`: not closed yet, hidden or not")] = "open",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Cursor = None,
) -> AlarmPage:
    """The alarms of a park, the latest raise first."""
    after = time_and_id(cursor)
    async with resources.database.connect() as connection:
        found = await store.page(connection, park_id, which=state, limit=limit + 1, after=after)
        items = await shown(connection, park_id, found[:limit], utc_now(), resources.settings.habits)
    more = encode(items[-1].raised_at, items[-1].id) if len(found) > limit else None
    return AlarmPage(items=items, next=more)


@router.get("/{alarm_id}", responses=responses(NotFound))
async def show_alarm(park_id: str, alarm_id: UUID, resources: Resources) -> AlarmWithJournal:
    """One alarm with its journal."""
    async with resources.database.connect() as connection:
        alarm = await store.one(connection, park_id, alarm_id)
        if alarm is None:
            raise no_alarm(park_id, alarm_id)
        journal = await journal_store.of_alarm(connection, alarm_id)
        (told,) = await shown(connection, park_id, [alarm], utc_now(), resources.settings.habits)
    entries = [JournalEntry.model_validate(entry) for entry in journal]
    return AlarmWithJournal(**dict(told), journal=entries)


def no_alarm(park_id: str, alarm_id: UUID) -> NotFound:
    """To be raised where there is none."""
    return NotFound(f"There is no alarm {alarm_id} in the park {park_id!r}.")
