"""Rules across stations over HTTP and in park files, with real PostgreSQL and Redis."""

from typing import Any

import httpx

from shared.messages import ObservationsStored
from shared.streams import OBSERVATION_SHARDS, observation_stream, shard_of
from shared.time import to_microseconds, utc_now
from tests.alerts.park import Producer, datastream
from tests.alerts.test_app import eventually, open_alarms, park_file

ACROSS = "/parks/p/rules/across"
RULE: dict[str, Any] = {
    "name": "fence",
    "condition": {"kind": "k_of_n", "property": "chlorine", "k": 2, "within_s": 30, "along_wind": True},
    "levels": [
        {"colour": "red", "threshold": 5, "source": "permit"},
        {"colour": "yellow", "threshold": 1, "source": "permit"},
    ],
    "on_delay_s": 7,
}
MIXTURE: dict[str, Any] = {
    "name": "mixture",
    "condition": {
        "kind": "sum_of_ratios",
        "station": "s1",
        "limits": [
            {"property": "chlorine", "limit": 1, "source": "GBZ 2.1-2019"},
            {"property": "ammonia", "limit": 20, "source": "GBZ 2.1-2019"},
        ],
    },
    "levels": [{"colour": "yellow", "threshold": 1, "source": "GBZ 2.1-2019"}],
}
STATION = {
    "id": "s1",
    "name": {"zh": "站", "en": "s1"},
    "ring": "boundary",
    "location": {"longitude": 119.05, "latitude": 37.05},
    "datastreams": [{"property": "chlorine", "unit": "mg/m3"}],
}


async def created(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await client.post(ACROSS, json={**RULE, "reason": "test", **more})
    assert answer.status_code == 201, answer.text
    rule: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"across/{rule['id']}"
    return rule


async def test_a_rule_tells_its_numbers_its_stations_and_all_its_versions(alerts: httpx.AsyncClient) -> None:
    made = await created(alerts)
    shown = (await alerts.get(f"{ACROSS}/{made['id']}")).json()
    assert [level["colour"] for level in shown["levels"]] == ["yellow", "red"]
    assert shown["numbers"]["on_delay_s"] == {"value": 7, "source": "version 1 by key demo: test"}
    assert shown["numbers"]["off_delay_s"]["source"].startswith("Fenceline's default")
    assert (shown["rule_id"], shown["property_id"], shown["unit"]) == ("across.fence", "chlorine", "mg/m3")
    assert [member["datastream_id"] for member in shown["members"]] == [1]  # 2 is at a source, 3 is coarser
    assert "1 stations measure it" in shown["note"]

    assert (await alerts.post(ACROSS, json={**RULE, "reason": "again"})).status_code == 409
    changed = {**RULE, "on_delay_s": 9, "reason": "slower", "version": 1}
    assert (await alerts.put(f"{ACROSS}/{made['id']}", json=changed)).json()["version"] == 2
    stale = await alerts.put(f"{ACROSS}/{made['id']}", json=changed)
    assert (stale.status_code, stale.json()["version"]) == (409, 2)
    renamed = {**changed, "name": "other", "version": 2}
    assert (await alerts.put(f"{ACROSS}/{made['id']}", json=renamed)).status_code == 422
    removed = await alerts.delete(f"{ACROSS}/{made['id']}", params={"version": 2, "reason": "done"})
    assert removed.status_code == 204
    versions = (await alerts.get(f"{ACROSS}/{made['id']}/versions", params={"limit": 2})).json()
    assert [(each["version"], each["reason"]) for each in versions["items"]] == [(3, "done"), (2, "slower")]
    assert versions["items"][0]["rule"] is None
    rest = (await alerts.get(f"{ACROSS}/{made['id']}/versions", params={"cursor": versions["next"]})).json()
    assert [each["rule"]["on_delay_s"] for each in rest["items"]] == [7]
    assert (await alerts.get(f"{ACROSS}/{made['id']}")).status_code == 404


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"condition": {"kind": "k_of_n", "property": "wind-speed", "k": 2}}, "no gas"),
    ({"condition": {"kind": "k_of_n", "property": "chlorine", "k": 1}}, "greater than or equal to 2"),
    ({"levels": []}, "at least 1"),
    ({"condition": {**MIXTURE["condition"], "ring": "boundary"}}, "one of ring and station"),
    ({"condition": {**MIXTURE["condition"], "limits": [MIXTURE["condition"]["limits"][0]] * 2}}, "given twice"),
    ({"condition": {**MIXTURE["condition"], "station": "none"}}, "no station"),
]


async def test_what_cannot_be_is_refused_in_words(alerts: httpx.AsyncClient) -> None:
    for more, word in WRONG:
        answer = await alerts.post(ACROSS, json={**RULE, "reason": "test", **more})
        assert answer.status_code in (404, 422)
        assert word in answer.text


async def test_the_park_file_is_what_a_park_begins_with(alerts: httpx.AsyncClient) -> None:
    async def taken(*rules: dict[str, Any]) -> None:
        answer = await alerts.put("/parks/p/registry", json=park_file(stations=[STATION], rules_across=list(rules)))
        assert answer.status_code == 200, answer.text

    async def listed(**asked: Any) -> list[tuple[str, str, int]]:
        page = (await alerts.get(ACROSS, params=asked)).json()
        return [(rule["name"], rule["origin"], rule["version"]) for rule in page["items"]]

    await taken(RULE, MIXTURE)
    await taken(RULE, MIXTURE)
    assert await listed() == [("fence", "park_file", 1), ("mixture", "park_file", 1)]
    assert await listed(limit=1, cursor="fence") == [("mixture", "park_file", 1)]
    made = await created(alerts)
    await taken({**RULE, "on_delay_s": 8})
    assert await listed() == [("fence", "api", 1)]
    await alerts.delete(f"{ACROSS}/{made['id']}", params={"version": 1, "reason": "done"})
    assert await listed() == [("fence", "park_file", 2)]
    of_file = (await alerts.get(ACROSS)).json()["items"][0]
    refused = await alerts.put(f"{ACROSS}/{of_file['id']}", json={**RULE, "reason": "no", "version": 2})
    assert refused.status_code == 409
    assert "park file" in refused.text


async def test_a_rule_is_evaluated_within_seconds_and_not_taken_away_under_its_alarm(
    alerts: httpx.AsyncClient, producer: Producer
) -> None:
    producer.datastreams.append(datastream(5, station_id="p.s5"))
    made = await created(
        alerts,
        condition={"kind": "k_of_n", "property": "chlorine", "k": 2, "within_s": 30},
        levels=[{"colour": "yellow", "threshold": 1, "source": "permit"}],
        on_delay_s=0,
    )

    async def raised() -> bool:
        for number, station in ((1, "p.s1"), (5, "p.s5")):
            await tell_of(producer, number, station, 1.2)
        return any(alarm["rule_id"] == "across.fence" for alarm in await open_alarms(alerts))

    await eventually(raised, 30)
    refused = await alerts.delete(f"{ACROSS}/{made['id']}", params={"version": 1, "reason": "gone"})
    assert refused.status_code == 409
    assert len(refused.json()["alarms"]) == 1


async def tell_of(producer: Producer, number: int, station: str, value: float) -> None:
    now = to_microseconds(utc_now())
    stream = observation_stream(shard_of(station, OBSERVATION_SHARDS))
    await producer.tell(stream, ObservationsStored.of([(number, now, value, "N")], received_at=now))
