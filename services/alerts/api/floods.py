"""Floods and calls over HTTP."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from services.alerts.api.cursors import Cursor, encode, time_and_id
from services.alerts.api.flood_schemas import FloodOut, FloodPage, FloodStatus, NotificationOut, NotificationPage
from services.alerts.api.incident_schemas import IncidentOut
from services.alerts.api.state import Resources
from services.alerts.store import floods, incident_questions, policies
from services.alerts.store import waiting as calls
from shared.problems import BadRequest, responses
from shared.time import utc_now

router = APIRouter(prefix="/parks/{park_id}", tags=["incidents"])


@router.get("/flood")
async def show_flood(
    park_id: str, resources: Resources, limit: Annotated[int, Query(ge=1, le=200, description="incidents")] = 50
) -> FloodStatus:
    """Whether more alarms come than operators can look at, and the incidents that they are of."""
    now = utc_now()
    async with resources.database.connect() as connection:
        rule = (await policies.of_park(connection, park_id)).flood
        flood = (await floods.open_of(connection, [park_id])).get(park_id)
        counts = await floods.calls(connection, park_id, now - timedelta(seconds=rule.window_s), now)
        found, all_of_them = await incident_questions.pressing(connection, park_id, limit)
    return FloodStatus(
        in_flood=flood is not None,
        began_at=flood.began_at if flood is not None else None,
        at=now,
        window_s=rule.window_s,
        operators=rule.operators,
        begins_above=rule.begins_above * rule.operators,
        ends_below=rule.ends_below * rule.operators,
        alarms=counts,
        incidents=[IncidentOut.of(incident) for incident in found],
        more_incidents=all_of_them - len(found),
    )


@router.get("/floods")
async def list_floods(park_id: str, resources: Resources, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> FloodPage:
    """The latest floods of a park."""
    now = utc_now()
    async with resources.database.connect() as connection:
        found = await floods.latest(connection, park_id, limit)
        items = [
            FloodOut(
                id=flood.id,
                began_at=flood.began_at,
                ended_at=flood.ended_at,
                alarms=await floods.calls(connection, park_id, flood.counted_from, flood.ended_at or now),
            )
            for flood in found
        ]
    return FloodPage(items=items)


@router.get("/notifications", responses=responses(BadRequest))
async def list_notifications(
    park_id: str,
    resources: Resources,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Cursor = None,
) -> NotificationPage:
    """Who was called about which alarms, the latest first."""
    async with resources.database.connect() as connection:
        rows = await calls.page(connection, park_id, limit + 1, time_and_id(cursor))
    shown = rows[:limit]
    more = encode(shown[-1]["recorded_at"], shown[-1]["id"]) if len(rows) > limit else None
    return NotificationPage(items=[NotificationOut.model_validate(row) for row in shown], next=more)
