"""Asking for a run: what is refused at once, what is answered from what was computed, what goes in line."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

from fastapi import Response

from services.model.api.dependencies import State
from services.model.chemicals import UnknownChemical, chemical
from services.model.queueing import ring
from services.model.runs.identity import content_key
from services.model.runs.request import AtRiskSource, AtSuspicion, RunInputs, RunRequest, require_near
from services.model.store import attempts
from services.model.store import registry as registry_store
from services.model.store import runs as store
from services.model.store.registry import RiskSourceRow
from services.model.store.runs import NewRun, Stored
from shared.problems import NotFound, Unavailable, Unprocessable
from shared.time import utc_now
from shared.vocabulary import property_of_cas

_LOOK_S = 0.05
_LOWEST_SHARE = 1e-4


async def ask(
    uses: State, park_id: str, request: RunRequest, requested_by: str, repeats: UUID | None = None
) -> Response:
    """Answer with the finished run (200) when its result is there or comes within `wait_s`, else with what waits (202).

    Raises Unprocessable for what no worker could compute, Unavailable when too many runs wait.
    """
    run_id, now = uuid4(), utc_now()
    inputs = RunInputs(request=request)
    async with uses.parts.engine.begin() as connection:
        sources = await registry_store.risk_sources(connection, park_id)
        refuse_impossible(request, sources)
        key = content_key(park_id, request, sources, await registry_store.receptors(connection, park_id))
        found = (await store.computed(connection, [key])).get(key) if key else None
        if found is None:
            counts, _ = await attempts.census(connection, now)
            if counts["queued"] >= uses.settings.model_runs_waiting:
                raise Unavailable("Too many runs wait; ask again in a moment.", retry_after_s=10)
        new = NewRun(run_id, park_id, "manual", requested_by, inputs, key, found, repeats)
        await store.insert(connection, new, now)
        stored = await store.get(connection, park_id, run_id) if found else None
    uses.relay.wake()
    if stored is None:
        await ring(uses.parts.queue, run_id, park_id)
        await _wait(uses, run_id, request.wait_s)
        stored = await existing(uses, park_id, run_id)
    return answer(stored, location=f"runs/{run_id}")


async def existing(uses: State, park_id: str, run_id: UUID) -> Stored:
    """The run of the park; raises NotFound."""
    async with uses.parts.engine.connect() as connection:
        stored = await store.get(connection, park_id, run_id)
    if stored is None:
        raise NotFound(f"There is no run {str(run_id)!r} in this park.")
    return stored


def answer(stored: Stored, *, location: str) -> Response:
    """The whole run: 200 when it has ended, else 202. The result goes out as it was stored, unread."""
    status = 200 if stored.run.state.is_final else 202
    return Response(stored.json(), status, {"Location": location}, media_type="application/json")


def refuse_impossible(request: RunRequest, sources: list[RiskSourceRow]) -> None:
    """Raise Unprocessable for what no worker could compute, while the caller is still there."""
    try:
        substance = chemical(request.chemical)
    except UnknownChemical as error:
        raise Unprocessable(str(error.args[0])) from error
    traced = request.estimates_rate or isinstance(request.source, AtSuspicion)
    if traced and property_of_cas(substance.cas) is None:
        raise Unprocessable(f"No station measures {substance.name.en}, so give `rate_kg_s` and a place.")
    if isinstance(request.source, AtRiskSource):
        place = next((row for row in sources if row.id == request.source.risk_source_id), None)
        if place is None:
            raise Unprocessable(f"The park has no risk source {request.source.risk_source_id!r}.")
        try:
            require_near(request.points, place.longitude, place.latitude)
        except ValueError as error:
            raise Unprocessable(str(error)) from error
    lowest = min([*request.levels_mg_m3, substance.endpoint2_mg_m3])
    limit = _LOWEST_SHARE * substance.endpoint2_mg_m3
    if lowest < limit:
        raise Unprocessable(
            f"levels_mg_m3: {lowest:g} is below the limit of {limit:g} mg/m3 (a ten-thousandth of endpoint-2)."
        )


async def _wait(uses: State, run_id: UUID, wait_s: float) -> None:
    deadline = asyncio.get_running_loop().time() + wait_s
    while asyncio.get_running_loop().time() < deadline:
        async with uses.parts.engine.connect() as connection:
            state = await store.state_of(connection, run_id)
        if state is None or state.is_final:
            return
        await asyncio.sleep(_LOOK_S)
