from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.messages import ObservationsStored, RegistryChanged
from shared.streams import FACTS, OBSERVATION_SHARDS, observation_stream, shard_of
from shared.time import iso
from tests.ingest.parks import park, station, weather
from tests.ingest.running import Running, until

NOW = datetime.now(UTC).replace(microsecond=0)
PARK = "/parks/test-park"


def row(value: float | None, seconds_ago: float = 0, **changes: Any) -> dict[str, Any]:
    time = iso(NOW - timedelta(seconds=seconds_ago))
    return {"station": "s1", "property": "chlorine", "time": time, "value": value, **changes}


async def post(ingest: Running, *rows: Any) -> dict[str, Any]:
    answer = await ingest.http.post(f"{PARK}/observations", json={"observations": list(rows)})
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


async def ids(ingest: Running) -> dict[tuple[str, str, str], int]:
    items = (await ingest.get("/datastreams"))["items"]
    return {(item["station_id"], item["property_id"], item["cadence"]): item["id"] for item in items}


async def test_putting_a_park_twice_changes_nothing(ingest: Running) -> None:
    file = park(station("s1", "A1", enterprise="works"), station("s2", "A2"))
    taken = await ingest.put_park(file)
    assert taken == {"stations": 2, "datastreams": 12}
    before = await ids(ingest)
    assert await ingest.put_park(file) == taken
    assert await ids(ingest) == before
    (shown,) = (await ingest.get("/parks"))["items"]
    assert (shown["id"], shown["station_count"], shown["boundary"]["type"]) == ("test-park", 2, "Polygon")
    first = (await ingest.get(f"{PARK}/stations"))["items"][0]
    assert (first["id"], first["code"], first["enterprise_id"]) == ("test-park.s1", "s1", "test-park.works")
    assert (first["device"]["mn"], first["device"]["frames"], first["device"]["last_seen"]) == ("A1", 0, None)
    streams = first["datastreams"]
    assert {(stream["property_id"], stream["property_kind"], stream["unit"]) for stream in streams} == {
        ("chlorine", "gas", "mg/m3"),
        ("ammonia", "gas", "mg/m3"),
    }
    assert (await ingest.get(f"{PARK}/enterprises"))["items"][0]["id"] == "test-park.works"


