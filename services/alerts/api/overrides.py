"""Rules edited over HTTP: overrides with versions, who and why. What is changed is in force within seconds."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.api.rule_schemas import (
    Draft,
    OverrideBody,
    OverrideNextVersion,
    OverrideOut,
    OverridePage,
    OverrideVersionPage,
)
from services.alerts.api.rules import datastream_of, station_of
from services.alerts.api.state import Resources, State
from services.alerts.api.versions import Before, Limit, Reason, Version, check_version, page_of
from services.alerts.engine.trials import rule_of
from services.alerts.rules import RINGS, Origin, Override
from services.alerts.store import overrides as store
from services.alerts.store import rules as rule_store
from shared.problems import BadRequest, Conflict, NotFound, Unavailable, Unprocessable, responses
from shared.time import utc_now
from shared.vocabulary import observed_properties
from shared.web import actor

router = APIRouter(prefix="/parks/{park_id}/rules/overrides", tags=["rules"])


@router.get("", responses=responses(BadRequest))
async def list_overrides(
    park_id: str, resources: Resources, limit: Limit = 100, cursor: Annotated[UUID | None, Query()] = None
) -> OverridePage:
    """The overrides that were set over the API and are in force. Those of the park file are not among them."""
    async with resources.database.connect() as connection:
        found = await store.page(connection, park_id, limit + 1, cursor)
    shown = [OverrideOut.of(override) for override in found[:limit]]
    return OverridePage(items=shown, next=str(shown[-1].id) if len(found) > limit else None)


@router.post("", status_code=201, responses=responses(Conflict, NotFound, Unprocessable, Unavailable))
async def create_override(
    park_id: str, body: OverrideBody, request: Request, response: Response, resources: Resources
) -> OverrideOut:
    """Override the rule of a property: in the whole park, in a ring, at a station, or of one datastream."""
    origin = Origin("api", uuid4(), 1, actor(request), utc_now(), body.reason)
    override = override_of(resources, park_id, body, origin)
    async with resources.database.begin() as connection:
        await store.lock(connection, park_id, actor(request))
        before = await store.about(connection, park_id, override)
        if before is not None:
            there = before.origin.override_id
            raise Conflict(
                f"There is an override about this already, {there}; change that one.", override_id=str(there)
            )
        if await store.count(connection, park_id) >= store.MOST:
            raise Conflict(f"A park can have {store.MOST} overrides; remove some, or override whole rings.")
        await store.save(connection, park_id, override)
    response.headers["Location"] = f"overrides/{origin.override_id}"
    return OverrideOut.of(override)


@router.get("/{override_id}", responses=responses(NotFound))
async def show_override(park_id: str, override_id: UUID, resources: Resources) -> OverrideOut:
    """One override as it is in force."""
    async with resources.database.connect() as connection:
        return OverrideOut.of(await _existing(connection, park_id, override_id))


@router.put("/{override_id}", responses=responses(NotFound, Conflict))
async def change_override(
    park_id: str, override_id: UUID, body: OverrideNextVersion, request: Request, resources: Resources
) -> OverrideOut:
    """Say something else from now on. The versions before stay readable."""
    async with resources.database.begin() as connection:
        before = await _locked(connection, park_id, override_id, body.version, actor(request))
        origin = Origin("api", override_id, body.version + 1, actor(request), utc_now(), body.reason)
        after = Override(
            before.property_id,
            before.ring,
            before.station_id,
            body.numbers(),
            before.datastream_id,
            origin,
            before.name,
        )
        async with _no_alarm_left_behind(connection, resources, park_id, before):
            await store.save(connection, park_id, after)
    return OverrideOut.of(after)


@router.delete("/{override_id}", status_code=204, responses=responses(NotFound, Conflict))
async def remove_override(
    park_id: str, override_id: UUID, version: Version, reason: Reason, request: Request, resources: Resources
) -> None:
    """Say nothing any more: what is wider counts again. The versions stay readable."""
    async with resources.database.begin() as connection:
        before = await _locked(connection, park_id, override_id, version, actor(request))
        origin = Origin("api", override_id, version + 1, actor(request), utc_now(), reason)
        async with _no_alarm_left_behind(connection, resources, park_id, before):
            await store.remove(connection, park_id, origin)


@router.get("/{override_id}/versions", responses=responses(NotFound))
async def list_versions(
    park_id: str,
    override_id: UUID,
    resources: Resources,
    limit: Limit = 100,
    cursor: Before = None,
) -> OverrideVersionPage:
    """Every version of an override, also of one that was removed: what, who, when and why. The latest first."""
    async with resources.database.connect() as connection:
        found = await store.VERSIONS.page(connection, park_id, override_id, limit + 1, cursor)
    if not found and cursor is None:
        raise _not_found(park_id, override_id)
    return OverrideVersionPage.model_validate(page_of(found, limit, "numbers"))


def override_of(resources: State, park_id: str, body: Draft, origin: Origin) -> Override:
    """What the body asks for; raises a problem where it is about something that is not there."""
    known = observed_properties()[body.property_id]
    if not known.is_in_the_air:
        raise Unprocessable(f"property_id: no alarm rests on {body.property_id}, which is of the kind {known.kind}.")
    if body.ring is not None and body.ring not in RINGS:
        raise Unprocessable(f"ring: no alarm rests on stations for {body.ring}; the rings are {', '.join(RINGS)}.")
    if body.station_id is not None:
        station_of(resources, park_id, body.station_id)
    if body.datastream_id is not None:
        measures = datastream_of(resources, park_id, body.datastream_id).property_id
        if measures != body.property_id:
            raise Unprocessable(f"property_id: the datastream {body.datastream_id} measures {measures}.")
    return Override(body.property_id, body.ring, body.station_id, body.numbers(), body.datastream_id, origin, body.name)


async def _existing(connection: AsyncConnection, park_id: str, override_id: UUID) -> Override:
    found = await store.one(connection, park_id, override_id)
    if found is None:
        raise _not_found(park_id, override_id)
    return found


async def _locked(connection: AsyncConnection, park_id: str, override_id: UUID, version: int, who: str) -> Override:
    """The override under the park's lock; raises Conflict where `version` is not the one in force."""
    await _existing(connection, park_id, override_id)
    await store.lock(connection, park_id, who)
    found = await _existing(connection, park_id, override_id)
    check_version("override", found.origin, version)
    return found


