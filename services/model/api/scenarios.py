"""`/parks/{park_id}/scenarios`: what could be released, kept for each risk source."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.model.api.asking import refuse_impossible
from services.model.api.dependencies import State, Uses
from services.model.runs.request import AtRiskSource, RunRequest
from services.model.store import registry as registry_store
from services.model.store import scenarios as store
from services.model.store.scenarios import Scenario
from shared.problems import NotFound, Unprocessable, responses
from shared.text import BilingualText
from shared.time import UtcDatetime, utc_now
from shared.web import actor

router = APIRouter(prefix="/parks/{park_id}/scenarios", tags=["scenarios"])
ScenarioId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class ScenarioBody(BaseModel):
    """A scenario: a name, and a run of one of the park's risk sources whose release is told."""

    model_config = ConfigDict(extra="forbid")

    name: BilingualText
    request: RunRequest


class ScenarioView(BaseModel):
    """A stored scenario."""

    id: str
    risk_source_id: str
    name: BilingualText
    request: RunRequest
    updated_at: UtcDatetime
    updated_by: str

    @classmethod
    def of(cls, scenario: Scenario) -> ScenarioView:
        """The view of a stored scenario."""
        return cls(**{name: getattr(scenario, name) for name in cls.model_fields})


class ScenarioPage(BaseModel):
    """Scenarios in the order of their ids."""

    items: list[ScenarioView]
    next: str | None = Field(default=None, description="pass it as `cursor` to go on")


@router.put(
    "/{scenario_id}",
    responses={201: {"model": ScenarioView, "description": "new"}, **responses(Unprocessable)},
)
async def put_scenario(
    park_id: str, scenario_id: ScenarioId, body: ScenarioBody, request: Request, response: Response, uses: Uses
) -> ScenarioView:
    """Store a scenario, new or changed. A changed one keeps its atlas until the next is asked for."""
    place = body.request.source
    if not isinstance(place, AtRiskSource):
        raise Unprocessable("request/source: a scenario belongs to a risk source: give its `risk_source_id`.")
    if body.request.estimates_rate:
        raise Unprocessable("request: a scenario tells its release: give `rate_kg_s`, `release` or `vessel`.")
    who = actor(request)
    scenario = Scenario(scenario_id, park_id, place.risk_source_id, body.name, body.request, utc_now(), who)
    async with uses.parts.engine.begin() as connection:
        refuse_impossible(body.request, await registry_store.risk_sources(connection, park_id))
        is_new = await store.put(connection, scenario)
    response.status_code = 201 if is_new else 200
    return ScenarioView.of(scenario)


@router.get("")
async def list_scenarios(
    park_id: str,
    uses: Uses,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str, Query(max_length=64)] = "",
    risk_source_id: Annotated[str | None, Query(max_length=130)] = None,
) -> ScenarioPage:
    """The park's scenarios, of one risk source or of all."""
    async with uses.parts.engine.connect() as connection:
        found = await store.page(connection, park_id, limit + 1, cursor, risk_source_id)
    more = found[limit - 1].id if len(found) > limit else None
    return ScenarioPage(items=[ScenarioView.of(scenario) for scenario in found[:limit]], next=more)


@router.get("/{scenario_id}", responses=responses(NotFound))
async def get_scenario(park_id: str, scenario_id: ScenarioId, uses: Uses) -> ScenarioView:
    """One scenario."""
    return ScenarioView.of(await existing_scenario(uses, park_id, scenario_id))


@router.delete("/{scenario_id}", status_code=204, responses=responses(NotFound))
async def delete_scenario(park_id: str, scenario_id: ScenarioId, uses: Uses) -> None:
    """Delete a scenario and its atlas; what waits of the atlas is cancelled."""
    async with uses.parts.engine.begin() as connection:
        gone = await store.delete(connection, park_id, scenario_id, utc_now())
    if not gone:
        raise NotFound(f"There is no scenario {scenario_id!r} in this park.")


async def existing_scenario(uses: State, park_id: str, scenario_id: str) -> Scenario:
    """The scenario of the park; raises NotFound."""
    async with uses.parts.engine.connect() as connection:
        scenario = await store.get(connection, park_id, scenario_id)
    if scenario is None:
        raise NotFound(f"There is no scenario {scenario_id!r} in this park.")
    return scenario
