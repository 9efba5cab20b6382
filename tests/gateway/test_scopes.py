"""Scopes by verb and resource: what covers what, and that every route holds to its own."""

import asyncio
from collections import defaultdict
from itertools import product
from typing import Any

import pytest

from services.gateway.routing import ROUTES
from services.gateway.scopes import Scope, common_parks, common_scopes, covers
from tests.gateway.conftest import Door, Keys
from tests.gateway.test_openapi import operations

OF_A_RESOURCE = [scope for scope in Scope if ":" in scope]


def test_a_verb_covers_every_resource_but_the_audit() -> None:
    for scope in OF_A_RESOURCE:
        verb = scope.partition(":")[2]
        assert covers(frozenset({Scope(verb)}), scope) is (scope is not Scope.AUDIT_READ)
        other = Scope.WRITE if verb == "read" else Scope.READ
        assert not covers(frozenset({other}), scope)
        assert covers(frozenset({Scope.ADMIN}), scope)
        assert not covers(frozenset({scope}), Scope.ADMIN)
        assert not covers(frozenset({scope}), Scope(verb)), "a part is not the whole"


def test_two_sides_together_have_what_both_have() -> None:
    for one, other, asked in product(Scope, Scope, Scope):
        both = common_scopes(frozenset({one}), frozenset({other}))
        assert covers(both, asked) is (covers(frozenset({one}), asked) and covers(frozenset({other}), asked))


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [("*", "a", "a"), ("a", "*", "a"), ("*", "*", "*"), ("ab", "bc", "b"), ("a", "b", "")],
)
def test_parks_in_common(one: str, other: str, both: str) -> None:
    assert common_parks(frozenset(one), frozenset(other)) == frozenset(both)


def test_every_route_takes_a_scope_of_its_resource() -> None:
    required = {(route.method, route.path): route.required() for route in ROUTES}
    assert required["GET", "/parks/{park_id}"] == Scope.PARKS_READ
    assert required["GET", "/parks/{park_id}/stations"] == Scope.PARKS_READ
    assert required["POST", "/parks/{park_id}/observations"] == Scope.OBSERVATIONS_WRITE
    assert required["GET", "/parks/{park_id}/mapping"] == Scope.DEVICES_WRITE
    assert required["POST", "/parks/{park_id}/alarms/{alarm_id}/acknowledge"] == Scope.ALARMS_WRITE
    assert required["PUT", "/parks/{park_id}/alarm-policy"] == Scope.RULES_WRITE
    assert required["GET", "/chemicals/{cas}"] == Scope.RUNS_READ
    assert required["GET", "/refused-facts"] == Scope.ADMIN


async def test_every_route_of_the_document_holds_to_its_scope_and_park(door: Door, keys: Keys) -> None:
    document: dict[str, Any] = (await (await door.client()).get("/api/v1/openapi.json")).json()
    scoped = [
        (method, path, Scope(operation["x-fenceline-scope"]))
        for method, path, operation in operations(document)
        if "x-fenceline-scope" in operation and operation.get("x-fenceline-parks") != "*"
    ]
    assert {path for _, path, _ in scoped} >= {path for path in document["paths"] if "{" in path}
    fine = frozenset(OF_A_RESOURCE)
    for scope in sorted({scope for _, _, scope in scoped}):
        own = await door.client(await keys.new("north", scopes=[scope]))
        lacking = await door.client(await keys.new("north", scopes=fine - {scope}))
        stranger = await door.client()
        for method, path, required in scoped:
            if required is not scope or required is Scope.ADMIN:
                continue
            here, there = (
                path.format_map(defaultdict(lambda: "x1", park_id=park, cas="7782-50-5")) for park in ("north", "south")
            )
            answers = await asyncio.gather(
                own.request(method, here),
                lacking.request(method, here),
                own.request(method, there),
                stranger.request(method, here),
            )
            allowed, without, elsewhere, unknown = (answer.status_code for answer in answers)
            assert allowed not in (401, 403, 404), (method, path)
            assert without == 403, (method, path)
            assert unknown == 401, (method, path)
            if "{park_id}" in path:
                assert elsewhere == 404, (method, path)


async def test_a_stream_of_events_tells_only_the_kinds_that_may_be_read(door: Door, keys: Keys) -> None:
    runs = await door.client(await keys.new("north", scopes=[Scope.RUNS_READ]))
    refused = await runs.get("/api/v1/events?kind=run,alarm")
    assert refused.status_code == 403
    assert "alarms:read" in refused.json()["detail"]
    none = await door.client(await keys.new("north", scopes=[Scope.DEVICES_READ]))
    assert (await none.get("/api/v1/events")).status_code == 403
    async with runs.stream("GET", "/api/v1/events") as stream:
        assert stream.status_code == 200
        [subscriber] = door.gateway.events.hub._subscribers
        assert subscriber.interest.kinds == {"run"}
