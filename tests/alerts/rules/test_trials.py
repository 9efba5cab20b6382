"""Draft rules tried over history: the real services, ingest on a real port; and the runner beside a stand-in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import HTTPException

from services.alerts.engine import history
from services.alerts.engine.trials import TrialRunner
from services.ingest.app import build_app as build_ingest
from services.ingest.settings import IngestSettings
from shared.http_client import ServiceAuth
from shared.time import iso
from tests.alerts.park import Park, Producer
from tests.alerts.test_app import eventually, served, service, settings_of
from tests.ingest.parks import park as park_file
from tests.ingest.parks import station
from tests.ingest.questions.filling import Reading, ids, lay
from tests.ingest.running import Running

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = {"start": iso(BEGIN), "end": iso(BEGIN + timedelta(hours=2))}
LEVELS = [
    {"colour": "yellow", "threshold": 0.2, "source": "draft"},
    {"colour": "red", "threshold": 5.0, "source": "draft"},
]
TRIAL = "/parks/test-park/rules/trial"


@asynccontextmanager
async def real_ingest(database_url: str, redis_url: str, token: str, port: int) -> AsyncIterator[Running]:
    settings = {"database_url": database_url, "redis_url": redis_url, "internal_token": token, "ingest_hj212_port": 0}
    app = build_ingest(IngestSettings.model_validate(settings))
    auth = ServiceAuth(token, "tests", "ingest")
    async with (
        served(app, port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", auth=auth) as http,
    ):
        running = Running(app.state.ingest, http, database_url)
        await running.ready()
        yield running


@pytest.fixture
async def ingest(
    database_url: str, redis_url: str, internal_token: str, unused_port: Callable[[], int]
) -> AsyncIterator[tuple[Running, int]]:
    port = unused_port()
    async with real_ingest(database_url, redis_url, internal_token, port) as running:
        yield running, port


def episode(datastream: int, minute: int, value: float, minutes: int = 3) -> list[Reading]:
    """A reading every ten seconds of an hour: `value` for some minutes from a minute on, else nothing to speak of."""
    return [
        (datastream, BEGIN + timedelta(seconds=10 * n), value if 0 <= n - 6 * minute < 6 * minutes else 0.05, "N")
        for n in range(360)
    ]


async def test_a_draft_over_history_tells_the_alarms_it_would_have_raised(
    ingest: tuple[Running, int],
    database_url: str,
    redis_url: str,
    internal_token: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "PAGE", 100)
    running, port = ingest
    await running.put_park(park_file(station("s1", "A1"), station("s2", "A2"), station("s3", "A3", ring="source")))
    known = await ids(running)
    first, second, third = (known[f"test-park.s{n}", "chlorine", "realtime"] for n in (1, 2, 3))
    flagged = (second, BEGIN + timedelta(minutes=90), 50.0, "D")
    rows = [*episode(first, 10, 3.0), *episode(second, 20, 6.0, 1), *episode(third, 10, 3.0), flagged]
    await lay(running, rows)
    async with service(settings_of(database_url, redis_url, internal_token, port), internal_token) as client:

        async def ready() -> bool:
            return (await client.get("/health/ready")).status_code == 200

        await eventually(ready)
        body = {"property_id": "chlorine", "ring": "boundary", "levels": LEVELS, "on_delay_s": 30, **SPAN}
        asked = await client.post(TRIAL, json=body)
        assert asked.status_code == 202, asked.text
        path = f"{TRIAL}/{asked.json()['id']}"
        assert asked.headers["Location"] == f"trial/{asked.json()['id']}"

        async def ended() -> bool:
            return (await client.get(path)).json()["ended_at"] is not None

        await eventually(ended, 30)
        trial = (await client.get(path)).json()
        assert (trial["state"], trial["progress"], trial["readings"]) == ("succeeded", 1, 721)
        result = trial["result"]
        at = [(alarm["datastream_id"], alarm["since"], alarm["raised_at"]) for alarm in result["alarms"]]
        assert at == [
            (first, "2026-03-01T00:10:00Z", "2026-03-01T00:10:30Z"),
            (second, "2026-03-01T00:20:00Z", "2026-03-01T00:20:30Z"),
        ]
        # Yellow is left below 0.18 for two seconds: at the second reading of the calm that follows.
        assert [alarm["ended_at"] for alarm in result["alarms"]] == ["2026-03-01T00:13:10Z", "2026-03-01T00:21:10Z"]
        assert [alarm["length_s"] for alarm in result["alarms"]] == [160, 40]
        assert [alarm["peak_value"] for alarm in result["alarms"]] == [3, 6]
        assert result["alarms"][1]["steps"] == [{"time": "2026-03-01T00:20:30Z", "colour": "red"}]
        assert result["draft"] == {
            "alarms": 2,
            "by_peak_colour": {"yellow": 1, "red": 1},
            "total_s": 200,
            "median_s": 100,
            "longest_s": 160,
        }
        assert (result["in_force"]["alarms"], result["more_alarms"]) == (2, 0)
        told = {each["datastream_id"]: each["readings"] for each in result["datastreams"]}
        assert told == {first: 360, second: 361}

        (listed,) = (await client.get(TRIAL)).json()["items"]
        assert (listed["id"], listed["result"], listed["created_by"]) == (trial["id"], None, "key demo")
        assert (await client.get(path.replace("test-park", "other"))).status_code == 404
        again = await client.post(f"{path}/cancel")
        assert (again.status_code, again.json()["state"]) == (409, "succeeded")
        # Nothing went live.
        assert (await client.get("/parks/test-park/alarms", params={"state": "all"})).json()["items"] == []
        assert (await client.get("/parks/test-park/rules/overrides")).json()["items"] == []


class Past:
    """Ingest's readings of the past, as the contract has it, stopped and let go on by the test."""

    def __init__(self, producer: Producer, readings: int) -> None:
        self.go = asyncio.Event()
        self.go.set()
        self.asked = 0
        self.fail_with: int | None = None

        @producer.app.get("/parks/{park_id}/observations")
        async def observations(limit: int, cursor: int = 0) -> dict[str, Any]:
            self.asked += 1
            await self.go.wait()
            if self.fail_with is not None:
                raise HTTPException(self.fail_with, "not now")
            rows = range(cursor, min(cursor + limit, readings))
            times = [iso(BEGIN + timedelta(seconds=n)) for n in rows]
            more = str(rows.stop) if rows.stop < readings else None
            series = {"time": times, "value": [3.0] * len(rows), "quality": ["N"] * len(rows)}
            return {"items": [series], "next": more}


