"""Alarms at orange or red start runs by themselves: once a minute for each park and chemical, each fact once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from services.model.following import AlarmFollower, followed_alarm
from services.model.settings import ModelSettings
from services.model.wiring import Parts
from shared.levels import Colour
from shared.messages import AlarmChanged, AlarmState, AlarmTransition
from shared.streams import Fact, FactReader, publish
from tests.model.conftest import PARK, PARK_FILE, Working

START = datetime.now(UTC).replace(microsecond=0)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def alarm(
    position: int,
    after_s: float = 0.0,
    colour: Colour = Colour.ORANGE,
    transition: AlarmTransition = AlarmTransition.RAISED,
    alarm_id: UUID | None = None,
    property_id: str = "chlorine",
    station: str = "e1",
    state: AlarmState = AlarmState.UNACKNOWLEDGED,
) -> Fact:
    change = AlarmChanged(
        transition_id=uuid4(),
        alarm_id=alarm_id or uuid4(),
        park_id=PARK,
        station_id=f"{PARK}.{station}",
        datastream_id=1,
        property_id=property_id,
        rule_id="source.chlorine",
        transition=transition,
        state=state,
        colour=colour,
        peak_colour=colour,
        value=40.0,
        unit="mg/m3",
        threshold=5.8,
        event_time=START + timedelta(seconds=after_s),
        recorded_at=START + timedelta(seconds=after_s),
        raised_at=START,
    )
    return Fact("alarms", position, change.encode(), None)


async def nothing(_stream: str, _after: int, _limit: int) -> list[Fact]:
    return []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def follower(parts: Parts, settings: ModelSettings, clock: Clock) -> AlarmFollower:
    return AlarmFollower(parts.engine, FactReader(parts.redis, nothing), parts.queue, settings, clock=clock)


async def runs(parts: Parts) -> int:
    async with parts.engine.connect() as connection:
        count: int = (await connection.execute(text("SELECT count(*) FROM run WHERE trigger = 'alarm'"))).scalar_one()
    return count


async def tell(parts: Parts, follower: AlarmFollower, *facts: Fact) -> None:
    await publish(parts.redis, list(facts))
    while await follower.step(block_ms=50):
        pass


async def test_orange_starts_a_run_and_yellow_does_not(parts: Parts, follower: AlarmFollower) -> None:
    await tell(parts, follower, alarm(1, colour=Colour.YELLOW))
    assert await runs(parts) == 0
    await tell(parts, follower, alarm(2))
    assert await runs(parts) == 1


async def test_one_run_a_minute_for_a_chemical(parts: Parts, follower: AlarmFollower) -> None:
    await tell(parts, follower, alarm(1), alarm(2, 10.0, Colour.RED), alarm(3, 59.0, station="e2"))
    assert await runs(parts) == 1
    await tell(parts, follower, alarm(4, 61.0))
    assert await runs(parts) == 2
    await tell(parts, follower, alarm(5, 61.0, property_id="ammonia"))
    assert await runs(parts) == 3


async def test_the_same_fact_twice_has_one_effect(parts: Parts, follower: AlarmFollower) -> None:
    fact = alarm(1)
    await tell(parts, follower, fact)
    late = alarm(2, 500.0)
    await follower._apply(late)
    await follower._apply(late)
    await follower._apply(fact)
    assert await runs(parts) == 2


@pytest.mark.parametrize(
    ("transition", "state", "followed"),
    [
        (AlarmTransition.RAISED, AlarmState.UNACKNOWLEDGED, True),
        (AlarmTransition.ACKNOWLEDGED, AlarmState.ACKNOWLEDGED, True),
        (AlarmTransition.UNSHELVED, AlarmState.UNACKNOWLEDGED, True),
        (AlarmTransition.RAISED, AlarmState.SUPPRESSED, False),
        (AlarmTransition.ESCALATED, AlarmState.SHELVED, False),
        (AlarmTransition.COMMENTED, AlarmState.RETURNED_UNACKNOWLEDGED, False),
        (AlarmTransition.ACKNOWLEDGED, AlarmState.LATCHED, False),
        (AlarmTransition.CLOSED, AlarmState.NORMAL, False),
    ],
)
def test_what_stands_and_is_not_hidden_is_followed(
    transition: AlarmTransition, state: AlarmState, followed: bool
) -> None:
    change = AlarmChanged.decode(alarm(1, transition=transition, state=state).payload)
    assert (followed_alarm(change) is not None) is followed


def test_an_alarm_of_a_rule_across_stations_starts_no_run() -> None:
    change = AlarmChanged.decode(alarm(1).payload)
    across = change.model_copy(update={"datastream_id": None, "station_id": PARK, "rule_id": "across.fence"})
    assert followed_alarm(change) is not None
    assert followed_alarm(across) is None


async def test_an_open_alarm_is_computed_anew_until_it_returns(
    parts: Parts, follower: AlarmFollower, clock: Clock
) -> None:
    alarm_id = uuid4()
    await tell(parts, follower, alarm(1, alarm_id=alarm_id))
    clock.now += timedelta(seconds=30)
    assert await follower.renew() == []
    clock.now += timedelta(seconds=31)
    assert len(await follower.renew()) == 1
    assert await follower.renew() == []
    over = AlarmState.RETURNED_UNACKNOWLEDGED
    await tell(parts, follower, alarm(2, 62.0, Colour.ORANGE, AlarmTransition.RETURNED, alarm_id, state=over))
    clock.now += timedelta(seconds=300)
    assert await follower.renew() == []
    assert await runs(parts) == 2


async def test_an_alarm_that_falls_to_yellow_is_followed_no_longer(
    parts: Parts, follower: AlarmFollower, clock: Clock
) -> None:
    alarm_id = uuid4()
    await tell(parts, follower, alarm(1, alarm_id=alarm_id))
    await tell(parts, follower, alarm(2, 5.0, Colour.YELLOW, AlarmTransition.DEESCALATED, alarm_id))
    clock.now += timedelta(seconds=100)
    assert await follower.renew() == []


async def test_a_fact_that_cannot_be_read_is_passed_by(parts: Parts, follower: AlarmFollower) -> None:
    await tell(parts, follower, Fact("alarms", 1, b"{}", None), alarm(2))
    assert await runs(parts) == 1


async def test_the_run_of_an_alarm_finds_its_source_and_draws_a_footprint(
    client: object, parts: Parts, follower: AlarmFollower, working: Working
) -> None:
    import httpx

    from tests.model.test_api import RUNS, until_finished

    assert isinstance(client, httpx.AsyncClient)
    assert PARK_FILE
    await tell(parts, follower, alarm(1))
    run_id = (await client.get(RUNS)).json()["items"][0]["id"]
    async with working():
        run = await until_finished(client, run_id)
    assert run["state"] == "succeeded", run["error"]
    assert run["trigger"] == "alarm"
    assert run["source"]["risk_source_id"] == f"{PARK}.cl2-tank"
    result = run["result"]
    codes = {entry["code"] for entry in result["assumptions"]}
    assert {"release-start-estimated", "release-goes-on", "rate-estimated"} <= codes
    # It has smelled for five minutes, and the first station is a minute's way from the tank.
    assert 280 < result["times"]["now_s"] < 420
    lowest = result["zones"]["features"][-1]["properties"]
    assert lowest["level_mg_m3"] == 0.58
    assert lowest["area_m2"] > 5000
