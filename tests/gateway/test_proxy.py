"""Handing requests on and answers back."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from services.gateway import proxy
from services.gateway.routing import Service
from tests.gateway.conftest import Door, Keys, Settings, open_door
from tests.gateway.serving import serving
from tests.gateway.upstreams import Upstream

OBSERVATIONS = "/api/v1/parks/north/observations"
CHUNK = b"x" * 65536


async def test_method_query_body_and_type_go_through(door: Door, keys: Keys) -> None:
    client = await door.client(await keys.new("north"))
    answer = await client.post(f"{OBSERVATIONS}?a=1&a=2", json={"observations": ["氯"]})
    echo = answer.json()
    assert (echo["method"], echo["query"], echo["body"]) == ("POST", "a=1&a=2", '{"observations":["氯"]}')
    headers = dict(echo["headers"])
    assert headers["content-type"] == "application/json"
    assert headers["content-length"] == str(len(echo["body"].encode()))
    assert answer.headers["x-request-id"]
    assert len(answer.headers.get_list("x-request-id")) == len(answer.headers.get_list("date")) == 1


async def test_a_body_of_unknown_length_goes_through(door: Door, keys: Keys) -> None:
    async def body() -> AsyncIterator[bytes]:
        for number in range(5):
            yield b"%d" % number
            await asyncio.sleep(0.01)

    client = await door.client(await keys.new("north"))
    assert (await client.post(OBSERVATIONS, content=body())).json()["body"] == "01234"


def streaming_app(progress: list[int]) -> FastAPI:
    """Takes and gives large bodies bit by bit, and notes how far it has got."""
    app = FastAPI()

    @app.post("/parks/north/observations")
    async def take(request: Request) -> JSONResponse:
        digest, size = hashlib.sha256(), 0
        async for chunk in request.stream():
            digest.update(chunk)
            size += len(chunk)
            progress.append(size)
        return JSONResponse({"sha256": digest.hexdigest(), "bytes": size})

    @app.get("/parks/north/observations")
    async def give() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            for number in range(400):
                progress.append(number)
                yield CHUNK

        return StreamingResponse(chunks(), headers={"Connection": "X-Private", "X-Private": "1", "Set-Cookie": "a=b"})

    @app.get("/parks/north/stations")
    async def unauthorised() -> Response:
        return Response(status_code=401)

    @app.get("/parks/north/latest")
    async def breaks_off() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"half"
            raise RuntimeError("the service fails in the middle")

        return StreamingResponse(chunks())

    @app.get("/parks/north/meteorology")
    async def slow() -> None:
        await asyncio.sleep(1.5)

    @app.get("/parks/north/devices")
    async def busy() -> JSONResponse:
        return JSONResponse({"title": "busy"}, 429, {"Retry-After": "7"}, media_type="application/problem+json")

    return app


async def test_large_bodies_are_streamed_both_ways(settings_of: Settings, keys: Keys, dist: Path) -> None:
    progress: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        for number in range(100):
            if number == 50:
                # Half of it is sent: the service must have begun to read by now.
                for _ in range(200):
                    if progress:
                        break
                    await asyncio.sleep(0.01)
                assert progress, "the gateway holds the body back"
            yield CHUNK

    async with serving(streaming_app(progress)) as [url], open_door(settings_of(ingest_url=url), dist) as door:
        client = await door.client(await keys.new("north"))
        answer = await client.post(OBSERVATIONS, content=body())
        assert answer.json() == {"sha256": hashlib.sha256(CHUNK * 100).hexdigest(), "bytes": 100 * len(CHUNK)}

        progress.clear()
        async with client.stream("GET", OBSERVATIONS) as response:
            assert "set-cookie" not in response.headers
            assert "x-private" not in response.headers, "named in Connection, so for one hop alone"
            first = True
            total = 0
            async for chunk in response.aiter_raw():
                if first:
                    await asyncio.sleep(0.5)
                    assert progress[-1] < 399, "the gateway read ahead of a client that waits"
                    first = False
                total += len(chunk)
        assert total == 400 * len(CHUNK)


async def test_faults_of_a_service(
    settings_of: Settings, keys: Keys, dist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "TIMEOUT", httpx.Timeout(0.5))
    async with serving(streaming_app([])) as [url], open_door(settings_of(ingest_url=url), dist) as door:
        client = await door.client(await keys.new("north"))

        refused = await client.get("/api/v1/parks/north/stations")
        assert refused.status_code == 503, "the caller's key is good; it is the gateway that was refused"

        late = await client.get("/api/v1/parks/north/meteorology")
        assert late.status_code == 504
        assert late.json()["service"] == "ingest"

        busy = await client.get("/api/v1/parks/north/devices")
        assert (busy.status_code, busy.headers["retry-after"]) == (429, "7")

        try:
            answer = await client.get("/api/v1/parks/north/latest")
        except httpx.RemoteProtocolError:
            pass
        else:
            raise AssertionError(f"half an answer was passed off as a whole one: {answer.content!r}")


async def test_a_service_that_is_down_is_named_and_the_rest_goes_on(
    settings_of: Settings, keys: Keys, unused_port: Callable[[], int], internal_token: str, dist: Path
) -> None:
    port = unused_port()
    async with open_door(settings_of(model_url=f"http://127.0.0.1:{port}"), dist) as door:
        client = await door.client(await keys.new("north"))
        down = await client.get("/api/v1/parks/north/runs")
        assert down.status_code == 503
        assert down.headers["content-type"] == "application/problem+json"
        assert int(down.headers["retry-after"]) > 0
        assert down.json()["service"] == "model"
        assert "model" in down.json()["detail"]
        assert (await client.get("/api/v1/parks/north/alarms")).status_code == 200
        assert (await client.get("/api/v1/parks/north/stations")).status_code == 200

        async with serving(Upstream(Service.MODEL, internal_token).app(), port=port):
            assert (await client.get("/api/v1/parks/north/runs")).status_code == 200
        assert (await client.get("/api/v1/parks/north/runs")).status_code == 503


async def test_too_large_a_body_is_refused(door: Door, keys: Keys) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield CHUNK

    client = await door.client(await keys.new("north"))
    for content in (b"x" * (17 * 1024 * 1024), endless()):
        try:
            answer = await client.post(OBSERVATIONS, content=content)
        except httpx.WriteError:  # it stopped listening before we stopped talking
            continue
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"


async def test_an_upload_may_have_any_length(door: Door, keys: Keys) -> None:
    async def table() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield CHUNK

    client = await door.client(await keys.new("north"))
    answer = await client.put("/api/v1/parks/north/uploads/u1", content=table(), timeout=30)
    assert answer.status_code == 200, "other bodies of this size are refused"


async def test_a_client_that_goes_away_in_its_body_leaves_nothing_half_done(
    door: Door, keys: Keys, upstreams: dict[Service, Upstream]
) -> None:
    async def breaks_off() -> AsyncIterator[bytes]:
        yield b'{"observations": ['
        raise RuntimeError("the client dies")

    client = await door.client(await keys.new("north"))
    with contextlib.suppress(RuntimeError):
        await client.post(OBSERVATIONS, content=breaks_off())
    await asyncio.sleep(0.2)
    assert upstreams[Service.INGEST].asked == []
    assert (await client.get("/api/v1/parks/north/stations")).status_code == 200


async def test_requests_are_counted_by_route(door: Door, keys: Keys) -> None:
    client = await door.client(await keys.new("north"))
    await client.get("/api/v1/parks/north/stations")
    text = (await client.get("/metrics")).text
    counted = [
        line
        for line in text.splitlines()
        if line.startswith("fenceline_http_requests_total")
        and 'route="/api/v1/parks/{park_id}/stations"' in line
        and 'service="gateway"' in line
        and 'status="200"' in line
    ]
    assert len(counted) == 1
    assert "fenceline_gateway_sse_clients" in text
