"""What may be asked for, and what is refused with the limit that it passes."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import pytest
from pydantic import ValidationError

from services.model.runs.request import RunRequest
from services.model.runs.worst_case import worst_case

PLAIN: dict[str, Any] = {"chemical": "7782-50-5", "source": {"longitude": 119.0, "latitude": 37.1}}
VESSEL = {"phase": "gas", "hole_diameter_m": 0.01, "pressure_kpa": 700, "temperature_k": 293.15}


def test_a_request_of_two_fields_is_enough() -> None:
    request = RunRequest.model_validate(PLAIN)
    assert request.ensemble.members == 60
    assert request.estimates_rate
    assert request.diameter_m == 1.0


@pytest.mark.parametrize(
    "release",
    [
        {"release": {"kind": "continuous", "rate_kg_s": 1}},
        {"release": {"kind": "instantaneous", "mass_kg": 1000, "temperature_k": 240, "phase": "two-phase"}},
        {"release": {"kind": "series", "series": [[0, 2], [60, 0.5], [600, 0]]}},
        {"vessel": VESSEL},
        {"rate_kg_s": 1},
    ],
)
def test_each_way_to_tell_a_release_needs_no_readings(release: dict[str, Any]) -> None:
    assert not RunRequest.model_validate(PLAIN | release).estimates_rate


def test_a_pool_is_as_wide_as_its_circle() -> None:
    request = RunRequest.model_validate(PLAIN | {"source": PLAIN["source"] | {"area_m2": 100}})
    assert request.diameter_m == pytest.approx(2 * sqrt(100 / pi))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"ensemble": {"members": 1001}}, "1000"),
        ({"rate_kg_s": 1, "vessel": VESSEL}, "told twice, by rate_kg_s and vessel"),
        ({"release": {"kind": "series", "series": [[60, 1], [0, 1]]}}, "rise"),
        ({"release": {"kind": "series", "series": [[0, 0], [60, 0]]}}, "above zero"),
        ({"release": {"kind": "series", "series": [[0, 1], [30_000, 1]]}}, "21600"),
        ({"points": [{"id": "p", "longitude": 120, "latitude": 37.1}]}, "limit of 0.5°"),
        ({"points": [{"id": "p", "longitude": 119, "latitude": 37.1}] * 2}, "once"),
        ({"points": [{"id": str(i), "longitude": 119, "latitude": 37.1} for i in range(51)]}, "50"),
        ({"levels": ["aegl-9"]}, "aegl-1"),
        ({"meteorology": "best-case"}, "worst-case"),
        ({"source": PLAIN["source"] | {"area_m2": 9, "diameter_m": 3}}, "not both"),
    ],
)
def test_beyond_a_limit_the_fault_names_it(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        RunRequest.model_validate(PLAIN | change)


def test_the_worst_case_blows_towards_the_nearest_receptor() -> None:
    weather = worst_case(119.0, 37.1, [(119.01, 37.1), (119.0, 37.2)])
    assert weather.wind_speed_m_s == 1.5
    assert weather.stability == "F"
    assert weather.wind_from_deg == pytest.approx(270.0, abs=0.1)
