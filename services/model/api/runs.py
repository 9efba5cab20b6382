"""`/parks/{park_id}/runs`: ask for a computation, and read what became of it."""

from __future__ import annotations

import asyncio
import base64
import binascii
from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request, Response

from services.model.api.dependencies import State, Uses
from services.model.api.schemas import RunPage
from services.model.chemicals import UnknownChemical, chemical
from services.model.queueing import ring
from services.model.runs.request import AtRiskSource, AtSuspicion, RunInputs, RunRequest
from services.model.runs.result import Run
from services.model.store import registry as registry_store
from services.model.store import runs as store
from shared.messages import RunState
from shared.problems import BadRequest, NotFound, Unavailable, Unprocessable, responses
from shared.time import iso, utc_now
from shared.vocabulary import property_of_cas
from shared.web import actor

router = APIRouter(prefix="/parks/{park_id}", tags=["runs"])
_LOOK_S = 0.05


@router.post(
    "/runs",
    status_code=202,
    response_model=Run,
    responses={200: {"model": Run, "description": "finished"}, **responses(Unprocessable, Unavailable)},
)
async def create_run(park_id: str, body: RunRequest, request: Request, response: Response, uses: Uses) -> Run:
    """Ask for a run. 200 with the result when it comes within `wait_s`, else 202; then read it by its id."""
    await _refuse_impossible(park_id, body, uses)
    run_id, now = uuid4(), utc_now()
    async with uses.parts.engine.begin() as connection:
        counts, _ = await store.census(connection, now)
        if counts["queued"] >= uses.settings.model_runs_waiting:
            raise Unavailable("Too many runs wait; ask again in a moment.", retry_after_s=10)
        await store.insert(connection, run_id, park_id, "manual", actor(request), RunInputs(request=body), now)
    uses.relay.wake()
    await ring(uses.parts.queue, run_id, park_id)
    run = await _when_finished(uses, park_id, run_id, body.wait_s)
    response.status_code = 200 if run.state in (RunState.SUCCEEDED, RunState.FAILED) else 202
    response.headers["Location"] = f"runs/{run_id}"
    return run


@router.get("/runs", responses=responses(BadRequest))
async def list_runs(
    park_id: str,
    uses: Uses,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> RunPage:
    """The park's runs, newest first, without their results."""
    before = _decoded(cursor) if cursor else None
    async with uses.parts.engine.connect() as connection:
        items = await store.page(connection, park_id, limit, before)
    more = _encoded(items[-1]) if len(items) == limit else None
    return RunPage(items=items, next=more)


@router.get("/runs/{run_id}", responses=responses(NotFound))
async def get_run(park_id: str, run_id: UUID, uses: Uses) -> Run:
    """One run with its result."""
    return await _existing(uses, park_id, run_id)


async def _refuse_impossible(park_id: str, body: RunRequest, uses: State) -> None:
    """Answer 422 to what no worker could compute, while the caller is still there."""
    try:
        substance = chemical(body.chemical)
    except UnknownChemical as error:
        raise Unprocessable(str(error.args[0])) from error
    traced = body.rate_kg_s is None or isinstance(body.source, AtSuspicion)
    if traced and property_of_cas(substance.cas) is None:
        raise Unprocessable(f"No station measures {substance.name.en}, so give `rate_kg_s` and a place.")
    if isinstance(body.source, AtRiskSource):
        async with uses.parts.engine.connect() as connection:
            rows = await registry_store.risk_sources(connection, park_id)
        if body.source.risk_source_id not in {row.id for row in rows}:
            raise Unprocessable(f"The park has no risk source {body.source.risk_source_id!r}.")
    endpoints = {substance.endpoint1_mg_m3, substance.endpoint2_mg_m3}
    lowest = min([*body.levels_mg_m3, *endpoints])
    if lowest < 1e-4 * substance.endpoint2_mg_m3:
        raise Unprocessable(
            f"levels_mg_m3: {lowest:g} is below the limit of {1e-4 * substance.endpoint2_mg_m3:g} mg/m3 "
            "(a ten-thousandth of endpoint-2)."
        )


async def _when_finished(uses: State, park_id: str, run_id: UUID, wait_s: float) -> Run:
    deadline = asyncio.get_running_loop().time() + wait_s
    while asyncio.get_running_loop().time() < deadline:
        async with uses.parts.engine.connect() as connection:
            if await store.finished(connection, run_id):
                break
        await asyncio.sleep(_LOOK_S)
    return await _existing(uses, park_id, run_id)


async def _existing(uses: State, park_id: str, run_id: UUID) -> Run:
    async with uses.parts.engine.connect() as connection:
        run = await store.get(connection, park_id, run_id)
    if run is None:
        raise NotFound(f"There is no run {str(run_id)!r} in this park.")
    return run


def _encoded(run: Run) -> str:
    return base64.urlsafe_b64encode(f"{iso(run.created_at)} {run.id}".encode()).decode()


def _decoded(cursor: str) -> tuple[datetime, UUID]:
    try:
        time, run_id = base64.urlsafe_b64decode(cursor).decode().split(" ")
        return datetime.fromisoformat(time), UUID(run_id)
    except (binascii.Error, ValueError) as error:
        raise BadRequest("cursor: pass back what `next` gave, unchanged.") from error
