"""When two requests are one run, and when they are not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.model.runs.identity import content_key, model_version
from services.model.runs.merge_patch import merged
from services.model.runs.request import RunRequest
from services.model.store.registry import ReceptorRow, RiskSourceRow

SOURCE = RiskSourceRow("p.tank", "p", "罐", "tank", None, "7782-50-5", 119.0, 37.1, 1.5, 1000.0)
OTHER = replace(SOURCE, id="p.other", longitude=119.1)
SCHOOL = ReceptorRow("p.school", "p", "校", "school", "school", 400, 119.01, 37.1, 0.0)
KNOWN: dict[str, Any] = {
    "chemical": "7782-50-5",
    "source": {"risk_source_id": "p.tank"},
    "rate_kg_s": 1,
    "meteorology": {"wind_speed_m_s": 3, "wind_from_deg": 0, "stability": "D"},
}


def key(change: dict[str, Any] | None = None, sources: list[RiskSourceRow] | None = None) -> str | None:
    request = RunRequest.model_validate(merged(KNOWN, change or {}))
    return content_key("p", request, sources or [SOURCE, OTHER], [SCHOOL])


@pytest.mark.parametrize(
    "change",
    [
        {"wait_s": 30},
        {"rate_kg_s": 1.0},
        {"duration_s": 600},
        {"meteorology": {"stability": 4}},
        {"meteorology": {"wind_from_deg": 360}},
        {"meteorology": {"temperature_c": 20}},
    ],
)
def test_what_means_the_same_is_the_same(change: dict[str, Any]) -> None:
    assert key(change) == key() is not None


@pytest.mark.parametrize(
    "change",
    [
        {"rate_kg_s": 1.1},
        {"nodes": 200},
        {"ensemble": {"seed": 1}},
        {"meteorology": {"wind_from_deg": 10}},
        {"levels": ["aegl-2"]},
        {"source": {"risk_source_id": "p.other"}},
        {"at": "2026-01-01T00:00:00Z"},
    ],
)
def test_what_differs_differs(change: dict[str, Any]) -> None:
    assert key(change) not in (key(), None)


def test_the_order_of_levels_means_nothing() -> None:
    assert key({"levels": ["aegl-2", "aegl-1"]}) == key({"levels": ["aegl-1", "aegl-2", "aegl-1"]})


def test_the_parks_data_count_as_far_as_the_run_uses_them() -> None:
    assert key(sources=[replace(SOURCE, height_m=9.0), OTHER]) != key()
    assert key(sources=[SOURCE]) == key()
    request = RunRequest.model_validate(KNOWN)
    assert content_key("p", request, [SOURCE], []) != content_key("p", request, [SOURCE], [SCHOOL])
    assert content_key("q", request, [SOURCE], [SCHOOL]) != content_key("p", request, [SOURCE], [SCHOOL])


@pytest.mark.parametrize(
    "change",
    [{"meteorology": None}, {"rate_kg_s": None}, {"meteorology": {"stability": None}}, {"source": {"suspicion": {}}}],
)
def test_what_is_known_only_when_the_run_begins_has_no_key(change: dict[str, Any]) -> None:
    if "source" in change:
        change["source"]["risk_source_id"] = None
    assert key(change) is None


def test_the_models_version_is_that_of_its_code() -> None:
    assert len(model_version()) == 64


def test_a_merge_patch_is_that_of_rfc_7396() -> None:
    for document, patch, result in (
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ):
        assert merged(document, patch) == result
