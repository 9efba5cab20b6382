from collections.abc import AsyncIterator
from contextlib import nullcontext

import httpx
import pytest

from services.model.api import chemicals
from shared.health import Health
from shared.http_client import ServiceAuth
from shared.web import create_app

TOKEN = "catalogue-token"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    health = Health("model", {})
    app = create_app("model", "Catalogue", "It alone.", health, lambda _: nullcontext(), internal_token=TOKEN)
    app.include_router(chemicals.router)
    transport = httpx.ASGITransport(app)
    auth = ServiceAuth(TOKEN, "tests", "model")
    async with httpx.AsyncClient(transport=transport, base_url="http://model", auth=auth) as opened:
        yield opened


async def test_a_search_by_factor_and_by_name(client: httpx.AsyncClient) -> None:
    by_factor = (await client.get("/chemicals", params={"search": "a21022"})).json()["items"]
    by_name = (await client.get("/chemicals", params={"search": "氯气"})).json()["items"]
    assert by_factor[0] == by_name[0]
    assert by_factor[0]["factors"] == ["a21022", "11"]
    assert len((await client.get("/chemicals")).json()["items"]) == 142
    assert (await client.get("/chemicals", params={"search": "x" * 101})).status_code == 422


async def test_all_of_a_substance_with_sources_and_what_is_missing(client: httpx.AsyncClient) -> None:
    entry = (await client.get("/chemicals/75-44-5")).json()
    guidelines = {(limit["key"], limit["duration_min"]): limit for limit in entry["guidelines"]}
    assert guidelines["aegl-1", 60]["status"] == "not-recommended"
    assert guidelines["aegl-1", 60]["mg_m3"] is None
    assert guidelines["aegl-3", 60]["ppm"] == 0.75
    assert all(limit["source"] for limit in entry["guidelines"])
    assert entry["properties"]["heat_of_vaporisation"] is None
    assert entry["properties"]["boiling_point"]["value"] == 7.5
    assert entry["probits"][0]["verified"] is False
    reasons = {lack["what"]: lack["reason"] for lack in entry["missing"]}
    assert "不推荐" in reasons["aegl-1-60min"]["zh"]
    assert "not guessed" in reasons["heat_of_vaporisation"]["en"]


async def test_concentrations_are_converted_at_the_temperature_that_is_asked(client: httpx.AsyncClient) -> None:
    at_table = (await client.get("/chemicals/7782-50-5")).json()
    cold = (await client.get("/chemicals/7782-50-5", params={"temperature_c": -20})).json()
    ratio = cold["conversion"]["mg_m3_per_ppm"] / at_table["conversion"]["mg_m3_per_ppm"]
    assert ratio == pytest.approx(298.15 / 253.15)
    first, second = (next(x for x in entry["guidelines"] if x["key"] == "aegl-2") for entry in (at_table, cold))
    assert first["ppm"] == second["ppm"]
    assert second["mg_m3"] / first["mg_m3"] == pytest.approx(ratio)
    assert (await client.get("/chemicals/7782-50-5", params={"temperature_c": 900})).status_code == 422


async def test_a_mixture_has_no_conversion(client: httpx.AsyncClient) -> None:
    entry = (await client.get("/chemicals/68476-85-7")).json()
    assert entry["conversion"]["mg_m3_per_ppm"] is None
    assert "molar_mass" in {lack["what"] for lack in entry["missing"]}


async def test_an_unknown_substance_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.get("/chemicals/1-1-1")
    assert answer.status_code == 404
    assert "1-1-1" in answer.json()["detail"]