@pytest.fixture
def past(producer: Producer, monkeypatch: pytest.MonkeyPatch) -> Past:
    monkeypatch.setattr(history, "PAGE", 1000)
    monkeypatch.setattr(history, "_FIRST_WAIT_S", 0.001)
    return Past(producer, 5000)


BODY = {"property_id": "chlorine", "datastream_id": 1, "levels": LEVELS, **SPAN}


async def asked_for(client: httpx.AsyncClient, **more: Any) -> str:
    answer = await client.post("/parks/p/rules/trial", json=BODY | more)
    assert answer.status_code == 202, answer.text
    return f"/parks/p/rules/trial/{answer.json()['id']}"


async def until_ended(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    async def ended() -> bool:
        return (await client.get(path)).json()["ended_at"] is not None

    await eventually(ended, 30)
    trial: dict[str, Any] = (await client.get(path)).json()
    return trial


async def test_a_trial_that_runs_is_cancelled(alerts: httpx.AsyncClient, past: Past) -> None:
    past.go.clear()
    path = await asked_for(alerts)

    async def running() -> bool:
        return past.asked > 0 and (await alerts.get(path)).json()["state"] == "running"

    await eventually(running)
    cancelled = await alerts.post(f"{path}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    past.go.set()
    other = await asked_for(alerts)  # comes to its turn
    assert (await until_ended(alerts, other))["state"] == "succeeded"
    trial = (await alerts.get(path)).json()
    assert (trial["state"], trial["result"]) == ("cancelled", None)


async def test_what_ingest_does_not_give_fails_with_the_reason(alerts: httpx.AsyncClient, past: Past) -> None:
    past.fail_with = 404
    trial = await until_ended(alerts, await asked_for(alerts))
    assert trial["state"] == "failed"
    assert "404" in trial["problem"]
    past.fail_with, past.asked = 503, 0
    trial = await until_ended(alerts, await asked_for(alerts))
    assert (trial["state"], past.asked) == ("failed", 6)
    assert "ingest did not answer: 503" in trial["problem"]


async def test_only_so_many_wait(alerts: httpx.AsyncClient, past: Past) -> None:
    past.go.clear()
    paths = [await asked_for(alerts) for _ in range(5)]
    refused = await alerts.post("/parks/p/rules/trial", json=BODY)
    assert refused.status_code == 429
    assert "Retry-After" in refused.headers
    await alerts.post(f"{paths[0]}/cancel")
    await asked_for(alerts)
    past.go.set()


@pytest.mark.parametrize(
    ("more", "status", "told"),
    [
        ({"start": "2027-03-01T00:00:00Z"}, 422, "before `end`"),
        ({"end": "2099-03-01T00:00:00Z"}, 422, "future"),
        ({"start": "2024-03-01T00:00:00Z"}, 422, "366 days"),
        ({"datastream_id": 77}, 404, "77"),
        ({"datastream_id": None, "ring": "receptor"}, 422, "No datastream"),
        ({"datastream_id": None, "property_id": "tvoc"}, 422, "No datastream"),
        ({"levels": None}, 422, "at least one of"),
    ],
)
async def test_what_cannot_be_tried_is_refused(
    alerts: httpx.AsyncClient, more: dict[str, Any], status: int, told: str
) -> None:
    answer = await alerts.post("/parks/p/rules/trial", json=BODY | more)
    assert answer.status_code == status, answer.text
    assert told in answer.text


async def test_another_replica_takes_over_from_one_that_is_gone(
    alerts: httpx.AsyncClient, park: Park, past: Past
) -> None:
    """The service takes the trial and hangs; wall time goes on without it."""
    past.go.clear()
    path = await asked_for(alerts)

    async def asked() -> bool:
        return past.asked == 1

    await eventually(asked)
    park.clock.now = datetime.now(UTC) + timedelta(seconds=100)
    other = TrialRunner(park.database, park.client, park.registry, park.delays, park.bound, park.clock)
    assert not await other.run_one()  # it may still run
    park.clock.now += timedelta(seconds=100)
    taken = asyncio.create_task(other.run_one())

    async def asked_again() -> bool:
        return past.asked == 2

    await eventually(asked_again)
    past.go.set()
    assert await taken
    trial = await until_ended(alerts, path)
    assert (trial["state"], trial["readings"]) == ("succeeded", 5000)


async def test_a_draft_across_stations_over_history_counts_where_both_have_gas(
    ingest: tuple[Running, int], database_url: str, redis_url: str, internal_token: str
) -> None:
    running, port = ingest
    await running.put_park(park_file(station("s1", "A1"), station("s2", "A2"), station("s3", "A3")))
    known = await ids(running)
    first, second, third = (known[f"test-park.s{n}", "chlorine", "realtime"] for n in (1, 2, 3))
    await lay(running, [*episode(first, 10, 3.0), *episode(second, 12, 6.0, 4), *episode(third, 40, 9.0)])
    async with service(settings_of(database_url, redis_url, internal_token, port), internal_token) as client:

        async def ready() -> bool:
            return (await client.get("/health/ready")).status_code == 200

        await eventually(ready)
        body = {
            "name": "fence",
            "condition": {"kind": "k_of_n", "property": "chlorine", "k": 2, "within_s": 0},
            "levels": LEVELS,
            "on_delay_s": 30,
            "off_delay_s": 20,
            **SPAN,
        }
        asked = await client.post("/parks/test-park/rules/across/trial", json=body)
        assert asked.status_code == 202, asked.text
        path = f"{TRIAL}/{asked.json()['id']}"

        async def ended() -> bool:
            return (await client.get(path)).json()["ended_at"] is not None

        await eventually(ended, 30)
        trial = (await client.get(path)).json()
        assert (trial["state"], trial["readings"], trial["across"]["name"]) == ("succeeded", 1080, "fence")
        (alarm,) = trial["result"]["alarms"]
        assert (alarm["datastream_id"], alarm["since"], alarm["peak_value"]) == (None, "2026-03-01T00:12:00Z", 3)
        assert (alarm["raised_at"], alarm["ended_at"]) == ("2026-03-01T00:12:30Z", "2026-03-01T00:13:20Z")
        assert trial["result"]["in_force"]["alarms"] == 0
        assert [each["readings"] for each in trial["result"]["datastreams"]] == [360, 360, 360]
        nowhere = {**body, "condition": {**body["condition"], "ring": "receptor"}}  # type: ignore[dict-item]
        refused = await client.post("/parks/test-park/rules/across/trial", json=nowhere)
        assert refused.status_code == 422
        assert "no station there measures it" in refused.text
