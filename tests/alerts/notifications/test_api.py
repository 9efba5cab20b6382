"""Floods and calls over HTTP."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

import httpx
import pytest

from shared.messages import ObservationsStored
from shared.streams import OBSERVATION_SHARDS, shard_of
from shared.time import to_microseconds, utc_now
from tests.alerts.park import Producer, datastream
from tests.alerts.test_app import eventually, served, service, settings_of


@pytest.fixture
async def alerts(
    database_url: str, redis_url: str, internal_token: str, producer: Producer, unused_port: Callable[[], int]
) -> AsyncIterator[httpx.AsyncClient]:
    producer.datastreams[:] = [datastream(number, longitude=119.0 if number < 3 else 119.5) for number in range(1, 13)]
    port = unused_port()
    async with (
        served(producer.app, port),
        service(settings_of(database_url, redis_url, internal_token, port), internal_token) as client,
    ):
        yield client


async def got(client: httpx.AsyncClient, path: str, **asked: Any) -> dict[str, Any]:
    answer = await client.get(f"/parks/p/{path}", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_flood_shows_its_incidents_and_every_alarm_was_told(
    alerts: httpx.AsyncClient, producer: Producer
) -> None:
    calm = await got(alerts, "flood")
    assert (calm["in_flood"], calm["begins_above"], calm["ends_below"], calm["incidents"]) == (False, 10, 5, [])
    now = to_microseconds(utc_now())
    for number in range(1, 13):
        readings = [(number, now - ago * 1_000_000, 40.0 if number == 1 else 3.0, "N") for ago in (9, 6, 3)]
        stream = f"observations.{shard_of(f'p.s{number}', OBSERVATION_SHARDS)}"
        await producer.tell(stream, ObservationsStored.of(readings, received_at=now))

    async def flooded() -> bool:
        counts: dict[str, int] = (await got(alerts, "flood"))["alarms"]
        return sum(counts.values()) == 12

    await eventually(flooded)
    status = await got(alerts, "flood")
    assert (status["in_flood"], status["alarms"]) == (True, {"blue": 0, "yellow": 11, "orange": 1, "red": 0})
    # Stations 1 and 2 stand far from the others.
    assert [(one["colour"], one["alarms"]) for one in status["incidents"]] == [("orange", 2), ("yellow", 10)]
    assert status["more_incidents"] == 0
    few = await got(alerts, "flood", limit=1)
    assert ([one["colour"] for one in few["incidents"]], few["more_incidents"]) == (["orange"], 1)
    (flood,) = (await got(alerts, "floods"))["items"]
    assert (flood["ended_at"], sum(flood["alarms"].values())) == (None, 12)

    await alerts.put("/parks/p/alarm-policy", json={"policy": {"flood": {"hold_s": 0}}, "reason": "drill"})

    async def all_called() -> bool:
        calls = (await got(alerts, "notifications"))["items"]
        return sum(len(call["alarm_ids"]) for call in calls) == 12

    await eventually(all_called)
    calls = (await got(alerts, "notifications"))["items"]
    assert {call["role"] for call in calls} == {"operator"}
    assert len({name for call in calls for name in call["alarm_ids"]}) == 12
    alarms = (await got(alerts, "alarms"))["items"]
    assert {alarm["incident_id"] for alarm in alarms} == {one["id"] for one in status["incidents"]}
    assert {alarm["id"]: alarm["incident_id"] for alarm in alarms} == {
        name: call["incident_id"] for call in calls for name in call["alarm_ids"]
    }
    for alarm in alarms:
        waits = alarm["escalation"]
        assert (waits["called"], waits["next_role"]) == (["operator"], "shift_leader")
        assert (datetime.fromisoformat(waits["next_at"]) - datetime.fromisoformat(waits["since"])).seconds == 300
    lines = (await got(alerts, f"incidents/{alarms[0]['incident_id']}/timeline"))["items"]
    told = {line["what"]: line["detail"] for line in lines if line["alarm_id"] == alarms[0]["id"]}
    assert (told["call"]["role"], told["raise"]) == ("operator", None)
    noted = await alerts.post(f"/parks/p/alarms/{alarms[0]['id']}/acknowledge", json={})
    assert (noted.json()["escalation"], noted.json()["incident_id"]) == (None, alarms[0]["incident_id"])
    looked_at = await got(alerts, f"alarms/{alarms[0]['id']}")
    assert {name: value for name, value in looked_at.items() if name != "journal"} == noted.json()

    paged: list[dict[str, Any]] = []
    cursor: str | None = None
    for _ in calls:
        page = await got(alerts, "notifications", limit=1, **({"cursor": cursor} if cursor else {}))
        paged += page["items"]
        cursor = page["next"]
    assert (paged, cursor) == (calls, None)
    assert (await alerts.get("/parks/p/notifications", params={"cursor": "eHh4"})).status_code == 400
