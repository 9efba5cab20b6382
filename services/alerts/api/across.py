"""Rules across stations over HTTP, with versions, who and why. What is changed is in force within seconds."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.api.across_schemas import (
    AcrossBody,
    AcrossNextVersion,
    AcrossRuleOut,
    AcrossRulePage,
    AcrossVersionPage,
    EffectiveAcrossRule,
)
from services.alerts.api.rules import station_of
from services.alerts.api.state import Resources, State
from services.alerts.api.versions import Before, Limit, Reason, Version, check_version, page_of
from services.alerts.engine.across_book import condition_of
from services.alerts.rules import Origin
from services.alerts.rules.across import ParkRule
from services.alerts.store import across_rules as store
from services.alerts.store import overrides as override_store
from shared.across import SumOfRatios
from shared.park_file import AcrossRule
from shared.problems import BadRequest, Conflict, NotFound, Unavailable, Unprocessable, responses
from shared.time import utc_now
from shared.web import actor

router = APIRouter(prefix="/parks/{park_id}/rules/across", tags=["rules"])


@router.get("", responses=responses(BadRequest))
async def list_across(
    park_id: str,
    resources: Resources,
    limit: Limit = 100,
    cursor: Annotated[str | None, Query(max_length=64, description="the name after which the page begins")] = None,
) -> AcrossRulePage:
    """The rules across stations that are in force, of the park file and of the API."""
    async with resources.database.connect() as connection:
        rules = (await store.in_force(connection, park_id)).get(park_id, [])
    found = [rule for rule in rules if cursor is None or rule.rule.name > cursor]
    shown = [AcrossRuleOut.of(rule, resources.settings.delays) for rule in found[:limit]]
    return AcrossRulePage(items=shown, next=shown[-1].name if len(found) > limit else None)


@router.post("", status_code=201, responses=responses(Conflict, NotFound, Unprocessable, Unavailable))
async def create_across(
    park_id: str, body: AcrossBody, request: Request, response: Response, resources: Resources
) -> AcrossRuleOut:
    """Make a rule about several stations of the park. It takes the place of the park file's of the same name."""
    check_station(resources, park_id, body)
    origin = Origin("api", uuid4(), 1, actor(request), utc_now(), body.reason)
    rule = ParkRule(park_id, body.rule(), origin)
    async with resources.database.begin() as connection:
        await override_store.lock(connection, park_id, actor(request))
        known = (await store.in_force(connection, park_id)).get(park_id, [])
        for other in known:
            if other.rule.name == rule.rule.name and other.origin.source == "api":
                there = str(other.origin.override_id)
                raise Conflict(f"name: there is a rule of this name already, {there}; change that one.", id=there)
        if len(known) >= store.MOST:
            raise Conflict(f"A park can have {store.MOST} rules across stations; remove some.")
        await store.save(connection, rule)
    response.headers["Location"] = f"across/{origin.override_id}"
    return AcrossRuleOut.of(rule, resources.settings.delays)


@router.get("/{rule_id}", responses=responses(NotFound, Unavailable))
async def show_across(park_id: str, rule_id: UUID, resources: Resources) -> EffectiveAcrossRule:
    """One rule as it is in force: every number with its source, and the stations that it is about now."""
    if not resources.registry.version:
        raise Unavailable("Which stations there are cannot be told: ingest does not answer.")
    async with resources.database.connect() as connection:
        rule = await _existing(connection, park_id, rule_id)
        suspended = await store.suspended(connection, [park_id])
    condition = condition_of(rule, resources.registry, suspended)
    return EffectiveAcrossRule.with_members(rule, resources.settings.delays, condition)


@router.put("/{rule_id}", responses=responses(NotFound, Conflict, Unprocessable, Unavailable))
async def change_across(
    park_id: str, rule_id: UUID, body: AcrossNextVersion, request: Request, resources: Resources
) -> AcrossRuleOut:
    """Say something else from now on. An alarm that stands goes on; delays that run begin anew."""
    check_station(resources, park_id, body)
    async with resources.database.begin() as connection:
        before = await _locked(connection, park_id, rule_id, body.version, actor(request))
        if body.name != before.rule.name:
            raise Unprocessable(f"name: the rule is named {before.rule.name!r}, and keeps its name.")
        origin = Origin("api", rule_id, body.version + 1, actor(request), utc_now(), body.reason)
        after = ParkRule(park_id, body.rule(), origin)
        await store.save(connection, after)
    return AcrossRuleOut.of(after, resources.settings.delays)


@router.delete("/{rule_id}", status_code=204, responses=responses(NotFound, Conflict))
async def remove_across(
    park_id: str, rule_id: UUID, version: Version, reason: Reason, request: Request, resources: Resources
) -> None:
    """Take a rule out of force; its versions stay readable. 409 while its alarm stands."""
    async with resources.database.begin() as connection:
        before = await _locked(connection, park_id, rule_id, version, actor(request))
        standing = await store.standing(connection, park_id, before.rule_id)
        if standing is not None:
            raise Conflict(
                "An alarm stands under this rule. Give it levels above the readings first, so that it returns.",
                alarms=[str(standing)],
            )
        origin = Origin("api", rule_id, version + 1, actor(request), utc_now(), reason)
        await store.remove(connection, park_id, origin)


@router.get("/{rule_id}/versions", responses=responses(NotFound))
async def list_across_versions(
    park_id: str,
    rule_id: UUID,
    resources: Resources,
    limit: Limit = 100,
    cursor: Before = None,
) -> AcrossVersionPage:
    """Every version of a rule, also of one that was removed: what, who, when and why. The latest first."""
    async with resources.database.connect() as connection:
        found = await store.VERSIONS.page(connection, park_id, rule_id, limit + 1, cursor)
    if not found and cursor is None:
        raise _not_found(park_id, rule_id)
    return AcrossVersionPage.model_validate(page_of(found, limit, "rule"))


def check_station(resources: State, park_id: str, body: AcrossRule) -> None:
    """Raises NotFound where the rule is about a station that the park does not have."""
    about = body.condition
    if isinstance(about, SumOfRatios) and about.station is not None:
        station_of(resources, park_id, f"{park_id}.{about.station}")


async def _existing(connection: AsyncConnection, park_id: str, rule_id: UUID) -> ParkRule:
    found = await store.one(connection, park_id, rule_id)
    if found is None:
        raise _not_found(park_id, rule_id)
    return found


async def _locked(connection: AsyncConnection, park_id: str, rule_id: UUID, version: int, who: str) -> ParkRule:
    """The rule under the park's lock; raises Conflict where it is the park file's, or not of this version any more."""
    await _existing(connection, park_id, rule_id)
    await override_store.lock(connection, park_id, who)
    found = await _existing(connection, park_id, rule_id)
    if found.origin.source != "api":
        raise Conflict("The park file says this rule: change it there, or make one of the same name in its place.")
    check_version("rule", found.origin, version)
    return found


def _not_found(park_id: str, rule_id: UUID) -> NotFound:
    return NotFound(f"There is no rule across stations {rule_id} in the park {park_id!r}.")
