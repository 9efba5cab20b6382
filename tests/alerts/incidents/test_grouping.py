"""Which alarms belong together: time, gas, distance, wind. Stations on a line to the east, nearly 1 km apart."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.incidents import Candidate, Grouping, Member, Newcomer, Place, Wind, choose

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
RULE = Grouping()
EAST_KM = 990 / (111_195 * 0.7986)  # cos(37 degrees)
PLACES = {f"s{i}": Place(119 + i * EAST_KM, 37.0) for i in range(10)} | {"beside": Place(119 + 0.3 * EAST_KM, 37.0)}
FIRST, SECOND = UUID(int=1), UUID(int=2)


def minutes(count: float) -> datetime:
    return NOON + timedelta(minutes=count)


def member(station: str = "s0", gas: str | None = "ammonia", at: float = 0, until: float | None = None) -> Member:
    """One alarm: raised at a minute, active unless it has returned at another."""
    ended = minutes(at if until is None else until)
    active = until is None
    since = minutes(at) if active else None
    return Member(station, gas, 1, int(active), 1, 2 if active else 0, 2, minutes(at), ended, since)


def incident(*members: Member, name: UUID = FIRST, opened: float = 0) -> Candidate:
    return Candidate(name, minutes(opened), members or (member(),))


def newcomer(station: str = "s1", gas: str | None = "ammonia", at: float = 5) -> Newcomer:
    return Newcomer(station, gas, minutes(at))


def joins(new: Newcomer, *known: Candidate, wind: Wind | None = None, rule: Grouping = RULE) -> UUID | None:
    return choose(new, known, PLACES, wind, rule)


def test_the_first_alarm_begins_an_incident() -> None:
    assert joins(newcomer()) is None


@pytest.mark.parametrize(
    ("until", "at", "together"),
    [
        (None, 0, True),
        (None, 23 * 60, True),  # it stands all the while
        (None, 25 * 60, False),  # it has stood too long to be news
        (10, 39, True),
        (10, 41, False),
        (10, -29, True),  # told late, raised before
        (10, -31, False),
    ],
)
def test_in_time(until: float | None, at: float, together: bool) -> None:
    assert (joins(newcomer(at=at), incident(member(until=until))) is not None) is together


@pytest.mark.parametrize(
    ("station", "gas", "together"),
    [
        ("s1", "ammonia", True),
        ("s5", "ammonia", True),
        ("s6", "ammonia", False),  # out of reach
        ("s1", "chlorine", False),
        ("s0", "chlorine", True),  # a mixture
        ("beside", "chlorine", True),
        ("nowhere", "ammonia", True),
        ("nowhere", "chlorine", False),
        ("s1", None, False),
    ],
)
def test_by_gas_and_distance(station: str, gas: str | None, together: bool) -> None:
    assert (joins(newcomer(station, gas), incident()) is not None) is together


@pytest.mark.parametrize(
    ("from_deg", "speed", "together"),
    [
        (270, 3, True),  # from the first to the second
        (90, 3, True),  # from the second to the first
        (310, 3, True),
        (320, 3, False),
        (0, 3, False),
        (180, 3, False),
        (0, 0.4, True),  # calm
        (270, 0.6, True),  # 1080 m in half an hour
    ],
)
def test_along_the_wind(from_deg: float, speed: float, together: bool) -> None:
    assert (joins(newcomer("s1"), incident(), wind=Wind(from_deg, speed)) is not None) is together


def test_no_farther_than_the_wind_comes() -> None:
    slow = Wind(270, 0.6)
    assert joins(newcomer("s2"), incident(), wind=slow) is None
    assert joins(newcomer("s2"), incident(), wind=replace(slow, speed_m_s=2)) == FIRST


def test_across_the_wind_next_door_is_still_the_same_event() -> None:
    assert joins(newcomer("beside"), incident(), wind=Wind(0, 3)) == FIRST


def test_stations_that_fall_silent_together_are_one_event_wherever_they_stand() -> None:
    silent = incident(member(gas=None))
    assert joins(newcomer("s9", None), silent, wind=Wind(0, 3)) == FIRST
    assert joins(newcomer("s9", None, at=25 * 60), silent) is None
    assert joins(newcomer("s0", "ammonia"), silent) is None


def test_of_several_the_one_of_the_same_gas_then_the_nearest_then_the_oldest() -> None:
    other_gas = incident(member("s1", "chlorine"), name=FIRST)
    assert joins(newcomer("s1"), other_gas, incident(member("s4"), name=SECOND)) == SECOND
    assert joins(newcomer("s1"), incident(member("s5")), incident(member("s2"), name=SECOND)) == SECOND
    assert joins(newcomer("s1"), incident(member("s1"), opened=1), incident(member("s1"), name=SECOND)) == SECOND


def test_an_incident_takes_so_many_and_no_more() -> None:
    two = incident(member(), member("s1"))
    assert joins(newcomer(), two, rule=Grouping(most_alarms=3)) == FIRST
    assert joins(newcomer(), two, rule=Grouping(most_alarms=2)) is None


STATIONS = st.sampled_from(sorted(PLACES))
GASES = st.sampled_from(["ammonia", "chlorine", None])
MEMBERS = st.builds(member, STATIONS, GASES, st.floats(-100, 100))


@given(
    st.lists(st.lists(MEMBERS, min_size=1, max_size=4), max_size=5),
    st.builds(newcomer, STATIONS, GASES, st.floats(-100, 100)),
    st.none() | st.builds(Wind, st.floats(0, 360), st.floats(0, 20)),
    st.randoms(use_true_random=False),
)
def test_the_order_in_which_incidents_are_looked_at_does_not_matter(
    known: Sequence[Sequence[Member]], new: Newcomer, wind: Wind | None, random: Random
) -> None:
    incidents = [Candidate(UUID(int=i + 1), NOON, tuple(members)) for i, members in enumerate(known)]
    shuffled = [replace(one, members=tuple(random.sample(one.members, len(one.members)))) for one in incidents]
    random.shuffle(shuffled)
    chosen = choose(new, incidents, PLACES, wind, RULE)
    assert choose(new, shuffled, PLACES, wind, RULE) == chosen
    if chosen is None:
        assert all(choose(new, [one], PLACES, wind, RULE) is None for one in incidents)
