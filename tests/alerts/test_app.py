"""The whole service over HTTP, with real PostgreSQL and Redis; ingest is a stand-in on a real port."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from services.alerts.app import build_app
from services.alerts.settings import AlertsSettings
from shared.http_client import ServiceAuth
from shared.messages import AlarmChanged, ObservationsStored
from shared.streams import FACTS, OBSERVATION_SHARDS, shard_of
from shared.time import to_microseconds, utc_now
from tests.alerts.park import Producer, datastream

STATION = "p.s1"
STREAM = f"observations.{shard_of(STATION, OBSERVATION_SHARDS)}"


def settings_of(database_url: str, redis_url: str, token: str, ingest_port: int, **more: Any) -> AlertsSettings:
    return AlertsSettings.model_validate(
        {
            "database_url": database_url,
            "redis_url": redis_url,
            "internal_token": token,
            "ingest_url": f"http://127.0.0.1:{ingest_port}",
            "alerts_on_delay_fence_s": 2,
            "alerts_off_delay_s": 2,
            **more,
        }
    )


@contextlib.asynccontextmanager
async def served(app: FastAPI, port: int) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    task = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started)
    try:
        yield
    finally:
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def service(settings: AlertsSettings, token: str) -> AsyncIterator[httpx.AsyncClient]:
    app = build_app(settings)
    auth, headers = ServiceAuth(token, "tests", "alerts"), {"X-Fenceline-Actor": "key demo"}
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://alerts", auth=auth, headers=headers) as client,
    ):
        yield client


async def eventually(condition: Callable[[], Awaitable[object]], within_s: float = 60.0) -> None:
    until = time.monotonic() + within_s
    while not await condition():
        assert time.monotonic() < until, "it did not come about in time"
        await asyncio.sleep(0.05)


async def tell(producer: Producer, ago_s: float, value: float) -> None:
    now = to_microseconds(utc_now())
    await producer.tell(
        STREAM,
        ObservationsStored.of([(1, now - round(ago_s * 1e6), value, "N")], received_at=now),
    )


@pytest.fixture
async def alerts(
    database_url: str, redis_url: str, internal_token: str, producer: Producer, unused_port: Callable[[], int]
) -> AsyncIterator[httpx.AsyncClient]:
    port = unused_port()
    async with (
        served(producer.app, port),
        service(settings_of(database_url, redis_url, internal_token, port), internal_token) as client,
    ):

        async def ready() -> bool:
            return (await client.get("/health/ready")).status_code == 200

        await eventually(ready)
        yield client


async def open_alarms(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    answer = await client.get("/parks/p/alarms")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def raised(client: httpx.AsyncClient, producer: Producer) -> dict[str, Any]:
    for ago_s in (9, 8, 7):
        await tell(producer, ago_s, 3.0)
    await eventually(lambda: open_alarms(client))
    (alarm,) = await open_alarms(client)
    return alarm


async def test_from_fact_to_alarm_to_subscribers_and_back(alerts: httpx.AsyncClient, producer: Producer) -> None:
    alarm = await raised(alerts, producer)
    assert alarm["station_name"] == {"zh": "1号站", "en": "Station 1"}
    assert (alarm["state"], alarm["colour"], alarm["active"], alarm["ring"]) == (
        "unacknowledged",
        "yellow",
        True,
        "boundary",
    )
    path = f"/parks/p/alarms/{alarm['id']}"

    answer = await alerts.post(f"{path}/acknowledge", json={"comment": "on my way"})
    assert answer.status_code == 200, answer.text
    seen = answer.json()
    assert (seen["state"], seen["acknowledged_by"], seen["comment"]) == ("acknowledged", "key demo", "on my way")

    again = await alerts.post(f"{path}/acknowledge", json={})
    assert again.status_code == 409
    problem = again.json()
    assert (problem["state"], problem["allowed"]) == ("acknowledged", ["assign", "comment", "shelve"])
    assert problem["type"].endswith("/conflict")

    for ago_s in (5, 3, 1):
        await tell(producer, ago_s, 0.1)

    async def closed() -> bool:
        return not await open_alarms(alerts)

    await eventually(closed)
    whole = (await alerts.get(path)).json()
    assert [entry["action"] for entry in whole["journal"]] == ["raise", "acknowledge", "return", "close"]
    assert whole["journal"][1]["actor"] == "key demo"
    assert whole["journal"][0]["detail"]["threshold_source"].startswith("AEGL-1")
    assert (whole["state"], whole["active"]) == ("normal", False)
    assert len((await alerts.get("/parks/p/alarms", params={"state": "all"})).json()["items"]) == 1

    async def told() -> list[AlarmChanged]:
        entries: Any = await producer.redis.xrange(FACTS + "alarms")
        return [AlarmChanged.decode(fields[b"payload"]) for _, fields in entries]

    async def all_told() -> bool:
        return len(await told()) == 4

    await eventually(all_told)
    assert [fact.transition for fact in await told()] == ["raised", "acknowledged", "returned", "closed"]
    page = (await alerts.get("/facts/alarms")).json()
    assert [item["position"] for item in page["items"]] == [1, 2, 3, 4]


async def test_the_lists_are_paged(alerts: httpx.AsyncClient, producer: Producer) -> None:
    producer.datastreams += [
        datastream(n, station_id=STATION, property_id=p) for n, p in ((3, "ammonia"), (4, "benzene"))
    ]
    now = to_microseconds(utc_now())
    readings = [(i, now - s * 1_000_000, 5000.0, "N") for s in (9, 8, 7) for i in (1, 3, 4)]
    await producer.tell(STREAM, ObservationsStored.of(readings, received_at=now))

    async def three() -> bool:
        return len(await open_alarms(alerts)) == 3

    await eventually(three)
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        page = (
            await alerts.get("/parks/p/alarms", params={"limit": 1} | ({"cursor": cursor} if cursor else {}))
        ).json()
        seen += [alarm["property_id"] for alarm in page["items"]]
        cursor = page["next"]
    assert cursor is None
    assert sorted(seen) == ["ammonia", "benzene", "chlorine"]
    wrong = await alerts.get("/parks/p/alarms", params={"cursor": "nonsense"})
    assert wrong.status_code == 400
    assert "cursor" in wrong.json()["detail"]


async def test_another_parks_alarm_is_not_there(alerts: httpx.AsyncClient, producer: Producer) -> None:
    alarm = await raised(alerts, producer)
    for answer in (
        await alerts.get(f"/parks/q/alarms/{alarm['id']}"),
        await alerts.post(f"/parks/q/alarms/{alarm['id']}/acknowledge", json={}),
    ):
        assert answer.status_code == 404
    assert (await alerts.get("/parks/q/alarms", params={"state": "all"})).json()["items"] == []


async def test_without_the_internal_token_nothing_is_told(alerts: httpx.AsyncClient) -> None:
    assert (await alerts.get("/parks/p/alarms", headers={"Authorization": "Bearer no"}, auth=None)).status_code == 401


def park_file(**more: Any) -> dict[str, Any]:
    name = {"zh": "园区", "en": "Park"}
    ring = [[119.0, 37.0], [119.1, 37.0], [119.1, 37.1], [119.0, 37.0]]
    return {"fenceline": 1, "park": {"id": "p", "name": name, "boundary": ring}, **more}


async def test_rules_tell_where_each_number_comes_from(alerts: httpx.AsyncClient) -> None:
    asked = {"ring": "boundary", "property_id": "chlorine"}
    page = (await alerts.get("/parks/p/rules", params=asked)).json()
    (rule,) = page["items"]
    assert [(level["colour"], level["threshold"]) for level in rule["levels"]] == [
        ("yellow", 1.45),
        ("orange", 5.8),
        ("red", 58),
    ]
    assert "HJ 169-2018" in rule["levels"][1]["source"]
    assert set(rule["sources"]) == {
        "on_delay_s",
        "off_delay_s",
        "deadband_fraction",
        "max_gap_s",
        "latching",
        "measure",
    }
    assert page["silence"]["realtime_after_s"] == 180
    assert set(page["note"]) == {"zh", "en"}

    own = {"property": "chlorine", "on_delay_s": 7}
    taken = await alerts.put("/parks/p/registry", json=park_file(rules=[own]))
    assert (taken.status_code, taken.json()) == (200, {"rules": 1})
    (rule,) = (await alerts.get("/parks/p/rules", params=asked)).json()["items"]
    assert rule["on_delay_s"] == 7
    assert rule["sources"]["on_delay_s"] == "park file, rule for chlorine at all rings"

    assert (await alerts.put("/parks/p/registry", json=park_file())).json() == {"rules": 0}
    (rule,) = (await alerts.get("/parks/p/rules", params=asked)).json()["items"]
    assert rule["on_delay_s"] == 2


async def test_a_park_file_for_another_park_is_refused(alerts: httpx.AsyncClient) -> None:
    answer = await alerts.put("/parks/q/registry", json=park_file())
    assert answer.status_code == 422
    assert "'p'" in answer.json()["detail"]


async def test_metrics_and_openapi(alerts: httpx.AsyncClient, producer: Producer) -> None:
    await raised(alerts, producer)
    metrics = (await alerts.get("/metrics")).text
    for name in (
        'fenceline_alerts_transitions_total{colour="yellow",transition="raised"}',
        "fenceline_alerts_evaluation_lag_seconds_count",
        "fenceline_alerts_open_alarms",
    ):
        assert name in metrics
    paths = (await alerts.get("/openapi.json")).json()["paths"]
    assert "/parks/{park_id}/alarms/{alarm_id}/acknowledge" in paths


class Line:
    """A TCP relay that the test connects and cuts: what is behind it is up or down."""

    def __init__(self, url: str, port: int) -> None:
        parts = urlsplit(url)
        self.target = (parts.hostname or "127.0.0.1", parts.port or 0)
        self.port = port
        self.url = url.replace(f":{parts.port}", f":{port}")
        self._server: asyncio.Server | None = None
        self._pipes: set[asyncio.StreamWriter] = set()

    async def connect(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._pipes):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind_reader, behind_writer = await asyncio.open_connection(*self.target)
        self._pipes |= {writer, behind_writer}
        with contextlib.suppress(OSError):
            await asyncio.gather(self._pipe(reader, behind_writer), self._pipe(behind_reader, writer))
        self._pipes -= {writer, behind_writer}

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


async def test_it_starts_with_everything_down_says_so_and_recovers(
    database_url: str, redis_url: str, internal_token: str, producer: Producer, unused_port: Callable[[], int]
) -> None:
    database, redis = Line(database_url, unused_port()), Line(redis_url, unused_port())
    port = unused_port()
    settings = settings_of(database.url, redis.url, internal_token, port)
    async with service(settings, internal_token) as client:
        assert (await client.get("/health/startup")).status_code == 200
        assert (await client.get("/health/live")).status_code == 200
        answer = await client.get("/health/ready")
        assert answer.status_code == 503
        down = {name for name, state in answer.json()["dependencies"].items() if not state["up"]}
        assert down == {"database", "redis", "ingest", "evaluation", "across"}

        async def ready() -> bool:
            return (await client.get("/health/ready")).status_code == 200

        await database.connect()
        await redis.connect()
        async with served(producer.app, port):
            await eventually(ready)
            await raised(client, producer)

            await redis.cut()
            for ago_s in (4, 3, 2, 1):
                await tell(producer, ago_s, 80.0)

            async def red() -> bool:
                return [alarm["colour"] for alarm in await open_alarms(client)] == ["red"]

            await eventually(red)  # Redis is down; the facts came from ingest
            down = {
                name
                for name, state in (await client.get("/health/ready")).json()["dependencies"].items()
                if not state["up"]
            }
            assert down == {"redis"}
            await redis.connect()
            await eventually(ready)

            await database.cut()
            assert (await client.get("/health/ready")).status_code == 503
            await database.connect()
            await eventually(ready)
        await redis.cut()
        await database.cut()
