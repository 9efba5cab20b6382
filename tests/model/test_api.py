"""The whole service over HTTP with a worker beside it, on real stores."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from shapely.geometry import Point, shape

from services.model.app import build_app
from services.model.settings import ModelSettings
from shared.messages import RunChanged, RunState
from tests.model.conftest import CHLORINE, PARK, PARK_FILE, SOURCE, Park, Working

MANUAL: dict[str, Any] = {
    "chemical": CHLORINE,
    "source": {"risk_source_id": f"{PARK}.cl2-tank"},
    "rate_kg_s": 0.5,
    "wait_s": 30,
}
RUNS = f"/parks/{PARK}/runs"


def zone(run: dict[str, Any], key: str = "endpoint-2") -> dict[str, Any]:
    features: list[dict[str, Any]] = run["result"]["zones"]["features"]
    return next(feature for feature in features if feature["properties"]["key"] == key)


async def test_a_run_from_request_to_footprint(client: httpx.AsyncClient, working: Working) -> None:
    async with working():
        answer = await client.post(RUNS, json=MANUAL)
    assert answer.status_code == 200, answer.text
    run = answer.json()
    assert run["state"] == "succeeded"
    assert run["requested_by"] == "tester"
    second = zone(run)
    assert second["properties"]["level_mg_m3"] == 5.8
    assert second["properties"]["label"]["zh"]
    assert second["properties"]["area_m2"] > 1000
    assert second["properties"]["clipped"] is False
    outline = shape(second["geometry"])
    assert outline.is_valid
    # The wind is from the west: the zone holds places to the east and none to the west.
    assert outline.contains(Point(SOURCE[0] + 0.002, SOURCE[1]))
    assert not outline.contains(Point(SOURCE[0] - 0.002, SOURCE[1]))
    result = run["result"]
    names = [entry["id"] for entry in result["receptors"]]
    assert names[0] == f"{PARK}.school"
    assert result["receptors"][0]["arrival_s"] > 60
    assert result["receptors"][1]["peak_mg_m3"] == 0.0
    assert result["frames"][0]["time_s"] < result["frames"][-1]["time_s"] == 2400.0
    assert len(answer.content) < 300_000
    again = await client.get(f"{RUNS}/{run['id']}")
    assert again.json() == run


async def test_a_dense_gas_is_computed_by_the_dense_engines(client: httpx.AsyncClient, working: Working) -> None:
    async with working():
        result = (await client.post(RUNS, json=MANUAL)).json()["result"]
    assert result["richardson"]["dense"] is True
    assert "重质气体" in result["reason"]["zh"]
    assert "Appendix G" in result["reason"]["en"]
    answered = {entry["engine"] for entry in result["engines"] if entry["failure"] is None}
    assert {"slabx", "degadisx", "neutral-puff"} <= answered
    primary = [entry["engine"] for entry in result["engines"] if entry["primary"]]
    assert primary == [result["engine"]] != ["neutral-puff"]


async def test_a_light_gas_carries_no_such_warning(client: httpx.AsyncClient, working: Working) -> None:
    ammonia = MANUAL | {"chemical": "7664-41-7", "source": {"risk_source_id": f"{PARK}.nh3-sphere"}}
    async with working():
        result = (await client.post(RUNS, json=ammonia)).json()["result"]
    assert result["richardson"]["dense"] is False
    assert "dense-gas" not in {entry["code"] for entry in result["warnings"]}
    assert {"flat-terrain", "constant-rate", "roughness-assumed"} <= {e["code"] for e in result["assumptions"]}


async def test_a_caller_that_does_not_wait_gets_202(client: httpx.AsyncClient, working: Working) -> None:
    answer = await client.post(RUNS, json=MANUAL | {"wait_s": 0})
    assert answer.status_code == 202
    assert answer.json()["state"] == "queued"
    async with working():
        await until_finished(client, answer.json()["id"])
    listed = (await client.get(RUNS)).json()["items"]
    assert [entry["state"] for entry in listed] == ["succeeded"]
    assert listed[0]["result"] is None


async def test_source_and_rate_from_what_stations_read(client: httpx.AsyncClient, working: Working) -> None:
    body = {"chemical": CHLORINE, "source": {"suspicion": {}}, "wait_s": 20}
    async with working():
        run = (await client.post(RUNS, json=body)).json()
    assert run["state"] == "succeeded", run["error"]
    source = run["source"]
    assert source["risk_source_id"] == f"{PARK}.cl2-tank"
    assert source["candidates"][0]["probability"] > 0.5
    assert 0.0 < source["elsewhere_probability"] < 0.5
    result = run["result"]
    assert result["rate_low_kg_s"] < result["rate_kg_s"] < result["rate_high_kg_s"]
    assert "rate-estimated" in {entry["code"] for entry in result["assumptions"]}


async def test_a_place_on_the_map_with_own_weather_needs_no_ingest(
    client: httpx.AsyncClient, working: Working, park: Park
) -> None:
    park.down = True
    body = MANUAL | {
        "source": {"longitude": 119.001, "latitude": 37.101, "height_m": 3},
        "meteorology": {"wind_speed_m_s": 1.5, "wind_from_deg": 0, "stability": "F"},
        "levels_mg_m3": [1.0],
        "nodes": 150,
    }
    async with working():
        run = (await client.post(RUNS, json=body)).json()
    assert run["state"] == "succeeded", run["error"]
    assert run["result"]["meteorology"]["stability_class"] == "F"
    keys = [feature["properties"]["key"] for feature in run["result"]["zones"]["features"]]
    assert keys == ["endpoint-1", "endpoint-2", "custom"]
    centre = shape(zone(run)["geometry"]).centroid
    assert centre.y < 37.101


async def test_no_weather_is_a_clear_problem(client: httpx.AsyncClient, working: Working, park: Park) -> None:
    park.weather = None
    async with working():
        run = (await client.post(RUNS, json=MANUAL)).json()
    assert run["state"] == "failed"
    assert run["error"]["type"].endswith("/no-meteorology")
    assert run["error"]["detail_zh"]


@pytest.mark.parametrize(("age_s", "state"), [(2000.0, "succeeded"), (30_000.0, "failed")])
async def test_old_weather_is_told_or_refused(
    client: httpx.AsyncClient, working: Working, park: Park, age_s: float, state: str
) -> None:
    assert park.weather is not None
    park.weather["age_s"] = age_s
    async with working():
        run = (await client.post(RUNS, json=MANUAL)).json()
    assert run["state"] == state
    if state == "succeeded":
        assert "met-stale" in {entry["code"] for entry in run["result"]["warnings"]}
    else:
        assert run["error"]["type"].endswith("/stale-meteorology")


async def test_an_ingest_that_is_down_is_a_clear_problem(
    client: httpx.AsyncClient, working: Working, park: Park
) -> None:
    park.down = True
    async with working(patience_s=0.1):
        run = (await client.post(RUNS, json=MANUAL)).json()
    assert run["state"] == "failed"
    assert run["error"]["type"].endswith("/ingest-unavailable")


async def test_nothing_smelled_and_no_rate_is_a_clear_problem(
    client: httpx.AsyncClient, working: Working, park: Park
) -> None:
    park.smelling_s = -1.0
    async with working():
        run = (await client.post(RUNS, json=MANUAL | {"rate_kg_s": None})).json()
    assert run["error"]["type"].endswith("/nothing-detected")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"duration_s": 100_000}, "21600"),
        ({"follow_s": 100_000}, "21600"),
        ({"nodes": 5000}, "800"),
        ({"rate_kg_s": -1}, "greater than 0"),
        ({"levels_mg_m3": [1e-5]}, "limit"),
        ({"chemical": "50-00-1"}, "50-00-1"),
        ({"source": {"risk_source_id": "other-park.x"}}, "other-park.x"),
        ({"wait_s": 100}, "30"),
        ({"unknown": 1}, "unknown"),
    ],
)
async def test_beyond_a_limit_the_answer_names_it(
    client: httpx.AsyncClient, change: dict[str, Any], named: str
) -> None:
    answer = await client.post(RUNS, json=MANUAL | change)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert named in json.dumps(answer.json(), ensure_ascii=False)


async def test_a_run_of_another_park_is_not_there(client: httpx.AsyncClient) -> None:
    run = (await client.post(RUNS, json=MANUAL | {"wait_s": 0})).json()
    assert (await client.get(f"/parks/other/runs/{run['id']}")).status_code == 404
    assert (await client.get("/parks/other/runs")).json()["items"] == []


async def test_pages_hold_every_run_once(client: httpx.AsyncClient) -> None:
    made = [(await client.post(RUNS, json=MANUAL | {"wait_s": 0})).json()["id"] for _ in range(5)]
    seen, cursor = [], None
    while True:
        page = (await client.get(RUNS, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [entry["id"] for entry in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == made[::-1]
    assert (await client.get(RUNS, params={"cursor": "%%%"})).status_code == 400


async def test_registry_put_twice_is_the_same_and_what_left_the_file_is_gone(client: httpx.AsyncClient) -> None:
    before = (await client.get(f"/parks/{PARK}/risk-sources")).json()
    answer = await client.put(f"/parks/{PARK}/registry", json=PARK_FILE)
    assert answer.json() == {"risk_sources": 3, "receptors": 2}
    assert (await client.get(f"/parks/{PARK}/risk-sources")).json() == before
    less = PARK_FILE | {"risk_sources": PARK_FILE["risk_sources"][:1], "receptors": []}
    assert (await client.put(f"/parks/{PARK}/registry", json=less)).json() == {"risk_sources": 1, "receptors": 0}
    assert (await client.get(f"/parks/{PARK}/receptors")).json()["items"] == []
    assert (await client.put("/parks/other/registry", json=PARK_FILE)).status_code == 422


async def test_chemicals(client: httpx.AsyncClient) -> None:
    assert len((await client.get("/chemicals")).json()["items"]) == 142
    assert (await client.get(f"/chemicals/{CHLORINE}")).json()["name"]["zh"] == "氯气"
    assert (await client.get("/chemicals/1-1-1")).status_code == 404


async def test_each_state_of_a_run_is_a_fact(client: httpx.AsyncClient, working: Working) -> None:
    async with working():
        run = (await client.post(RUNS, json=MANUAL)).json()
    for _ in range(100):
        items = (await client.get("/facts/runs")).json()["items"]
        facts = [RunChanged.decode(item["payload"].encode()) for item in items]
        if facts and facts[-1].state.is_final:
            break
        await asyncio.sleep(0.1)
    # A run that takes longer tells between its beginning and its end how far it is.
    under_way = [fact for fact in facts if fact.fraction is not None]
    assert all(fact.state is RunState.RUNNING and fact.step for fact in under_way)
    assert [fact.state.value for fact in facts if fact.fraction is None] == ["queued", "running", "succeeded"]
    assert {str(fact.run_id) for fact in facts} == {run["id"]}


async def test_the_service_starts_with_everything_down_and_says_so(
    settings: ModelSettings, internal_token: str
) -> None:
    down = settings.model_copy(
        update={
            "database_url": type(settings.database_url)("postgresql://nobody@127.0.0.1:1/none"),
            "redis_url": type(settings.redis_url)("redis://127.0.0.1:1/0"),
        }
    )
    app = build_app(down)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://model") as client,
    ):
        assert (await client.get("/health/live")).status_code == 200
        ready = await client.get("/health/ready")
        assert ready.status_code == 503
        assert {name for name, state in ready.json()["dependencies"].items() if not state["up"]} == {
            "database",
            "redis",
            "ingest",
        }
        assert "fenceline_model_queue_age_seconds" in (await client.get("/metrics")).text


async def until_finished(client: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    for _ in range(300):
        run: dict[str, Any] = (await client.get(f"{RUNS}/{run_id}")).json()
        if run["state"] in ("succeeded", "failed"):
            return run
        await asyncio.sleep(0.1)
    raise AssertionError(f"the run did not finish: {run['state']}")
