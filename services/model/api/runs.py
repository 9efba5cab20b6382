"""`/parks/{park_id}/runs`: ask for a computation, follow it, stop it, repeat it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from services.model.api.asking import ask, existing
from services.model.api.dependencies import Uses
from services.model.api.paging import decoded, encoded
from services.model.api.schemas import RunPage
from services.model.runs.merge_patch import merged
from services.model.runs.request import RunRequest
from services.model.runs.result import Run, Trigger
from services.model.store import runs as store
from shared.messages import RunState
from shared.problems import BadRequest, Conflict, NotFound, Unavailable, Unprocessable, responses
from shared.time import UtcDatetime, utc_now
from shared.web import actor

router = APIRouter(prefix="/parks/{park_id}", tags=["runs"])
_ASKED: dict[int | str, dict[str, Any]] = {
    200: {"model": Run, "description": "finished"},
    202: {"model": Run, "description": "in line; read it by its id"},
}


@router.post("/runs", status_code=202, responses={**_ASKED, **responses(Unprocessable, Unavailable)})
async def create_run(park_id: str, body: RunRequest, request: Request, uses: Uses) -> Response:
    """Ask for a run. 200 with the result when it comes within `wait_s`, else 202; then read it by its id.

    What was computed before with the same inputs, model and data is answered at once, and `cached` says so.
    """
    return await ask(uses, park_id, body, actor(request))


@router.get("/runs", responses=responses(BadRequest))
async def list_runs(
    park_id: str,
    uses: Uses,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    state: Annotated[list[RunState] | None, Query()] = None,
    trigger: Annotated[list[Trigger] | None, Query(description="members of an atlas only when named")] = None,
    chemical: Annotated[str | None, Query(max_length=20)] = None,
    risk_source_id: Annotated[str | None, Query(max_length=130)] = None,
    since: Annotated[UtcDatetime | None, Query(description="created at this moment or later")] = None,
    until: Annotated[UtcDatetime | None, Query(description="created before this moment")] = None,
) -> RunPage:
    """The park's runs, newest first, without their results."""
    before: tuple[datetime, UUID] | None = decoded(cursor) if cursor else None
    filters = store.Filters(
        states=state,
        triggers=trigger or store.LISTED,
        chemical=chemical,
        risk_source_id=risk_source_id,
        since=since,
        until=until,
    )
    async with uses.parts.engine.connect() as connection:
        items = await store.page(connection, park_id, limit + 1, before, filters)
    more = encoded(items[limit - 1].created_at, items[limit - 1].id) if len(items) > limit else None
    return RunPage(items=items[:limit], next=more)


@router.get("/runs/{run_id}", response_model=Run, responses=responses(NotFound))
async def get_run(park_id: str, run_id: UUID, uses: Uses) -> Response:
    """One run with its result, or with how far it is."""
    stored = await existing(uses, park_id, run_id)
    return Response(stored.json(), media_type="application/json")


@router.post("/runs/{run_id}/cancel", response_model=Run, responses=responses(NotFound, Conflict))
async def cancel_run(park_id: str, run_id: UUID, uses: Uses) -> Response:
    """Cancel a run: one that waits at once, one that is computed within moments. 409 for one that has ended."""
    async with uses.parts.engine.begin() as connection:
        done = await store.cancel(connection, park_id, run_id, utc_now())
    uses.relay.wake()
    stored = await existing(uses, park_id, run_id)
    if not done:
        raise Conflict(f"The run has ended already: it is {stored.run.state.value}.", state=stored.run.state.value)
    return Response(stored.json(), media_type="application/json")


@router.post(
    "/runs/{run_id}/repeat",
    status_code=202,
    responses={**_ASKED, **responses(NotFound, Unprocessable, Unavailable)},
)
async def repeat_run(
    park_id: str,
    run_id: UUID,
    request: Request,
    uses: Uses,
    changes: Annotated[
        dict[str, Any], Body(description="JSON merge patch (RFC 7396) on the run's request; null takes a field away")
    ],
) -> Response:
    """Ask for the same again, with changes; answered as a new run is."""
    stored = await existing(uses, park_id, run_id)
    document = stored.run.inputs.request.model_dump(mode="json", exclude_unset=True)
    try:
        repeated = RunRequest.model_validate(merged({**document, "wait_s": 0}, changes))
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        raise RequestValidationError(faults) from error
    return await ask(uses, park_id, repeated, actor(request), repeats=run_id)
