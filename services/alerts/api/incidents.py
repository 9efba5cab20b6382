"""Incidents over HTTP: list, look, follow, close; and the park's policy of what belongs together and who is called."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from services.alerts.api.cursors import Cursor, encode, time_and_id, time_number_and_id
from services.alerts.api.incident_schemas import (
    Closing,
    IncidentOut,
    IncidentPage,
    PolicyIn,
    PolicyOut,
    Timeline,
    TimelineEntry,
)
from services.alerts.api.schemas import Which
from services.alerts.api.state import Resources
from services.alerts.store import incident_questions, policies
from services.alerts.store import incidents as store
from shared.messages import IncidentState
from shared.problems import BadRequest, Conflict, NotFound, Unprocessable, responses
from shared.time import utc_now
from shared.web import actor

router = APIRouter(prefix="/parks/{park_id}", tags=["incidents"])


@router.get("/incidents", responses=responses(BadRequest))
async def list_incidents(
    park_id: str,
    resources: Resources,
    state: Annotated[Which, Query(description="`open`: not closed yet")] = "open",
    alarm_id: Annotated[UUID | None, Query(description="only those that have this alarm")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Cursor = None,
) -> IncidentPage:
    """The incidents of a park, the latest first."""
    after = time_and_id(cursor)
    async with resources.database.connect() as connection:
        found = await incident_questions.page(
            connection,
            park_id,
            only_open=state == "open",
            alarm_id=alarm_id,
            limit=limit + 1,
            after=after,
        )
    shown = found[:limit]
    more = encode(shown[-1].recorded_at, shown[-1].id) if len(found) > limit else None
    return IncidentPage(items=[IncidentOut.of(incident) for incident in shown], next=more)


@router.get("/incidents/{incident_id}", responses=responses(NotFound))
async def show_incident(park_id: str, incident_id: UUID, resources: Resources) -> IncidentOut:
    """One incident."""
    async with resources.database.connect() as connection:
        incident = await store.one(connection, park_id, incident_id)
    return IncidentOut.of(_found(incident, park_id, incident_id))


@router.get("/incidents/{incident_id}/timeline", responses=responses(BadRequest, NotFound))
async def show_timeline(
    park_id: str,
    incident_id: UUID,
    resources: Resources,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    cursor: Cursor = None,
) -> Timeline:
    """What happened to an incident and to each of its alarms."""
    after = time_number_and_id(cursor)
    async with resources.database.connect() as connection:
        _found(await store.one(connection, park_id, incident_id), park_id, incident_id)
        rows = await incident_questions.timeline(connection, incident_id, limit + 1, after)
    last = rows[limit - 1] if len(rows) > limit else None
    more = encode(last["recorded_at"], last["id"], last["number"]) if last else None
    return Timeline(items=[TimelineEntry.model_validate(row) for row in rows[:limit]], next=more)


@router.post("/incidents/{incident_id}/close", responses=responses(NotFound, Conflict, Unprocessable))
async def close_incident(
    park_id: str, incident_id: UUID, body: Closing, request: Request, resources: Resources
) -> IncidentOut:
    """Say what an incident was, and close it. 409 while an alarm of it stands, or when it is closed."""
    async with resources.database.begin() as connection:
        await store.lock_parks(connection, [park_id])
        incident = _found(await store.one(connection, park_id, incident_id), park_id, incident_id)
        standing = incident.standing
        if standing.state is IncidentState.ACTIVE:
            raise Conflict(
                f"{standing.active} of the incident's alarms still stand; it can be closed when none does. An alarm "
                "that is shelved or out of service does not count.",
                state=standing.state.value,
                active=standing.active,
            )
        if standing.state is IncidentState.CLOSED:
            raise Conflict(f"The incident was closed by {incident.closed_by}.", state=standing.state.value)
        closed = await store.close(connection, incident, body.kind, body.reason, actor(request), utc_now())
    resources.relay.wake()
    return IncidentOut.of(closed)


@router.get("/alarm-policy")
async def show_policy(park_id: str, resources: Resources) -> PolicyOut:
    """Which alarms of a park belong together, and who is called for them when."""
    async with resources.database.connect() as connection:
        return PolicyOut.of(await policies.kept(connection, park_id))


@router.put("/alarm-policy", responses=responses(Unprocessable))
async def put_policy(park_id: str, body: PolicyIn, request: Request, resources: Resources) -> PolicyOut:
    """Replace the policy of a park. What is grouped already stays so; for who is called it counts at once."""
    async with resources.database.begin() as connection:
        kept = await policies.save(connection, park_id, body.policy, actor(request), body.reason, utc_now())
    return PolicyOut.of(kept)


def _found(incident: store.Incident | None, park_id: str, incident_id: UUID) -> store.Incident:
    if incident is None:
        raise NotFound(f"There is no incident {incident_id} in the park {park_id!r}.")
    return incident
