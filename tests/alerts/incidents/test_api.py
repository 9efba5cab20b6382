"""Incidents over HTTP, from the first raise to the reason why it is closed."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.messages import ObservationsStored
from shared.streams import OBSERVATION_SHARDS, shard_of
from shared.time import to_microseconds, utc_now
from tests.alerts.park import Producer, datastream
from tests.alerts.test_app import eventually, open_alarms, raised, served, service, settings_of, tell


@pytest.fixture
async def alerts(
    database_url: str, redis_url: str, internal_token: str, producer: Producer, unused_port: Callable[[], int]
) -> AsyncIterator[httpx.AsyncClient]:
    port = unused_port()
    async with (
        served(producer.app, port),
        service(settings_of(database_url, redis_url, internal_token, port), internal_token) as client,
    ):
        yield client


async def all_incidents(client: httpx.AsyncClient, **asked: Any) -> list[dict[str, Any]]:
    answer = await client.get("/parks/p/incidents", params=asked)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_an_incident_is_followed_and_closed_with_a_reason(alerts: httpx.AsyncClient, producer: Producer) -> None:
    alarm = await raised(alerts, producer)
    (incident,) = await all_incidents(alerts, alarm_id=alarm["id"])
    assert (incident["state"], incident["alarms"], incident["active"]) == ("active", 1, 1)
    assert await all_incidents(alerts, alarm_id=str(uuid4())) == []
    path = f"/parks/p/incidents/{incident['id']}"
    closing = {"kind": "false_alarm", "reason": "the analyser was being calibrated"}

    early = await alerts.post(f"{path}/close", json=closing)
    assert (early.status_code, early.json()["state"], early.json()["active"]) == (409, "active", 1)
    assert (await alerts.post(f"{path}/close", json={"kind": "release", "reason": ""})).status_code == 422

    for ago_s in (5, 3, 1):
        await tell(producer, ago_s, 0.1)

    async def settled() -> bool:
        state: str = (await alerts.get(path)).json()["state"]
        return state == "settled"

    await eventually(settled)
    await alerts.post(f"/parks/p/alarms/{alarm['id']}/acknowledge", json={})
    assert (await alerts.get(path)).json()["unacknowledged"] == 0
    answer = await alerts.post(f"{path}/close", json=closing)
    assert answer.status_code == 200, answer.text
    closed = answer.json()
    assert (closed["state"], closed["closed_by"], closed["reason_kind"]) == ("closed", "key demo", "false_alarm")
    assert (await alerts.post(f"{path}/close", json=closing)).status_code == 409
    assert await all_incidents(alerts) == []
    assert [one["id"] for one in await all_incidents(alerts, state="all")] == [incident["id"]]
    assert await open_alarms(alerts) == []

    whole: list[dict[str, Any]] = []
    cursor: str | None = None
    for _ in range(20):
        asked = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await alerts.get(f"{path}/timeline", params=asked)).json()
        whole += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(line["what"] for line in whole[:2]) == ["opened", "raise"]
    assert [line["what"] for line in whole if line["alarm_id"] is None] == ["opened", "settled", "closed"]
    # On a slow machine the watch has called the operator before the alarm was over.
    of_the_alarm = [line["what"] for line in whole if line["alarm_id"] and line["what"] != "call"]
    assert of_the_alarm == ["raise", "return", "acknowledge", "close"]
    assert (whole[-1]["what"], whole[-1]["comment"]) == ("closed", "the analyser was being calibrated")
    assert len({line["id"] for line in whole}) == len(whole)


async def test_what_is_not_there_is_not_found(alerts: httpx.AsyncClient, producer: Producer) -> None:
    await raised(alerts, producer)
    (incident,) = await all_incidents(alerts)
    for path in (f"/parks/q/incidents/{incident['id']}", f"/parks/p/incidents/{uuid4()}"):
        assert (await alerts.get(path)).status_code == 404
        assert (await alerts.get(f"{path}/timeline")).status_code == 404
        closing = {"kind": "test", "reason": "none"}
        assert (await alerts.post(f"{path}/close", json=closing)).status_code == 404
    for path in ("/parks/p/incidents", f"/parks/p/incidents/{incident['id']}/timeline"):
        assert (await alerts.get(path, params={"cursor": "eHh4"})).status_code == 400


async def test_incidents_are_paged_the_latest_first(alerts: httpx.AsyncClient, producer: Producer) -> None:
    apart = {"grouping": {"reach_m": 0, "near_m": 0}}
    await alerts.put("/parks/p/alarm-policy", json={"policy": apart, "reason": "every station by itself"})
    producer.datastreams.append(datastream(3, "ammonia", longitude=119.5))
    await raised(alerts, producer)
    now = to_microseconds(utc_now())
    stream = f"observations.{shard_of('p.s3', OBSERVATION_SHARDS)}"
    for ago_s in (9, 6, 3):
        message = ObservationsStored.of([(3, now - ago_s * 1_000_000, 500.0, "N")], received_at=now)
        await producer.tell(stream, message)

    async def both() -> bool:
        return len(await all_incidents(alerts)) == 2

    await eventually(both)
    first = (await alerts.get("/parks/p/incidents", params={"limit": 1})).json()
    second = (await alerts.get("/parks/p/incidents", params={"limit": 1, "cursor": first["next"]})).json()
    assert [one["property_ids"] for one in first["items"] + second["items"]] == [["ammonia"], ["chlorine"]]
    assert second["next"] is None


async def test_the_policy_of_a_park(alerts: httpx.AsyncClient) -> None:
    default = (await alerts.get("/parks/p/alarm-policy")).json()
    assert (default["version"], default["policy"]["grouping"]["quiet_s"]) == (0, 1800)
    policy = {"grouping": {"quiet_s": 600}}
    for version in (1, 2):
        answer = await alerts.put("/parks/p/alarm-policy", json={"policy": policy, "reason": "short events"})
        assert answer.status_code == 200, answer.text
        kept = answer.json()
        assert (kept["version"], kept["updated_by"], kept["reason"]) == (version, "key demo", "short events")
        assert (kept["policy"]["grouping"]["quiet_s"], kept["policy"]["grouping"]["near_m"]) == (600, 500)
    assert (await alerts.get("/parks/p/alarm-policy")).json() == kept
    assert (await alerts.get("/parks/q/alarm-policy")).json()["version"] == 0
    wrong_ones: list[dict[str, Any]] = [{"grouping": {"quiet_s": 0}}, {"grouping": {"colour": 1}}, {"flod": {}}]
    for wrong in wrong_ones:
        answer = await alerts.put("/parks/p/alarm-policy", json={"policy": wrong, "reason": "x"})
        assert answer.status_code == 422
