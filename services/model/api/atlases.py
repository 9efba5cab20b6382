"""`/parks/{park_id}/scenarios/{scenario_id}/atlas`: a scenario in every wind, computed before it is needed."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from services.model.api.asking import refuse_impossible
from services.model.api.dependencies import State, Uses
from services.model.api.scenarios import ScenarioId, existing_scenario
from services.model.ingest_client import IngestUnavailable, NoMeteorology
from services.model.runs.atlas import Matrix, Wind, distance, member_request, nearest
from services.model.runs.identity import content_key
from services.model.runs.request import RunInputs
from services.model.runs.weather import from_measured
from services.model.store import registry as registry_store
from services.model.store import runs as run_store
from services.model.store import scenarios as store
from services.model.store.runs import NewRun
from services.model.store.scenarios import Atlas, Member, Scenario
from shared.messages import RunState
from shared.problems import Conflict, NotFound, Unavailable, Unprocessable, responses
from shared.time import UtcDatetime, utc_now
from shared.web import actor

router = APIRouter(prefix="/parks/{park_id}/scenarios/{scenario_id}/atlas", tags=["scenarios"])


class AtlasProgress(BaseModel):
    """How many members there are, and how many are in each state; `fraction` of them has ended."""

    total: int
    queued: int
    running: int
    succeeded: int
    failed: int
    cancelled: int
    fraction: float


class AtlasMember(BaseModel):
    """One combination; read its run by `run_id` at `/parks/{park_id}/runs/{run_id}`."""

    run_id: UUID
    wind_from_deg: float
    wind_speed_m_s: float
    stability: float
    state: RunState


class AtlasView(BaseModel):
    """The newest atlas of a scenario. `outdated`: the scenario was changed after the atlas was asked for."""

    scenario_id: str
    created_at: UtcDatetime
    requested_by: str
    outdated: bool
    matrix: Matrix
    progress: AtlasProgress
    members: list[AtlasMember]


class NearestMember(BaseModel):
    """The member for a wind; `distance` 1 is a sector, a third of the speed, or a class of stability away."""

    wind_from_deg: float
    wind_speed_m_s: float
    stability: float
    weather_age_s: float | None = Field(description="null when the wind was given")
    distance: float
    outdated: bool
    member: AtlasMember


@router.post("", status_code=202, responses=responses(NotFound, Unprocessable))
async def create_atlas(
    park_id: str, scenario_id: ScenarioId, matrix: Matrix, request: Request, uses: Uses
) -> AtlasView:
    """Have the atlas computed, while nothing else waits; in place of the one before.

    Members that were computed before, from the same inputs, are there at once.
    """
    scenario = await existing_scenario(uses, park_id, scenario_id)
    atlas = Atlas(uuid4(), matrix, utc_now(), actor(request))
    async with uses.parts.engine.begin() as connection:
        sources = await registry_store.risk_sources(connection, park_id)
        refuse_impossible(scenario.request, sources)
        receptors = await registry_store.receptors(connection, park_id)
        winds = matrix.members()
        requests = [member_request(scenario.request, matrix, wind) for wind in winds]
        keys = [content_key(park_id, one, sources, receptors) for one in requests]
        found = await run_store.computed(connection, [key for key in keys if key])
        runs = [
            NewRun(uuid4(), park_id, "atlas", atlas.requested_by, RunInputs(request=one), key, found.get(key or ""))
            for one, key in zip(requests, keys, strict=True)
        ]
        await store.stop_atlas(connection, park_id, scenario_id, atlas.created_at)
        await run_store.insert_all(connection, runs, atlas.created_at)
        members = [(run.id, wind) for run, wind in zip(runs, winds, strict=True)]
        await store.insert_atlas(connection, park_id, scenario_id, atlas, members)
    return await get_atlas(park_id, scenario_id, uses)


@router.get("", responses=responses(NotFound))
async def get_atlas(park_id: str, scenario_id: ScenarioId, uses: Uses) -> AtlasView:
    """The atlas: how far it is, and its members."""
    scenario = await existing_scenario(uses, park_id, scenario_id)
    atlas, members = await _existing_atlas(uses, scenario)
    return AtlasView(
        scenario_id=scenario.id,
        created_at=atlas.created_at,
        requested_by=atlas.requested_by,
        outdated=scenario.updated_at > atlas.created_at,
        matrix=atlas.matrix,
        progress=_progress(members),
        members=[_view(member) for member in members],
    )


@router.get("/nearest", responses=responses(NotFound, Conflict, Unprocessable, Unavailable))
async def get_nearest_member(
    park_id: str,
    scenario_id: ScenarioId,
    uses: Uses,
    wind_from_deg: Annotated[float | None, Query(ge=0, le=360)] = None,
    wind_speed_m_s: Annotated[float | None, Query(ge=0, le=60)] = None,
    stability: Annotated[float | None, Query(ge=1, le=6)] = None,
) -> NearestMember:
    """The computed member that is nearest to the park's wind now, or to the wind that is given whole."""
    scenario = await existing_scenario(uses, park_id, scenario_id)
    atlas, members = await _existing_atlas(uses, scenario)
    computed = [member for member in members if member.state is RunState.SUCCEEDED]
    if not computed:
        raise Conflict("No member of the atlas is computed yet.", progress=_progress(members).model_dump())
    age_s: float | None = None
    if wind_from_deg is not None and wind_speed_m_s is not None and stability is not None:
        wind = Wind(wind_from_deg, wind_speed_m_s, stability)
    elif wind_from_deg is wind_speed_m_s is stability is None:
        wind, age_s = await _wind_now(uses, scenario)
    else:
        raise Unprocessable("Give wind_from_deg, wind_speed_m_s and stability together, or none of them.")
    found = computed[nearest(wind, [member.wind for member in computed], atlas.matrix.sectors)]
    return NearestMember(
        wind_from_deg=round(wind.wind_from_deg, 1),
        wind_speed_m_s=round(wind.wind_speed_m_s, 2),
        stability=round(wind.stability, 2),
        weather_age_s=age_s,
        distance=round(distance(wind, found.wind, atlas.matrix.sectors), 3),
        outdated=scenario.updated_at > atlas.created_at,
        member=_view(found),
    )


