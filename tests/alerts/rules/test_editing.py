"""Rules edited over HTTP, and what is in force for a datastream, with real PostgreSQL and Redis."""

from typing import Any

import httpx
import pytest

from tests.alerts.park import Producer
from tests.alerts.test_app import eventually, open_alarms, park_file, tell

OVERRIDES = "/parks/p/rules/overrides"
LEVELS = [{"colour": "red", "threshold": 0.5, "source": "the permit", "deadband": 0.1}]


async def created(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post(OVERRIDES, json={"property_id": "chlorine", "reason": "test", **body})
    assert answer.status_code == 201, answer.text
    override: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"overrides/{override['id']}"
    return override


async def effective(client: httpx.AsyncClient, datastream: int = 1) -> dict[str, Any]:
    answer = await client.get("/parks/p/rules/effective", params={"datastream": datastream})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_every_number_tells_who_said_it_and_what_it_overrides(alerts: httpx.AsyncClient) -> None:
    await alerts.put("/parks/p/registry", json=park_file(rules=[{"property": "chlorine", "on_delay_s": 7}]))
    await created(alerts, ring="boundary", on_delay_s=6, off_delay_s=66)
    at_station = await created(alerts, station_id="p.s1", on_delay_s=5, reason="a slow sensor")
    await created(alerts, datastream_id=3, on_delay_s=4, levels=LEVELS)

    rules = await effective(alerts)
    assert (rules["evaluated"], rules["note"], rules["station_id"]) == (True, None, "p.s1")
    (rule,) = rules["items"]
    assert (rule["rule_id"], rule["on_delay_s"], rule["off_delay_s"]) == ("level.chlorine", 5, 66)
    chain = rule["origins"]["on_delay_s"]
    assert [(each["value"], each["scope"], each["source"]) for each in chain] == [
        (2, "default", "default"),
        (7, "park", "park_file"),
        (6, "ring", "api"),
        (5, "station", "api"),
    ]
    assert chain[0]["text"].startswith("Fenceline's default")
    last = {key: chain[-1][key] for key in ("override_id", "version", "updated_by", "reason")}
    assert last == {
        "override_id": at_station["id"],
        "version": 1,
        "updated_by": "key demo",
        "reason": "a slow sensor",
    }
    assert [level["threshold"] for level in rule["origins"]["levels"][-1]["value"]] == [1.45, 5.8, 58]

    coarser = await effective(alerts, 3)
    assert not coarser["evaluated"]
    assert "finer" in coarser["note"]
    assert coarser["items"][0]["levels"] == LEVELS
    assert coarser["items"][0]["origins"]["levels"][-1]["scope"] == "datastream"
    assert (await effective(alerts, 4))["items"] == []


async def test_an_override_changes_by_versions_and_is_removed(alerts: httpx.AsyncClient) -> None:
    first = await created(alerts, on_delay_s=5)
    path = f"{OVERRIDES}/{first['id']}"
    change = {"version": 1, "off_delay_s": 50, "reason": "too nervous"}
    second = (await alerts.put(path, json=change)).json()
    assert second == (await alerts.get(path)).json()
    assert (second["version"], second["numbers"]["on_delay_s"], second["numbers"]["off_delay_s"]) == (2, None, 50)
    stale = await alerts.put(path, json=change)
    assert (stale.status_code, stale.json()["version"]) == (409, 2)
    assert (await effective(alerts))["items"][0]["on_delay_s"] == 2

    assert (await alerts.delete(path, params={"version": 1, "reason": "x"})).status_code == 409
    assert (await alerts.delete(path, params={"version": 2})).status_code == 422  # no reason
    assert (await alerts.delete(path, params={"version": 2, "reason": "it is over"})).status_code == 204
    assert (await alerts.get(path)).status_code == 404
    assert (await effective(alerts))["items"][0]["off_delay_s"] == 2

    page = (await alerts.get(f"{path}/versions", params={"limit": 2})).json()
    assert [(v["version"], v["numbers"] is None, v["reason"]) for v in page["items"]] == [
        (3, True, "it is over"),
        (2, False, "too nervous"),
    ]
    assert page["items"][0]["updated_by"] == "key demo"
    rest = (await alerts.get(f"{path}/versions", params={"cursor": page["next"]})).json()
    assert ([v["version"] for v in rest["items"]], rest["next"]) == ([1], None)
    assert (await alerts.get(f"/parks/q/rules/overrides/{first['id']}/versions")).status_code == 404
    await created(alerts, on_delay_s=5)  # there is room again


async def test_one_override_about_one_thing_and_they_are_paged(alerts: httpx.AsyncClient) -> None:
    first = await created(alerts, ring="source", on_delay_s=5)
    again = await alerts.post(
        OVERRIDES, json={"property_id": "chlorine", "ring": "source", "on_delay_s": 6, "reason": "x"}
    )
    assert (again.status_code, again.json()["override_id"]) == (409, first["id"])
    await created(alerts, on_delay_s=5)
    await created(alerts, property_id="ammonia", on_delay_s=5)
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        page = (await alerts.get(OVERRIDES, params={"limit": 1} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [override["id"] for override in page["items"]]
        cursor = page["next"]
    assert cursor is None
    assert len(set(seen)) == 3
    assert (await alerts.get("/parks/q/rules/overrides")).json()["items"] == []
    assert (await alerts.get(f"/parks/q/rules/overrides/{first['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"on_delay_s": 5, "ring": "source", "station_id": "p.s1"}, 422, "one of ring, station_id and datastream_id"),
        ({"ring": "source"}, 422, "at least one of levels"),
        ({"on_delay_s": -1}, 422, "on_delay_s"),
        ({"on_delay_s": 5, "reason": ""}, 422, "reason"),
        ({"levels": [{**LEVELS[0], "threshold": 0}]}, 422, "threshold"),
        ({"levels": [{**LEVELS[0], "deadband": 0.5}]}, 422, "must be below the threshold, 0.5"),
        ({"on_delay_s": 5, "station_id": "p.s99"}, 404, "p.s99"),
        ({"on_delay_s": 5, "station_id": "q.s1"}, 404, "q.s1"),
        ({"on_delay_s": 5, "datastream_id": 9}, 404, "no datastream 9"),
        ({"on_delay_s": 5, "datastream_id": 1, "property_id": "ammonia"}, 422, "measures chlorine"),
        ({"on_delay_s": 5, "property_id": "wind-speed"}, 422, "weather"),
        ({"on_delay_s": 5, "ring": "meteorology"}, 422, "rings are"),
        ({"on_delay_s": 5, "property_id": "nonsense"}, 422, "property_id"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    alerts: httpx.AsyncClient, body: dict[str, Any], status: int, told: str
) -> None:
    answer = await alerts.post(OVERRIDES, json={"property_id": "chlorine", "reason": "test", **body})
    assert answer.status_code == status
    assert told in answer.text


async def test_of_a_datastream_that_is_not_the_parks_nothing_is_told(alerts: httpx.AsyncClient) -> None:
    for datastream in (9, 77):
        answer = await alerts.get("/parks/p/rules/effective", params={"datastream": datastream})
        assert answer.status_code == 404


async def test_the_evaluation_follows_an_edit(alerts: httpx.AsyncClient, producer: Producer) -> None:
    override = await created(alerts, datastream_id=1, levels=LEVELS)
    listed = (await alerts.get("/parks/p/rules", params={"property_id": "chlorine"})).json()["items"]
    assert [rule["datastream_id"] for rule in listed] == [None, None, None, 1]

    async def raised() -> bool:
        await tell(producer, 0, 0.6)
        return [alarm["colour"] for alarm in await open_alarms(alerts)] == ["red"]

    await eventually(raised, 30)
    (alarm,) = await open_alarms(alerts)
    assert alarm["threshold"] == 0.5
    await alerts.put(
        f"{OVERRIDES}/{override['id']}",
        json={"version": 1, "levels": [{**LEVELS[0], "threshold": 0.9}], "reason": "as measured"},
    )

    async def returned() -> bool:
        await tell(producer, 0, 0.6)
        return not [alarm for alarm in await open_alarms(alerts) if alarm["active"]]

    await eventually(returned, 30)


async def test_a_property_has_further_rules_by_name(alerts: httpx.AsyncClient, producer: Producer) -> None:
    file = park_file(rules=[{"name": "odour", "property": "chlorine", "levels": LEVELS, "off_delay_s": 9}])
    await alerts.put("/parks/p/registry", json=file)
    measure = {"kind": "maximum", "window_s": 60}
    own = await created(alerts, name="odour", station_id="p.s1", on_delay_s=0, measure=measure)
    await created(alerts, station_id="p.s1", on_delay_s=5)  # about another rule
    (plain, named) = (await effective(alerts))["items"]
    assert (plain["rule_id"], plain["on_delay_s"], plain["off_delay_s"]) == ("level.chlorine", 5, 2)
    assert (named["rule_id"], named["on_delay_s"], named["off_delay_s"]) == ("odour.chlorine", 0, 9)
    assert named["origins"]["on_delay_s"][-1]["override_id"] == own["id"]
    assert (plain["measure"], named["measure"], named["origins"]["measure"][-1]["value"]) == (None, measure, measure)
    assert named["origins"]["levels"][-1]["text"] == "park file, odour rule for chlorine at all rings"

    async def raised() -> bool:
        await tell(producer, 0, 0.6)
        return [(alarm["rule_id"], alarm["colour"]) for alarm in await open_alarms(alerts)] == [
            ("odour.chlorine", "red")
        ]

    await eventually(raised, 30)


async def test_the_rule_of_an_alarm_that_stands_is_not_taken_away(
    alerts: httpx.AsyncClient, producer: Producer
) -> None:
    override = await created(alerts, name="odour", datastream_id=1, levels=LEVELS)
    path = f"{OVERRIDES}/{override['id']}"

    async def raised() -> bool:
        await tell(producer, 0, 0.6)
        return bool(await open_alarms(alerts))

    await eventually(raised, 30)
    (alarm,) = await open_alarms(alerts)
    for refused in (
        await alerts.delete(path, params={"version": 1, "reason": "nonsense"}),
        await alerts.put(path, json={"version": 1, "on_delay_s": 1, "reason": "no levels any more"}),
    ):
        assert (refused.status_code, refused.json()["alarms"]) == (409, [alarm["id"]])
    assert (await alerts.get(path)).json()["version"] == 1
    raise_levels = {"version": 1, "levels": [{**LEVELS[0], "threshold": 5}], "reason": "it goes"}
    assert (await alerts.put(path, json=raise_levels)).status_code == 200

    async def returned() -> bool:
        await tell(producer, 0, 0.6)
        return not [each for each in await open_alarms(alerts) if each["active"]]

    await eventually(returned, 30)
    assert (await alerts.delete(path, params={"version": 2, "reason": "gone"})).status_code == 204
