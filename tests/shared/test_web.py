"""What every service's application does, over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from shared.health import Health
from shared.http_client import ServiceAuth
from shared.problems import Conflict
from shared.web import create_app


class Body(BaseModel):
    number: int


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    yield


def application(health: Health, token: str) -> FastAPI:
    app = create_app("test", "Test", "", health, lifespan, internal_token=token, max_body_bytes=1000)

    @app.post("/numbers")
    async def numbers(body: Body) -> Body:
        return body

    @app.get("/conflict")
    async def conflict() -> None:
        raise Conflict("The alarm is closed already.", state="normal")

    @app.get("/bug")
    async def bug() -> None:
        raise ZeroDivisionError("secret detail")

    return app


@pytest.fixture
async def health() -> Health:
    return Health("test", {})


@pytest.fixture
async def client(health: Health, internal_token: str) -> AsyncIterator[httpx.AsyncClient]:
    app = application(health, internal_token)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    auth = ServiceAuth(internal_token, "tests", "test")
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test", auth=auth) as client,
    ):
        yield client


async def test_only_the_internal_token_lets_in(client: httpx.AsyncClient) -> None:
    for wrong in ("", "Bearer", "Bearer nonsense", "Basic Og=="):
        answer = await client.get("/conflict", headers={"Authorization": wrong}, auth=None)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await client.get("/health/live", auth=None)).status_code == 200


async def test_errors_are_problem_documents(client: httpx.AsyncClient) -> None:
    answer = await client.get("/conflict")
    assert answer.status_code == 409
    assert answer.json()["detail"] == "The alarm is closed already."
    assert answer.json()["state"] == "normal"
    assert answer.json()["instance"] == "/conflict"
    answer = await client.post("/numbers", json={"number": "many"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "body/number"
    assert (await client.get("/nowhere")).json()["type"].endswith("/not-found")
    assert (await client.get("/numbers")).status_code == 405


async def test_a_bug_is_a_problem_without_its_detail(client: httpx.AsyncClient) -> None:
    answer = await client.get("/bug")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert answer.json()["trace_id"]


async def test_a_body_over_the_limit_is_413_with_and_without_its_length(client: httpx.AsyncClient) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100

    for content in (b" " * 2000, parts()):
        answer = await client.post("/numbers", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"


async def test_the_callers_trace_is_joined(client: httpx.AsyncClient) -> None:
    answer = await client.get("/conflict", headers={"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"})
    assert answer.headers["x-request-id"] == "a" * 32
    assert answer.json()["trace_id"] == "a" * 32


async def test_readiness_names_what_is_down(client: httpx.AsyncClient, health: Health) -> None:
    async def broken() -> None:
        raise ConnectionError("refused")

    async def silent() -> None:
        await asyncio.sleep(60)

    async def fine() -> None:
        pass

    assert (await client.get("/health/ready")).status_code == 200
    health.checks = {"database": broken, "redis": silent, "ingest": fine}
    answer = await client.get("/health/ready")
    assert answer.status_code == 503
    told = answer.json()["dependencies"]
    assert {name: state["up"] for name, state in told.items()} == {"database": False, "redis": False, "ingest": True}
    assert "refused" in told["database"]["detail"]
    assert (await client.get("/health/live")).status_code == 200


async def test_it_serves_while_others_are_down_until_it_drains(client: httpx.AsyncClient, health: Health) -> None:
    async def broken() -> None:
        raise ConnectionError("refused")

    health.checks = {"redis": broken}
    assert (await client.get("/health/ready")).status_code == 503
    assert (await client.get("/health/serving", auth=None)).status_code == 200
    health.draining = True
    assert (await client.get("/health/serving")).status_code == 503
    health.draining, health.started = False, False
    assert (await client.get("/health/serving")).status_code == 503


async def test_requests_are_counted_by_route(client: httpx.AsyncClient) -> None:
    await client.get("/conflict")
    metrics = (await client.get("/metrics")).text
    line = 'fenceline_http_requests_total{method="GET",route="/conflict",service="test",status="409"}'
    assert line in metrics