@asynccontextmanager
async def _no_alarm_left_behind(
    connection: AsyncConnection, resources: State, park_id: str, changed: Override
) -> AsyncIterator[None]:
    """Change an override; raises Conflict where that takes away the rule under which an alarm stands.

    Nothing would be left to tell when such an alarm is over.
    """
    standing = await rule_store.standing_under(connection, park_id, f"{changed.name}.{changed.property_id}")
    has_rule = await _having_rule(connection, resources, park_id, changed.name, standing) if standing else set()
    yield
    if has_rule:
        lost = has_rule - await _having_rule(connection, resources, park_id, changed.name, standing)
        if lost:
            raise Conflict(
                "Alarms stand under this rule, which would be there no more. Give it levels above the readings first, "
                "so that they return.",
                alarms=sorted(str(standing[datastream_id]) for datastream_id in lost)[:20],
            )


async def _having_rule(
    connection: AsyncConnection, resources: State, park_id: str, name: str, datastream_ids: Iterable[int]
) -> set[int]:
    overrides = await rule_store.overrides_of(connection, park_id)
    found = (resources.registry.datastream(datastream_id) for datastream_id in datastream_ids)
    delays = resources.settings.delays
    return {own.id for own in found if own is not None and rule_of(own, name, overrides, delays) is not None}


def _not_found(park_id: str, override_id: UUID) -> NotFound:
    return NotFound(f"There is no override {override_id} in the park {park_id!r}.")
