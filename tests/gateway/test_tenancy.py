"""A key for one park sees nothing of another, on every route."""

import asyncio
from collections import defaultdict
from urllib.parse import quote, urlsplit

import pytest
from fastapi.routing import iter_route_contexts

from services.gateway.routing import API, ROUTES, Service
from services.gateway.scopes import Scope
from services.gateway.tenancy import is_plain, without_park
from tests.gateway.conftest import Door, Keys
from tests.gateway.upstreams import Upstream

PARK_ROUTES = [(route.method, API + route.path) for route in ROUTES if "{park_id}" in route.path]
PARK_ROUTES.append(("PUT", f"{API}/parks/{{park_id}}/registry"))
PARK_ROUTES += [("GET", f"{API}/parks/{{park_id}}/audit{part}") for part in ("", "/export")]


def filled(path: str, park: str) -> str:
    """The path in `park`; any other id in it is made up."""
    made_up = defaultdict(lambda: "x1", park_id=park, cas="7782-50-5")
    return path.format_map(made_up)


def all_asked(upstreams: dict[Service, Upstream]) -> list[str]:
    return [echo.path for upstream in upstreams.values() for echo in upstream.asked]


async def raw(url: str, request: str) -> tuple[int, str]:
    """Send bytes as they are, as a client with ill intent would; the status and all of the answer."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request.replace("\n", "\r\n").encode("latin-1"))
    answer = (await asyncio.wait_for(reader.read(), 10)).decode(errors="replace")
    writer.close()
    return int(answer.split()[1]), answer


async def test_another_park_does_not_exist(door: Door, keys: Keys, upstreams: dict[Service, Upstream]) -> None:
    client = await door.client(await keys.new("north", scopes=[Scope.ADMIN]))
    for method, path in PARK_ROUTES:
        real = await client.request(method, filled(path, "south"))
        invented = await client.request(method, filled(path, "nowhere"))
        assert (real.status_code, invented.status_code) == (404, 404), path
        # Not even the words differ between a park that is there and one that is not.
        volatile = ("instance", "trace_id")
        texts = [
            str({key: value for key, value in answer.json().items() if key not in volatile}).replace(name, "PARK")
            for answer, name in ((real, "south"), (invented, "nowhere"))
        ]
        assert texts[0] == texts[1], path
    assert all_asked(upstreams) == [], "a service was asked"


async def test_the_own_park_is_reached_on_every_route(
    door: Door, keys: Keys, upstreams: dict[Service, Upstream]
) -> None:
    reader, operator = await keys.new("north"), await keys.new("*", scopes=[Scope.ADMIN])
    for route in ROUTES:
        client = await door.client(operator if route.scope is Scope.ADMIN else reader)
        answer = await client.request(route.method, API + filled(route.path, "north"))
        assert answer.status_code == 200, route.path
        echo = answer.json()
        assert (echo["service"], echo["method"], echo["path"]) == (
            route.service,
            route.method,
            filled(route.path, "north"),
        )


async def test_what_is_about_all_parks_takes_a_key_for_all_parks(
    door: Door, keys: Keys, upstreams: dict[Service, Upstream]
) -> None:
    routes = [route for route in ROUTES if route.scope is Scope.ADMIN]
    assert routes
    assert all("{park_id}" not in route.path for route in routes)
    for key in (await keys.new("north", scopes=[Scope.ADMIN]), await keys.new("*", scopes=[Scope.READ, Scope.WRITE])):
        client = await door.client(key)
        for route in routes:
            answer = await client.request(route.method, API + filled(route.path, "north"))
            assert answer.status_code == 403, route.path
    assert all_asked(upstreams) == []


async def test_the_routes_of_the_application_are_those_that_were_walked(door: Door) -> None:
    contexts = iter_route_contexts(door.app.routes)
    routes = {(method, route.path or "") for route in contexts for method in route.methods or ()}
    assert {entry for entry in routes if "park" in entry[1] and entry[1] != "/api/v1/parks"} == set(PARK_ROUTES)


async def test_without_a_key_nothing_is_told(door: Door, upstreams: dict[Service, Upstream]) -> None:
    client = await door.client()
    for method, path in [
        *PARK_ROUTES,
        ("GET", "/api/v1/parks"),
        ("GET", "/api/v1/events"),
        ("GET", "/api/v1/chemicals"),
    ]:
        assert (await client.request(method, filled(path, "north"))).status_code == 401, path
    assert all_asked(upstreams) == []


async def test_the_list_of_parks_is_filtered(door: Door, keys: Keys) -> None:
    for parks in (("north",), ("south", "east"), ("*",), ("nowhere",)):
        client = await door.client(await keys.new(*parks))
        answer = (await client.get("/api/v1/parks")).json()
        shown = {park["id"] for park in answer["items"]}
        assert shown == ({"north", "south", "east"} if "*" in parks else set(parks) - {"nowhere"})
        assert answer["next"] is None


TRICKS = [
    "/api/v1/parks/north/../south/stations",
    "/api/v1/parks/north/%2e%2e/south/stations",
    "/api/v1/parks/north/%2E%2E%2Fsouth/stations",
    "/api/v1/parks/north%2f..%2fsouth/stations",
    "/api/v1/parks/south%2fstations/x",
    "/api/v1/parks//south/stations",
    "/api/v1//parks/south/stations",
    "//api/v1/parks/south/stations",
    "/api/v1/./parks/south/stations",
    "/api/v1/parks/south/./stations",
    "/api/v1/parks/SOUTH/stations",
    "/api/v1/parks/s%6futh/stations",
    "/api/v1/parks/south%00/stations",
    "/api/v1/parks/south;north/stations",
    "/api/v1/parks/south\\stations",
    "/api/v1/parks/north\\..\\south/stations",
    "/api/v1/parks/south/stations/",
    "/api/v1/parks/north%3Fpark_id=south/stations",
    "/api/v1/parks/north/stations%23/../../south",
    "/api/v1/parks/%73outh/stations",
    "/api/v1/parks/*/stations",
    "/api/v1/parks/south,north/stations",
    "/api/v1/parks/\xef\xbd\x93outh/stations",
    "/API/V1/parks/south/stations",
    "/parks/south/stations",
    "/api/v1/../../parks/south/stations",
    "/api/v1/parks/north/runs/%2e%2e",
    "/api/v1/parks/north/alarms/..",
    "/api/v1/parks/north/alarms/a1%3fpark=south",
    "/api/v1/parks/north/alarms/a1%23x",
    "http://other/api/v1/parks/south/stations",
    "/api/v1/parks/south/devices/%E7%94%B2/frames",
    "/api/v1/parks/north/devices/a%2Fb/frames",
    "/api/v1/parks/north/devices/..%2F..%2F..%2Fsouth%2Fdevices%2Fa/frames",
    "/api/v1/parks/north/devices/%2e%2e/frames",
    "/api/v1/parks/north/devices/%2E/../../south/devices",
    "/api/v1/parks/north/devices/%00/frames",
    "/api/v1/parks/north/devices/a%0d%0aX:y/frames",
    "/api/v1/parks/north/devices/%FF/frames",
    "/api/v1/parks/north/devices/%E7%94%B2/frames%3Fmn=x",
    "/api/v1/parks/s%6Futh/devices/%E7%94%B2/frames",
]


@pytest.mark.parametrize(
    "mn",
    [
        "88888880000001",
        "甲-1",
        "a b",
        "a?park_id=south",
        "100%",
        "a%2Fb",
        "%2e%2e",
        "a+b",
        "a,b'c\"",
        "~x:1@y.z",
        "a\\b",
    ],
)
async def test_a_device_is_addressed_by_its_own_number(
    door: Door, keys: Keys, upstreams: dict[Service, Upstream], mn: str
) -> None:
    segment = quote(mn, safe=":@")
    everything = "".join(f"%{byte:02x}" for byte in mn.encode())
    client = await door.client(await keys.new("north"))
    for written in (segment, quote(mn, safe="!'()*"), everything):
        answer = await client.get(f"/api/v1/parks/north/devices/{written}/frames?limit=1")
        assert answer.status_code == 200, answer.text
    assert all_asked(upstreams) == [f"/parks/north/devices/{segment}/frames"] * 3


async def test_no_way_of_writing_the_path_leads_to_another_park(
    door: Door, keys: Keys, upstreams: dict[Service, Upstream]
) -> None:
    key = await keys.new("north")
    for path in TRICKS:
        status, answer = await raw(
            door.url, f"GET {path} HTTP/1.1\nHost: x\nAuthorization: Bearer {key}\nConnection: close\n\n"
        )
        assert status in (400, 404), (path, answer)
        assert all_asked(upstreams) == [], path


OUTSIDE_THE_TABLE = [
    "/api/v1/facts/alarms",
    "/api/v1/datastreams",
    "/api/v1/devices/unknown",
    "/api/v1/health/ready",
    "/api/v1/metrics",
    "/api/v1/parks/north/unheard-of",
    "/facts/alarms",
    "/datastreams",
    "/devices/unknown",
    "/openapi.json",
]


async def test_what_is_not_in_the_table_is_not_reached(
    door: Door, keys: Keys, upstreams: dict[Service, Upstream]
) -> None:
    client = await door.client(await keys.new("*", scopes=[Scope.ADMIN]))
    for path in OUTSIDE_THE_TABLE:
        for method in ("GET", "POST"):
            answer = await client.request(method, path)
            assert answer.status_code == 404, path
            assert answer.headers["content-type"] == "application/problem+json"
    assert all_asked(upstreams) == []


async def test_another_method_is_told_apart_from_another_path(door: Door, keys: Keys) -> None:
    client = await door.client(await keys.new("north"))
    answer = await client.delete("/api/v1/parks/north/stations")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_park_of_the_query_is_not_trusted(door: Door, keys: Keys, upstreams: dict[Service, Upstream]) -> None:
    client = await door.client(await keys.new("north"))
    query = "limit=5&park_id=south&par%6b_id=south&PARK_ID=south&after=a%26b"
    answer = await client.get(f"/api/v1/parks/north/alarms?{query}")
    assert answer.json()["query"] == "limit=5&after=a%26b"
    assert (await client.get("/api/v1/events?park_id=south")).status_code == 404
    assert (await client.get("/api/v1/events?park_id=north&park_id=south")).status_code == 404


SMUGGLED = """\
X-Fenceline-Actor: director
x-fenceline-actor: director
X-Fenceline-Park: south
X-Fenceline-Request: page
X-Forwarded-For: 10.0.0.1
X-Original-URL: /parks/south/stations
X-Rewrite-URL: /parks/south/stations
X-HTTP-Method-Override: DELETE
Cookie: fenceline_session=abc; other=1
Forwarded: for=10.0.0.1
Connection: close, X-Fenceline-Actor, Authorization
"""


async def test_headers_do_not_smuggle_anything_in(
    door: Door, keys: Keys, upstreams: dict[Service, Upstream], internal_token: str
) -> None:
    key = await keys.new("north", name="honest")
    status, _ = await raw(
        door.url,
        f"GET /api/v1/parks/north/stations HTTP/1.1\nHost: south\nAuthorization: Bearer {key}\n"
        f"traceparent: 00-{'ab' * 16}-{'cd' * 8}-01\n{SMUGGLED}\n",
    )
    assert status == 200
    [echo] = upstreams[Service.INGEST].asked
    received = dict(echo.headers)
    assert received["x-fenceline-actor"] == "honest"
    assert received["authorization"].startswith("Fenceline-Service ")
    assert internal_token not in str(echo), "the secret does not go over the wire"
    assert received["traceparent"].startswith(f"00-{'ab' * 16}-")
    assert len(echo.headers) == len(received), "no header twice"
    forbidden = ("cookie", "forwarded", "x-fenceline-park", "x-original-url", "x-forwarded-for", "x-rewrite-url")
    assert not set(received) & set(forbidden)
    assert "x-http-method-override" not in received
    assert key not in str(echo)


async def test_a_second_request_hidden_in_a_body_goes_nowhere(
    door: Door, keys: Keys, upstreams: dict[Service, Upstream]
) -> None:
    key = await keys.new("north")
    hidden = "GET /parks/south/stations HTTP/1.1\nHost: x\n\n"
    await raw(
        door.url,
        f"POST /api/v1/parks/north/observations HTTP/1.1\nHost: x\nAuthorization: Bearer {key}\n"
        f"Content-Type: application/json\nContent-Length: 4\nTransfer-Encoding: chunked\nConnection: close\n\n"
        f"0\n\n{hidden}",
    )
    assert "/parks/south/stations" not in all_asked(upstreams)


async def test_two_authorizations_are_not_better_than_one(door: Door, keys: Keys) -> None:
    key, wrong = await keys.new("north"), "fl_wrong_" + "a" * 43
    status, _ = await raw(
        door.url,
        f"GET /api/v1/parks/south/stations HTTP/1.1\nHost: x\nAuthorization: Bearer {wrong}\n"
        f"Authorization: Bearer {key}\nConnection: close\n\n",
    )
    assert status in (401, 404)


@pytest.mark.parametrize("path", ["/", "/api/v1/parks/bohai-demo/stations", "/assets/index-B2x_9.js", "/a:b@c~d/e.f"])
def test_plain_paths(path: str) -> None:
    assert is_plain(path.encode())


@pytest.mark.parametrize("path", ["", "//", "/a//b", "/a/", "/.", "/..", "/a/../b", "/%61", "/a b", "/é", "/a\\b", "a"])
def test_paths_that_are_not_plain(path: str) -> None:
    assert not is_plain(path.encode())


def test_a_query_without_a_park_is_left_as_it_is() -> None:
    assert without_park("start=2026-01-01T00:00:00+08:00&x=1&x=2") == "start=2026-01-01T00:00:00+08:00&x=1&x=2"
