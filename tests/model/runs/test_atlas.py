"""The matrix of an atlas and the member that is nearest to a wind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.model.runs.atlas import Matrix, Wind, distance, member_request, nearest
from services.model.runs.request import GivenMeteorology, RunRequest


def test_every_combination_stands_once() -> None:
    matrix = Matrix(sectors=8, wind_speeds_m_s=[3, 1.5, 3], stabilities=[4, 6])
    members = matrix.members()
    assert len(members) == len(set(members)) == matrix.size == 32
    assert {wind.wind_from_deg for wind in members} == {0, 45, 90, 135, 180, 225, 270, 315}


def test_too_many_combinations_are_refused_with_the_limit() -> None:
    with pytest.raises(ValidationError, match="limit of 1000"):
        Matrix(sectors=72, wind_speeds_m_s=[1, 2, 3, 4], stabilities=[1, 2, 3, 4])


def test_a_member_keeps_the_scenario_and_has_the_weather_of_its_place() -> None:
    request = RunRequest.model_validate(
        {"chemical": "7782-50-5", "source": {"longitude": 1, "latitude": 1}, "rate_kg_s": 2, "wait_s": 5}
    )
    member = member_request(request, Matrix(), Wind(90.0, 3.0, 4.0))
    assert isinstance(member.meteorology, GivenMeteorology)
    assert (member.meteorology.wind_from_deg, member.meteorology.stability) == (90.0, 4.0)
    assert (member.rate_kg_s, member.wait_s, member.ensemble.members) == (2, 0, 0)


@pytest.mark.parametrize(
    ("wind", "expected"),
    [
        (Wind(359.0, 3.0, 4.0), Wind(0.0, 3.0, 4.0)),
        (Wind(80.0, 0.0, 6.0), Wind(90.0, 1.5, 6.0)),
        (Wind(180.0, 20.0, 4.4), Wind(180.0, 6.0, 4.0)),
    ],
)
def test_the_nearest_member(wind: Wind, expected: Wind) -> None:
    matrix = Matrix(sectors=16, wind_speeds_m_s=[1.5, 3, 6], stabilities=[2, 4, 6])
    members = matrix.members()
    assert members[nearest(wind, members, matrix.sectors)] == expected


winds = st.builds(Wind, st.floats(0, 360), st.floats(0, 40), st.floats(1, 6))


@given(winds, winds)
def test_distance_is_symmetric_and_nothing_to_itself(one: Wind, other: Wind) -> None:
    assert distance(one, one, 16) == pytest.approx(0.0, abs=1e-9)
    assert distance(one, other, 16) == pytest.approx(distance(other, one, 16))
