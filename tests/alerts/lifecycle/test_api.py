"""What operators do, over HTTP, against the whole service: real PostgreSQL and Redis, real seconds."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from services.alerts.engine.rulebook import RuleBook
from shared.messages import AlarmChanged
from shared.streams import FACTS
from shared.time import utc_now
from tests.alerts.park import Producer, datastream
from tests.alerts.rounds import Rounds
from tests.alerts.test_app import eventually, park_file, raised, served, service, settings_of, tell

REASON = "the analyser drifts"


@pytest.fixture
async def alerts(
    database_url: str, redis_url: str, internal_token: str, producer: Producer, unused_port: Callable[[], int]
) -> AsyncIterator[httpx.AsyncClient]:
    producer.datastreams.append(datastream(9, park_id="q", station_id="q.s1"))
    port = unused_port()
    settings = settings_of(database_url, redis_url, internal_token, port, alerts_shelve_most_s=600)
    async with served(producer.app, port), service(settings, internal_token) as client:

        async def ready() -> bool:
            return (await client.get("/health/ready")).status_code == 200

        await eventually(ready)
        yield client


async def do(client: httpx.AsyncClient, alarm: dict[str, Any], action: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"/parks/p/alarms/{alarm['id']}/{action}", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def look(client: httpx.AsyncClient, alarm: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/parks/p/alarms/{alarm['id']}")).json()
    return found


def journal(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """Less the calls, which come when they are due."""
    return [entry for entry in alarm["journal"] if entry["action"] != "call"]


async def come_to(client: httpx.AsyncClient, alarm: dict[str, Any], **wanted: Any) -> dict[str, Any]:
    async def there() -> bool:
        found = await look(client, alarm)
        return all(found[name] == value for name, value in wanted.items())

    await eventually(there)
    return await look(client, alarm)


async def end_condition(producer: Producer) -> None:
    for ago_s in (5, 3, 1):
        await tell(producer, ago_s, 0.1)


async def test_a_shelved_alarm_calls_nobody_and_comes_back_by_itself(
    alerts: httpx.AsyncClient, producer: Producer
) -> None:
    alarm = await raised(alerts, producer)
    path = f"/parks/p/alarms/{alarm['id']}"
    for wrong in ({"for_s": 5}, {"reason": REASON}, {"for_s": 601, "reason": REASON}, {"for_s": 5, "reason": " "}):
        answer = await alerts.post(f"{path}/shelve", json=wrong)
        assert answer.status_code == 422, wrong
    assert "600" in (await alerts.post(f"{path}/shelve", json={"for_s": 601, "reason": REASON})).json()["detail"]

    shelved = await do(alerts, alarm, "shelve", for_s=2, reason=REASON)
    assert (shelved["state"], shelved["active"], shelved["shelved_once"]) == ("shelved", True, False)
    assert shelved["allowed"] == ["assign", "comment", "shelve", "unshelve"]
    refused = await alerts.post(f"{path}/acknowledge", json={})
    assert refused.status_code == 409
    assert (refused.json()["state"], refused.json()["allowed"]) == ("shelved", shelved["allowed"])
    (listed,) = (await alerts.get("/parks/p/alarms", params={"state": "shelved"})).json()["items"]
    assert listed["id"] == alarm["id"]
    assert (await alerts.get("/parks/p/alarms", params={"state": "suppressed"})).json()["items"] == []
    await tell(producer, 2, 80.0)
    await tell(producer, 0, 80.0)
    assert (await come_to(alerts, alarm, colour="red"))["state"] == "shelved"

    back = await come_to(alerts, alarm, state="unacknowledged")
    assert (back["colour"], back["shelved_until"]) == ("red", None)
    shelve, unshelve = (entry for entry in back["journal"] if entry["action"] in ("shelve", "unshelve"))
    assert (shelve["actor"], shelve["comment"], shelve["detail"]["once"]) == ("key demo", REASON, False)
    assert (unshelve["actor"], unshelve["comment"]) == (None, "the time of the shelving is over")
    assert unshelve["recorded_at"] >= shelve["detail"]["until"]


async def test_what_returned_while_it_was_shelved_is_closed_after_it(
    alerts: httpx.AsyncClient, producer: Producer
) -> None:
    alarm = await raised(alerts, producer)
    assert (await alerts.post(f"/parks/p/alarms/{alarm['id']}/unshelve", json={})).status_code == 409
    await do(alerts, alarm, "shelve", for_s=300, reason=REASON)
    await end_condition(producer)
    await come_to(alerts, alarm, state="shelved", active=False)
    closed = await do(alerts, alarm, "unshelve", comment="mended")
    assert (closed["state"], closed["allowed"]) == ("normal", ["comment"])


async def test_shelved_once_ends_with_the_condition(alerts: httpx.AsyncClient, producer: Producer) -> None:
    alarm = await raised(alerts, producer)
    shelved = await do(alerts, alarm, "shelve", once=True, reason=REASON)
    assert shelved["shelved_until"] > utc_now().isoformat()
    await end_condition(producer)
    closed = await come_to(alerts, alarm, state="normal")
    assert [entry["action"] for entry in journal(closed)] == ["raise", "shelve", "return", "close"]


async def test_a_latching_alarm_is_reset_by_hand(
    alerts: httpx.AsyncClient, producer: Producer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules_asked = Rounds(monkeypatch, RuleBook, "refresh")
    taken = await alerts.put("/parks/p/registry", json=park_file(rules=[{"property": "chlorine", "latching": True}]))
    assert taken.status_code == 200
    await rules_asked.one_more()
    alarm = await raised(alerts, producer)
    assert alarm["latching"]
    await end_condition(producer)
    await come_to(alerts, alarm, state="latched_unacknowledged", active=False)
    refused = await alerts.post(f"/parks/p/alarms/{alarm['id']}/reset", json={})
    assert refused.status_code == 409
    assert refused.json()["allowed"] == ["acknowledge", "assign", "comment", "shelve"]
    latched = await do(alerts, alarm, "acknowledge", comment="seen")
    assert (latched["state"], "reset" in latched["allowed"]) == ("latched", True)
    closed = await do(alerts, alarm, "reset", comment="valve closed")
    assert (closed["state"], closed["acknowledged_by"], closed["comment"]) == ("normal", "key demo", "seen")


async def test_who_is_to_see_to_it_and_what_was_said_stand_in_the_journal(
    alerts: httpx.AsyncClient, producer: Producer
) -> None:
    alarm = await raised(alerts, producer)
    assert (await do(alerts, alarm, "assign", assignee="shift B"))["assigned_to"] == "shift B"
    assert (await do(alerts, alarm, "comment", comment="called the plant"))["state"] == "unacknowledged"
    assert (await do(alerts, alarm, "assign", assignee=None))["assigned_to"] is None
    await do(alerts, alarm, "acknowledge")
    await end_condition(producer)
    await come_to(alerts, alarm, state="normal")
    closed = await do(alerts, alarm, "comment", comment="it was the drain")
    assert closed["closed_at"] is not None
    assert (await alerts.post(f"/parks/p/alarms/{alarm['id']}/assign", json={"assignee": "x"})).status_code == 409
    assert [(entry["action"], entry["comment"]) for entry in journal(await look(alerts, alarm))] == [
        ("raise", None),
        ("assign", None),
        ("comment", "called the plant"),
        ("assign", None),
        ("acknowledge", None),
        ("return", None),
        ("close", None),
        ("comment", "it was the drain"),
    ]


def maintenance(**more: Any) -> dict[str, Any]:
    return {"kind": "maintenance", "station_id": "p.s1", "for_s": 600, "reason": "calibration", **more}


async def test_gas_alarms_of_a_station_under_maintenance_call_nobody(
    alerts: httpx.AsyncClient, producer: Producer
) -> None:
    for status, body in (
        (404, maintenance(station_id="q.s1")),
        (404, maintenance(station_id="p.none")),
        (422, maintenance(datastream_id=2)),
        (422, maintenance(for_s=None)),
        (422, maintenance(for_s=1e6)),
        (422, maintenance(reason="")),
    ):
        answer = await alerts.post("/parks/p/suppressions", json=body)
        assert answer.status_code == status, answer.text
    begun = await alerts.post("/parks/p/suppressions", json=maintenance())
    assert begun.status_code == 201, begun.text
    assert (begun.json()["begun_by"], begun.json()["ended_at"]) == ("key demo", None)
    assert (await alerts.post("/parks/p/suppressions", json=maintenance())).status_code == 409

    alarm = await raised(alerts, producer)
    assert (alarm["state"], alarm["active"], alarm["suppressed_by"]) == ("suppressed", True, ["maintenance"])

    path = f"/parks/p/suppressions/{begun.json()['id']}/end"
    assert (await alerts.post(path.replace("/p/", "/q/"), json={})).status_code == 404
    ended = await alerts.post(path, json={"comment": "done early"})
    assert (ended.status_code, ended.json()["end_comment"]) == (200, "done early")
    back = await look(alerts, alarm)
    assert (back["state"], back["suppressed_by"]) == ("unacknowledged", [])
    last = journal(back)[-1]
    assert (last["action"], last["actor"], last["comment"]) == ("unsuppress", "key demo", "done early")
    assert (await alerts.post(path, json={})).status_code == 409
    assert (await alerts.get("/parks/p/suppressions")).json()["items"] == []
    (kept,) = (await alerts.get("/parks/p/suppressions", params={"state": "all"})).json()["items"]
    assert kept["id"] == begun.json()["id"]

    async def told() -> list[tuple[str, str, bool | None]]:
        entries: Any = await producer.redis.xrange(FACTS + "alarms")
        facts = [AlarmChanged.decode(fields[b"payload"]) for _, fields in entries]
        return [(fact.transition, fact.state, fact.active) for fact in facts]

    async def both() -> bool:
        return len(await told()) == 2

    await eventually(both)
    assert await told() == [("raised", "suppressed", True), ("unsuppressed", "unacknowledged", True)]


async def test_out_of_service_hides_what_stands_and_ends_by_itself(
    alerts: httpx.AsyncClient, producer: Producer
) -> None:
    alarm = await raised(alerts, producer)
    body = {"kind": "out_of_service", "station_id": "p.s1", "datastream_id": 1, "for_s": 1.5, "reason": "no sensor"}
    assert (await alerts.post("/parks/p/suppressions", json=body)).status_code == 201
    out = await look(alerts, alarm)
    assert (out["state"], out["out_of_service"], out["allowed"]) == ("out_of_service", True, ["assign", "comment"])
    back = await come_to(alerts, alarm, state="unacknowledged")
    assert journal(back)[-1]["action"] == "return_to_service"
    (ended,) = (await alerts.get("/parks/p/suppressions", params={"state": "all"})).json()["items"]
    assert (ended["ended_by"], ended["end_comment"]) == (None, "the time of the suppression is over")


async def test_suppressions_are_paged_the_latest_first(alerts: httpx.AsyncClient) -> None:
    for body in (maintenance(), maintenance(kind="out_of_service"), maintenance(station_id="p.s2")):
        assert (await alerts.post("/parks/p/suppressions", json=body)).status_code == 201
    whole = (await alerts.get("/parks/p/suppressions")).json()["items"]
    assert [said["station_id"] for said in whole] == ["p.s2", "p.s1", "p.s1"]
    paged: list[Any] = []
    cursor: str | None = None
    for _ in whole:
        asked = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
        page = (await alerts.get("/parks/p/suppressions", params=asked)).json()
        paged += page["items"]
        cursor = page["next"]
    assert (paged, cursor) == (whole, None)
