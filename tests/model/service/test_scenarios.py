"""Scenarios and their atlases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from services.model.ingest_client import IngestClient
from services.model.runs.request import RunInputs, RunRequest
from services.model.store import attempts
from services.model.store.runs import NewRun, insert, insert_all
from services.model.wiring import Parts
from tests.model.conftest import CHLORINE, PARK, Park, Working
from tests.model.test_api import MANUAL, RUNS

SCENARIOS = f"/parks/{PARK}/scenarios"
ATLAS = f"{SCENARIOS}/tank-hole/atlas"
BODY: dict[str, Any] = {
    "name": {"zh": "储罐小孔泄漏", "en": "Small hole in the tank"},
    "request": {
        "chemical": CHLORINE,
        "source": {"risk_source_id": f"{PARK}.cl2-tank"},
        "rate_kg_s": 0.2,
        "duration_s": 300,
        "follow_s": 300,
        "nodes": 100,
    },
}
MATRIX = {"sectors": 4, "wind_speeds_m_s": [2, 5], "stabilities": [4]}


@pytest.fixture
async def stored(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.put(f"{SCENARIOS}/tank-hole", json=BODY)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def until_computed(client: httpx.AsyncClient) -> dict[str, Any]:
    for _ in range(300):
        atlas: dict[str, Any] = (await client.get(ATLAS)).json()
        if atlas["progress"]["fraction"] == 1.0:
            return atlas
        await asyncio.sleep(0.1)
    raise AssertionError(atlas["progress"])


async def test_a_scenario_is_kept_changed_listed_and_deleted(client: httpx.AsyncClient, stored: dict[str, Any]) -> None:
    assert stored["risk_source_id"] == f"{PARK}.cl2-tank"
    assert (await client.get(f"{SCENARIOS}/tank-hole")).json() == stored
    changed = await client.put(f"{SCENARIOS}/tank-hole", json=BODY | {"request": BODY["request"] | {"rate_kg_s": 2}})
    assert (changed.status_code, changed.json()["request"]["rate_kg_s"]) == (200, 2)
    for name in ("a", "b", "z"):
        await client.put(f"{SCENARIOS}/{name}", json=BODY)
    first = (await client.get(SCENARIOS, params={"limit": 3})).json()
    second = (await client.get(SCENARIOS, params={"limit": 3, "cursor": first["next"]})).json()
    assert second["next"] is None
    seen = [entry["id"] for entry in first["items"] + second["items"]]
    assert seen == ["a", "b", "tank-hole", "z"]
    assert (await client.get(SCENARIOS, params={"risk_source_id": f"{PARK}.cl2-far"})).json()["items"] == []
    assert (await client.delete(f"{SCENARIOS}/a")).status_code == 204
    assert (await client.delete(f"{SCENARIOS}/a")).status_code == 404


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"source": {"longitude": 119, "latitude": 37}}, "risk_source_id"),
        ({"rate_kg_s": None}, "rate_kg_s"),
        ({"source": {"risk_source_id": "other.tank"}}, "other.tank"),
        ({"duration_s": 100_000}, "21600"),
    ],
)
async def test_what_is_no_scenario_is_refused(client: httpx.AsyncClient, change: dict[str, Any], named: str) -> None:
    answer = await client.put(f"{SCENARIOS}/x", json=BODY | {"request": BODY["request"] | change})
    assert answer.status_code == 422
    assert named in answer.text


async def test_nothing_of_another_parks_scenario_is_reached(client: httpx.AsyncClient, stored: dict[str, Any]) -> None:
    await client.post(ATLAS, json=MATRIX)
    other = "/parks/other/scenarios/tank-hole"
    for method, path in (
        ("GET", other),
        ("DELETE", other),
        ("GET", f"{other}/atlas"),
        ("POST", f"{other}/atlas"),
        ("GET", f"{other}/atlas/nearest"),
    ):
        assert (await client.request(method, path, json={} if method == "POST" else None)).status_code == 404, path
    assert (await client.get("/parks/other/scenarios")).json()["items"] == []
    assert (await client.get(ATLAS)).json()["progress"]["queued"] == 8


async def test_an_atlas_is_computed_and_gives_the_member_for_the_wind(
    client: httpx.AsyncClient, working: Working, stored: dict[str, Any]
) -> None:
    assert (await client.get(ATLAS)).status_code == 404
    asked = await client.post(ATLAS, json=MATRIX)
    assert asked.status_code == 202, asked.text
    assert asked.json()["progress"] == {
        "total": 8, "queued": 8, "running": 0, "succeeded": 0, "failed": 0, "cancelled": 0, "fraction": 0.0,
    }  # fmt: skip
    assert (await client.get(f"{ATLAS}/nearest")).status_code == 409
    async with working():
        atlas = await until_computed(client)
    assert atlas["progress"]["succeeded"] == 8
    given = {"wind_from_deg": 350, "wind_speed_m_s": 4.6, "stability": 4}
    found = (await client.get(f"{ATLAS}/nearest", params=given)).json()
    assert (found["member"]["wind_from_deg"], found["member"]["wind_speed_m_s"]) == (0.0, 5.0)
    run = (await client.get(f"{RUNS}/{found['member']['run_id']}")).json()
    assert run["trigger"] == "atlas"
    assert run["result"]["meteorology"]["wind_from_deg"] == 0.0
    assert (await client.get(f"{ATLAS}/nearest", params={"wind_from_deg": 10})).status_code == 422
    # Nobody is told of each member, and no list is filled with them.
    assert (await client.get("/facts/runs")).json()["items"] == []
    assert (await client.get(RUNS)).json()["items"] == []
    assert len((await client.get(RUNS, params={"trigger": "atlas"})).json()["items"]) == 8


async def test_an_atlas_asked_for_again_computes_only_what_is_new(
    client: httpx.AsyncClient, working: Working, stored: dict[str, Any], parts: Parts
) -> None:
    await client.post(ATLAS, json=MATRIX)
    async with working():
        await until_computed(client)
    again = (await client.post(ATLAS, json=MATRIX | {"wind_speeds_m_s": [2, 5, 8]})).json()
    assert (again["progress"]["succeeded"], again["progress"]["queued"]) == (8, 4)
    await client.put(f"{SCENARIOS}/tank-hole", json=BODY | {"name": {"zh": "改", "en": "changed"}})
    assert (await client.get(ATLAS)).json()["outdated"] is True
    await client.delete(f"{SCENARIOS}/tank-hole")
    async with parts.engine.connect() as connection:
        states = await connection.execute(text("SELECT state, count(*) FROM run GROUP BY state ORDER BY state"))
        assert [tuple(row) for row in states] == [("cancelled", 4), ("succeeded", 16)]


async def test_other_runs_go_before_an_atlas(
    client: httpx.AsyncClient, working: Working, stored: dict[str, Any]
) -> None:
    await client.post(ATLAS, json=MATRIX | {"sectors": 36})
    waiting = [(await client.post(RUNS, json=MANUAL | {"wait_s": 0})).json()["id"] for _ in range(2)]
    async with working():
        for run_id in waiting:
            while (await client.get(f"{RUNS}/{run_id}")).json()["state"] != "succeeded":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert (await client.get(ATLAS)).json()["progress"]["succeeded"] <= 2
        begun = (await client.post(RUNS, json=MANUAL)).json()
        assert begun["state"] == "succeeded"
        assert (await client.get(ATLAS)).json()["progress"]["queued"] > 30


async def test_a_member_in_hand_gives_way(parts: Parts) -> None:
    """What the worker hears between two signs of progress; it then puts the member back as if never tried."""
    now = datetime.now(UTC)
    inputs = RunInputs(request=RunRequest.model_validate(BODY["request"]))
    member, other = uuid4(), uuid4()
    async with parts.engine.begin() as connection:
        await insert_all(connection, [NewRun(member, PARK, "atlas", "t", inputs)], now)
        claimed = await attempts.claim(connection, member, "w", now, now)
        assert claimed is not None
        before = await attempts.report(connection, claimed, "w", (0.5, "field"), now, aloud=False)
        await insert(connection, NewRun(other, PARK, "manual", "t", inputs), now)
        after = await attempts.report(connection, claimed, "w", (0.6, "field"), now, aloud=False)
        await attempts.put_back(connection, claimed, "w", now)
        again = await attempts.claim(connection, member, "w", now, now)
    assert before == attempts.Orders(cancel=False, give_way=False)
    assert after == attempts.Orders(cancel=False, give_way=True)
    assert again is not None
    assert again.attempts == 1
    assert isinstance(member, UUID)


async def test_an_atlas_has_a_limit(client: httpx.AsyncClient, stored: dict[str, Any]) -> None:
    answer = await client.post(
        ATLAS, json={"sectors": 72, "wind_speeds_m_s": [1, 2, 3, 4], "stabilities": [1, 2, 3, 4]}
    )
    assert answer.status_code == 422
    assert "1000" in answer.json()["detail"]


async def test_the_wind_now_comes_from_the_parks_stations(
    client: httpx.AsyncClient, working: Working, stored: dict[str, Any], park: Park, ingest: IngestClient
) -> None:
    await client.post(ATLAS, json=MATRIX)
    async with working():
        await until_computed(client)
    # The service's ingest does not answer here: it says so, and that the wind may be given.
    answer = await client.get(f"{ATLAS}/nearest")
    assert answer.status_code == 503
    assert "Give the wind" in answer.json()["detail"]

    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    application: Any = transport.app
    state = application.state.model
    application.state.model = replace(state, parts=replace(state.parts, ingest=ingest))
    found = (await client.get(f"{ATLAS}/nearest")).json()
    assert (found["wind_from_deg"], found["wind_speed_m_s"]) == (270.0, 3.0)
    assert found["member"]["wind_from_deg"] == 270.0
    assert found["weather_age_s"] >= 5.0
    assert park.weather is not None
    park.weather["age_s"] = 30_000.0
    refused = await client.get(f"{ATLAS}/nearest")
    assert (refused.status_code, "21600" in refused.json()["detail"]) == (422, True)