async def test_what_a_new_file_leaves_out_is_no_longer_listed_but_kept(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1"), station("s2", "A2")))
    before = await ids(ingest)
    await post(ingest, row(1.0, station="s2"))
    assert await ingest.put_park(park(station("s1", "A2"))) == {"stations": 1, "datastreams": 6}
    (only,) = (await ingest.get(f"{PARK}/stations"))["items"]
    assert (only["code"], only["device"]["mn"]) == ("s1", "A2")
    assert await ingest.rows("SELECT count(*) FROM observation") == [(1,)]
    await ingest.put_park(park(station("s1", "A1"), station("s2", "A2")))
    assert await ids(ingest) == before


async def test_an_mn_belongs_to_one_park(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    other = park(station("s1", "A1"), park_id="other")
    answer = await ingest.http.put("/parks/other/registry", json=other)
    assert answer.status_code == 409
    assert "A1" in answer.json()["detail"]
    assert "test-park" not in answer.text, "whose it is, a key for one park must not learn"
    assert [item["id"] for item in (await ingest.get("/parks"))["items"]] == ["test-park"]


@pytest.mark.parametrize(
    ("path", "file", "detail"),
    [
        ("/parks/elsewhere/registry", park(), "'elsewhere'"),
        (
            f"{PARK}/registry",
            park(station("s1", "A1", datastreams=[{"property": "tvoc", "unit": "ppm"}])),
            "mixture",
        ),
    ],
)
async def test_a_file_that_cannot_be_taken_is_refused(
    ingest: Running, path: str, file: dict[str, Any], detail: str
) -> None:
    answer = await ingest.http.put(path, json=file)
    assert answer.status_code == 422
    assert detail in answer.json()["detail"]
    assert (await ingest.get("/parks"))["items"] == []


async def test_a_change_is_announced(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    (fact,) = (await ingest.get("/facts/registry"))["items"]
    assert RegistryChanged.model_validate_json(fact["payload"]).park_id == "test-park"


async def test_a_replica_reads_the_registry_again(start_ingest: Any, ingest: Running) -> None:
    async with start_ingest(ingest.database_url) as other:
        await other.ready()
        await ingest.put_park(park(station("s1", "A1")))

        async def knows() -> bool:
            return "A1" in other.state.registry.snapshot.devices

        await until(knows)


async def test_each_row_has_its_own_result(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    await post(ingest, row(1.0, 10))
    result = await post(
        ingest,
        row(2.0),
        row(1.0, 10),
        row(9.0, 10),
        row(1.0, 20, station="s9"),
        row(1.0, 20, property="benzene"),
        row(1.0, -3600),
        row(1.0, 20, unit="kPa"),
        {"property": "chlorine"},
        "nonsense",
        row(1.0, 30, unit="ppm"),
        row(None, 40),
        row(None, 50, quality="T"),
        row(1.0, 60, station_id="test-park.s1", station=None, cadence="minute"),
        row(1.0, 60, station_id="test-park.s1"),
    )
    statuses = [entry["status"] for entry in result["results"]]
    assert statuses == [
        "accepted",
        "duplicate",
        "conflicting",
        *["refused"] * 6,
        *["accepted"] * 4,
        "refused",
    ]
    assert [result[name] for name in ("accepted", "duplicate", "conflicting", "refused")] == [5, 1, 1, 7]
    told = [entry["detail"] for entry in result["results"] if entry["status"] == "refused"]
    for detail, part in zip(
        told, ["'test-park.s9'", "'benzene'", "future", "kPa cannot", "time: Field", "object", "either"], strict=True
    ):
        assert part in detail
    stored = await ingest.rows("SELECT value, quality FROM observation ORDER BY time DESC, datastream_id")
    assert stored == [
        (2.0, "N"),
        (1.0, "N"),
        (pytest.approx(70.906 / 24.45, rel=1e-4), "N"),
        (None, "X"),
        (None, "T"),
        (1.0, "N"),
    ]


async def test_a_contradiction_is_on_record_once(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    await post(ingest, row(1.0))
    for _ in range(3):
        await post(ingest, row(5.0))
    query = "SELECT stored_value, value, source, times FROM conflict"
    assert await ingest.rows(query) == [(1.0, 5.0, "http:internal", 3)]
    assert (await ingest.get(f"{PARK}/latest"))["items"][0]["value"] == 1.0


async def test_stored_rows_are_announced_in_their_shard_and_reach_redis(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    await post(ingest, row(1.0, 10), row(None, 20, quality="B"))
    await post(ingest, row(1.0, 10))
    stream = observation_stream(shard_of("test-park.s1", OBSERVATION_SHARDS))
    redis = ingest.state.redis

    async def published() -> bool:
        return bool(await redis.exists(FACTS + stream))

    await until(published)
    entries: Any = await redis.xrange(FACTS + stream)
    ((_, fields),) = entries
    fact = ObservationsStored.decode(fields[b"payload"])
    number = (await ids(ingest))["test-park.s1", "chlorine", "realtime"]
    assert [(i, value, flag) for i, _, value, flag in fact.rows()] == [(number, 1.0, "N"), (number, None, "B")]
    assert fact.received_at is not None, "a reader that comes late knows by it that the readings were live"


async def test_latest_values(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1"), station("s2", "A2")))
    await post(ingest, row(1.0, 20), row(2.0, 10), row(7.0, 10, cadence="minute"), row(3.0, 5, station="s2"))
    items = (await ingest.get(f"{PARK}/latest"))["items"]
    assert [(item["station_id"], item["value"], item["unit"]) for item in items] == [
        ("test-park.s1", 2.0, "mg/m3"),
        ("test-park.s2", 3.0, "mg/m3"),
    ]
    assert items[0]["time"] == iso(NOW - timedelta(seconds=10))
    assert [item["value"] for item in (await ingest.get(f"{PARK}/latest", cadence="minute"))["items"]] == [7.0]


async def test_a_range_in_pages(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1"), station("s2", "A2")))
    await post(ingest, *(row(float(n), 100 - n, station=code) for n in range(10) for code in ("s1", "s2")))
    known = await ids(ingest)
    wanted = [known[f"test-park.{code}", "chlorine", "realtime"] for code in ("s1", "s2")]
    found: dict[int, list[float]] = {number: [] for number in wanted}
    cursor: str | None = None
    for _ in range(3):
        more: dict[str, str] = {} if cursor is None else {"cursor": cursor}
        page = await ingest.get(f"{PARK}/observations", datastream_id=wanted, limit=7, **more)
        for item in page["items"]:
            found[item["datastream_id"]] += item["value"]
            assert len(item["time"]) == len(item["value"]) == len(item["quality"])
        cursor = page["next"]
    assert cursor is None
    assert found == {number: [float(n) for n in range(10)] for number in wanted}


async def test_roll_ups_know_quality(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1"), weather("m1")))
    base = NOW.replace(second=0) - timedelta(minutes=5)

    def at(minute: int, second: int, value: float | None, **changes: Any) -> dict[str, Any]:
        return row(value, time=iso(base + timedelta(minutes=minute, seconds=second)), **changes)

    posted = await post(
        ingest,
        *(at(0, n, float(n)) for n in range(4)),
        *(at(1, n, 5.0, quality="D") for n in range(3)),
        at(1, 3, 7.0),
        at(2, 0, 1.0),
        at(2, 1, 30.0, quality="T"),
        *(at(0, n, direction, station="m1", property="wind-direction") for n, direction in enumerate([350.0, 10.0])),
    )
    assert posted["accepted"] == 12, posted
    known = await ids(ingest)
    chlorine, direction = (
        known["test-park.s1", "chlorine", "realtime"],
        known["test-park.m1", "wind-direction", "realtime"],
    )
    page = await ingest.get(f"{PARK}/observations", datastream_id=[chlorine, direction], resolution="minute")
    by_id = {item["datastream_id"]: item for item in page["items"]}
    gas, wind = by_id[chlorine], by_id[direction]
    assert (gas["value"], gas["quality"]) == ([1.5, 7.0, 15.5], ["N", "D", "T"])
    assert (gas["minimum"], gas["maximum"]) == ([0.0, 7.0, 1.0], [3.0, 7.0, 30.0])
    assert (gas["count"], gas["valid"]) == ([4, 4, 2], [4, 1, 2])
    assert min(wind["value"][0], 360 - wind["value"][0]) == pytest.approx(0, abs=1e-6)
    for resolution in ("hour", "day"):
        page = await ingest.get(f"{PARK}/observations", datastream_id=chlorine, resolution=resolution)
        (whole,) = page["items"]
        assert sum(whole["count"]) == 10
        assert sum(whole["valid"]) == 7


async def test_days_are_those_of_the_park(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    times = ["2026-03-01T15:59:59Z", "2026-03-01T16:00:00Z", "2026-03-02T15:00:00Z"]
    await post(ingest, *(row(1.0, time=time) for time in times))
    number = (await ids(ingest))["test-park.s1", "chlorine", "realtime"]
    span = {"start": "2026-03-01T00:00:00Z", "end": "2026-03-03T00:00:00Z"}
    page = await ingest.get(f"{PARK}/observations", datastream_id=number, resolution="day", **span)
    assert page["items"][0]["time"] == ["2026-02-28T16:00:00Z", "2026-03-01T16:00:00Z"]
    assert page["items"][0]["count"] == [1, 2]


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"datastream_id": 10_000}, 404),
        ({}, 422),
        ({"datastream_id": 1, "cursor": "?"}, 404),
        ({"datastream_id": 1, "start": "2026-01-01T00:00:00"}, 422),
        ({"datastream_id": 1, "start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}, 400),
    ],
)
async def test_questions_that_cannot_be_answered(ingest: Running, parameters: dict[str, Any], status: int) -> None:
    await ingest.put_park(park())
    answer = await ingest.http.get(f"{PARK}/observations", params=parameters)
    assert answer.status_code == status, answer.text
    assert answer.json()["status"] == status


async def test_a_cursor_of_someone_else_is_refused(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    number = (await ids(ingest))["test-park.s1", "chlorine", "realtime"]
    answer = await ingest.http.get(f"{PARK}/observations", params={"datastream_id": number, "cursor": "bm9uZQ=="})
    assert answer.status_code == 400


async def test_no_park_sees_another_parks_datastream(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    await ingest.put_park(park(station("s1", "B1"), park_id="other"))
    number = (await ids(ingest))["other.s1", "chlorine", "realtime"]
    answer = await ingest.http.get(f"{PARK}/observations", params={"datastream_id": number})
    assert answer.status_code == 404
    result = await post(ingest, row(1.0, station=None, station_id="other.s1"))
    assert result["refused"] == 1


@pytest.mark.parametrize("path", ["", "/stations", "/enterprises", "/devices", "/latest", "/meteorology"])
async def test_a_park_that_is_not_there(ingest: Running, path: str) -> None:
    answer = await ingest.http.get(f"/parks/nowhere{path}")
    assert answer.status_code == 404
    assert "nowhere" in answer.json()["detail"]


async def test_weather_of_a_park(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1"), weather("m1"), weather("m2")))
    assert (await ingest.http.get(f"{PARK}/meteorology")).status_code == 404
    rows = []
    for code, direction in (("m1", 350.0), ("m2", 10.0)):
        for age in (20, 40):
            rows.append(row(direction, age, station=code, property="wind-direction"))
            rows.append(row(3.0, age, station=code, property="wind-speed"))
    rows.append(row(99.0, 30, station="m1", property="wind-speed", quality="D"))
    rows.append(row(12.0, 30, station="m1", property="temperature"))
    rows.append(row(180.0, 2000, station="m1", property="wind-direction"))
    rows.append(row(20.0, 2000, station="m1", property="wind-speed"))
    await post(ingest, *rows)
    weather_now = await ingest.get(f"{PARK}/meteorology", at=iso(NOW))
    assert min(weather_now["wind_from_deg"], 360 - weather_now["wind_from_deg"]) == pytest.approx(0, abs=1e-6)
    assert weather_now["wind_speed_m_s"] == 3.0
    assert weather_now["sigma_theta_deg"] == pytest.approx(10, abs=0.2)
    assert (weather_now["temperature_c"], weather_now["pressure_kpa"]) == (12.0, None)
    assert (weather_now["samples"], weather_now["age_s"]) == (4, 20.0)
    assert weather_now["stations"] == ["test-park.m1", "test-park.m2"]


async def test_callers_without_the_token_are_refused(ingest: Running) -> None:
    answer = await ingest.http.get("/parks", headers={"Authorization": "Bearer wrong"}, auth=None)
    assert answer.status_code == 401
