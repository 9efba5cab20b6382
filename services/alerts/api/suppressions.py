"""Maintenance of stations and alarms out of service, over HTTP: begun with a reason, ended by hand or by time."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request

from services.alerts.api.cursors import Cursor, encode, time_and_id
from services.alerts.api.rules import station_of
from services.alerts.api.schemas import Acknowledgement, SuppressionBody, SuppressionOut, SuppressionPage
from services.alerts.api.state import Resources
from services.alerts.engine.effects import count_transitions, refit
from services.alerts.store import alarms as alarm_store
from services.alerts.store import suppressions as store
from shared.problems import BadRequest, Conflict, NotFound, Unavailable, Unprocessable, responses
from shared.time import utc_now
from shared.web import actor

router = APIRouter(prefix="/parks/{park_id}/suppressions", tags=["alarms"])
_MOST_SUBJECTS = 1000
"""Alarms changed at once; those of a station beyond that follow within seconds."""


@router.get("", responses=responses(BadRequest))
async def list_suppressions(
    park_id: str,
    resources: Resources,
    state: Annotated[Literal["in_force", "all"], Query()] = "in_force",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Cursor = None,
) -> SuppressionPage:
    """Which stations and datastreams of a park are under maintenance or out of service, the latest first."""
    after = time_and_id(cursor)
    async with resources.database.connect() as connection:
        found = await store.page(connection, park_id, only_in_force=state == "in_force", limit=limit + 1, after=after)
    shown = found[:limit]
    more = encode(shown[-1].begun_at, shown[-1].id) if len(found) > limit else None
    return SuppressionPage(items=[SuppressionOut.of(each) for each in shown], next=more)


@router.post("", status_code=201, responses=responses(NotFound, Conflict, Unprocessable, Unavailable))
async def begin_suppression(
    park_id: str, body: SuppressionBody, request: Request, resources: Resources
) -> SuppressionOut:
    """Put a station or a datastream under maintenance, or take it out of service. Evaluation goes on.

    Under maintenance gas alarms are suppressed by design, the station's silence is not; out of service everything is.
    """
    datastreams = station_of(resources, park_id, body.station_id)
    if body.datastream_id is not None and body.datastream_id not in {each.id for each in datastreams}:
        raise Unprocessable(f"datastream_id: the station {body.station_id!r} has no datastream {body.datastream_id}.")
    most = resources.settings.alerts_maintenance_most_s
    if body.kind is store.Kind.MAINTENANCE and body.for_s is not None and body.for_s > most:
        raise Unprocessable(f"for_s: maintenance can last {most:g} s at most.", most_s=most)
    now = utc_now()
    suppression = store.Suppression(
        id=uuid4(),
        park_id=park_id,
        station_id=body.station_id,
        datastream_id=body.datastream_id,
        kind=body.kind,
        reason=body.reason,
        until=now + timedelta(seconds=body.for_s) if body.for_s is not None else None,
        begun_at=now,
        begun_by=actor(request),
    )
    async with resources.database.begin() as connection:
        if not await store.begin(connection, suppression):
            raise Conflict(f"The same is in force already: {body.kind}. End that first.")
        keys = await alarm_store.misfits(connection, now, _MOST_SUBJECTS, body.station_id)
        entries = await refit(connection, keys, now, actor(request), body.reason)
    resources.relay.wake()
    count_transitions(entries)
    return SuppressionOut.of(suppression)


@router.post("/{suppression_id}/end", responses=responses(NotFound, Conflict))
async def end_suppression(
    park_id: str,
    suppression_id: UUID,
    request: Request,
    resources: Resources,
    body: Acknowledgement | None = None,
) -> SuppressionOut:
    """End it before its time. Alarms that stand are to be acknowledged then."""
    comment = body.comment if body is not None else None
    now = utc_now()
    async with resources.database.begin() as connection:
        suppression = await store.lock(connection, park_id, suppression_id)
        if suppression is None:
            raise NotFound(f"There is no suppression {suppression_id} in the park {park_id!r}.")
        if suppression.ended_at is not None:
            raise Conflict("It has ended already.", state="ended", allowed=[])
        ended = await store.end(connection, suppression, actor(request), comment, now)
        keys = await alarm_store.misfits(connection, now, _MOST_SUBJECTS, suppression.station_id)
        entries = await refit(connection, keys, now, actor(request), comment)
    resources.relay.wake()
    count_transitions(entries)
    return SuppressionOut.of(ended)