async def _wind_now(uses: State, scenario: Scenario) -> tuple[Wind, float]:
    """The park's wind and its age [s]; weather that a run would refuse is refused here too."""
    async with uses.parts.engine.connect() as connection:
        rows = await registry_store.risk_sources(connection, scenario.park_id)
    place = next((row for row in rows if row.id == scenario.risk_source_id), None)
    if place is None:
        raise Unprocessable(f"The park has no risk source {scenario.risk_source_id!r} any more.")
    now = utc_now()
    try:
        at = await uses.parts.ingest.latest_time(scenario.park_id) or now
        measured = await uses.parts.ingest.weather(scenario.park_id, at)
    except NoMeteorology as error:
        raise Unprocessable(f"The park's stations have no usable weather: {error}. Give the wind.") from error
    except IngestUnavailable as error:
        raise Unavailable(f"The weather of now is not to be had: {error}. Give the wind, or ask again.") from error
    age_s = measured.age_s + max((now - at).total_seconds(), 0.0)
    if age_s > uses.settings.model_met_refuse_s:
        limit_s = uses.settings.model_met_refuse_s
        raise Unprocessable(
            f"The newest weather is {age_s:.0f} s old; more than {limit_s:.0f} s is refused. Give the wind."
        )
    weather = from_measured(measured, place.longitude, place.latitude).weather
    return Wind(weather.wind_from_deg, weather.wind_speed_m_s, weather.stability), round(age_s, 1)


async def _existing_atlas(uses: State, scenario: Scenario) -> tuple[Atlas, list[Member]]:
    async with uses.parts.engine.connect() as connection:
        found = await store.get_atlas(connection, scenario.park_id, scenario.id)
    if found is None:
        raise NotFound(f"No atlas of the scenario {scenario.id!r} was asked for.")
    return found


def _progress(members: list[Member]) -> AtlasProgress:
    counts = {state.value: sum(member.state is state for member in members) for state in RunState}
    ended = sum(member.state.is_final for member in members)
    return AtlasProgress(total=len(members), fraction=round(ended / max(len(members), 1), 4), **counts)


def _view(member: Member) -> AtlasMember:
    wind = member.wind
    return AtlasMember(
        run_id=member.run_id,
        wind_from_deg=wind.wind_from_deg,
        wind_speed_m_s=wind.wind_speed_m_s,
        stability=wind.stability,
        state=member.state,
    )
