"""The main job, end to end: `make run`, a hidden release, the right alarm, an honest footprint, all quiet again."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest
from shapely.geometry import Point, shape

from tests.support.park import PARK_ID, RunningPark, eventually, running_park

pytestmark = [pytest.mark.timeout(420)]
SPEED = 15.0
RANK = ["blue", "yellow", "orange", "red"]


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPark]:
    folder = tmp_path_factory.mktemp("main-job") / "fenceline"
    with running_park(folder, speed=SPEED, FENCELINE_SIMULATOR_SEED="1") as running:
        yield running


def gas_alarms(park: RunningPark) -> list[dict[str, Any]]:
    return [alarm for alarm in park.items("alarms", state="all", limit=500) if alarm["property_id"]]


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_park_comes_up_whole(park: RunningPark) -> None:
    stations = park.items("stations")
    assert len(stations) >= 38
    assert {station["ring"] for station in stations} == {"source", "boundary", "receptor", "meteorology"}
    wanted = {"wind-speed", "wind-direction", "chlorine", "ammonia"}
    eventually(
        lambda: len(live := park.items("latest")) >= 60 and wanted <= {value["property_id"] for value in live},
        30,
        "live values of most of the stations",
    )
    said = park.output.read_text(errors="replace")
    for part in ("HJ 212", park.base_url, park.api_key, "停止", "虚构"):
        assert part in said


def test_the_alarm_rises_at_the_right_station_and_climbs(park: RunningPark) -> None:
    [release] = eventually(park.truth, 60, "the simulator's own record of the release")
    alarms = eventually(
        lambda: (found := gas_alarms(park)) and max(RANK.index(a["peak_colour"]) for a in found) == 3 and found,
        90,
        "a red alarm",
    )
    first = min(alarms, key=lambda alarm: time_of(alarm["raised_at"]))
    assert first["property_id"] == release["property_id"], "no other gas is out"
    assert time_of(release["start"]) < time_of(first["raised_at"]), "nothing before the release"
    sources = {source["id"]: source["location"] for source in park.items("risk-sources")}
    places = {station["id"]: station["location"] for station in park.items("stations")}
    leak = sources[release["source_id"]]
    red = [alarm for alarm in alarms if alarm["peak_colour"] == "red"]
    assert min(metres(leak, places[alarm["station_id"]]) for alarm in red) < 700

    journal = park.get(f"alarms/{red[0]['id']}")["journal"]
    colours = [RANK.index(step["colour_after"]) for step in journal if step["action"] in ("raise", "escalate")]
    assert colours == sorted(colours), "it climbs"
    assert journal[0]["action"] == "raise"
    assert len({(alarm["datastream_id"], alarm["rule_id"]) for alarm in open_alarms(alarms)}) == len(
        open_alarms(alarms)
    ), "one open alarm for each datastream and rule"


def test_the_footprint_is_of_the_right_gas_and_covers_the_alarms(park: RunningPark) -> None:
    release = park.truth()[0]
    run = eventually(lambda: succeeded_run(park), 60, "a run that the alarm began")
    result = run["result"]
    assert run["trigger"] == "alarm"
    assert {"engine", "richardson", "warnings", "assumptions", "version", "meteorology"} <= result.keys()
    # Every risk source of the gas is a candidate, so this proves the gas alone. Which of them is suspected most hangs
    # on the air of the hour that the story is played in; that is tested on fixed cases, in tests/model/tracing.
    candidates = {candidate["risk_source_id"] for candidate in run["source"]["candidates"]}
    assert release["source_id"] in candidates
    zones = [shape(zone["geometry"]) for zone in result["zones"]["features"]]
    assert any(zone.area > 0 for zone in zones)
    widest = max(zones, key=lambda zone: float(zone.area))
    alarming = [alarm for alarm in gas_alarms(park) if RANK.index(alarm["peak_colour"]) >= 2]
    places = {station["id"]: station["location"] for station in park.items("stations")}
    inside = [
        widest.buffer(150 / 111_000).covers(Point(place["longitude"], place["latitude"]))
        for place in (places[alarm["station_id"]] for alarm in alarming)
    ]
    assert sum(inside) >= 0.5 * len(inside), "the footprint covers where the gas was found"


def test_a_source_picked_on_the_map_is_modelled_too(park: RunningPark) -> None:
    request = {
        "chemical": "7782-50-5",
        "source": {"longitude": 119.0, "latitude": 37.1, "height_m": 2},
        "rate_kg_s": 1.0,
        "duration_s": 600,
        "wait_s": 30,
    }
    with park.api as api:
        answer = api.post(f"/parks/{PARK_ID}/runs", json=request, timeout=40)
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "succeeded"
    keys = {zone["properties"]["key"] for zone in answer.json()["result"]["zones"]["features"]}
    assert {"endpoint-1", "endpoint-2"} <= keys


def test_events_reach_a_client_and_are_replayed(park: RunningPark) -> None:
    with park.api as api:
        first = list(read_events(api, last_event_id="alarms:0,runs:0", count=4))
        again = list(read_events(api, last_event_id=str(first[0]["id"]), count=3))
    assert {event["event"] for event in first} <= {"alarm", "run", "incident", "notification"}
    assert [event["id"] for event in again] == [event["id"] for event in first[1:]]


def test_acknowledged_over_the_api_and_normal_after_the_release(park: RunningPark) -> None:
    with park.api as api:
        for alarm in open_alarms(gas_alarms(park)):
            answer = api.post(
                f"/parks/{PARK_ID}/alarms/{alarm['id']}/acknowledge", json={"comment": "seen by the end-to-end test"}
            )
            # An alarm may have closed, or been raised, between the list and this.
            assert answer.status_code in (200, 409), answer.text

    def all_closed() -> bool:
        with park.api as api:
            standing = open_alarms(gas_alarms(park))
            for alarm in standing:
                if "unacknowledged" in alarm["state"]:
                    api.post(f"/parks/{PARK_ID}/alarms/{alarm['id']}/acknowledge", json={"comment": "again"})
        return not standing

    eventually(all_closed, 150, "every gas alarm returned to normal")
    closed = gas_alarms(park)
    assert all(alarm["state"] == "normal" and alarm["closed_at"] for alarm in closed)
    end = time_of(park.truth()[0]["end"])
    reds = [alarm for alarm in closed if alarm["peak_colour"] == "red"]
    assert any(time_of(alarm["returned_at"]) > end for alarm in reds), "not before the gas was gone"
    acknowledged = park.get(f"alarms/{reds[0]['id']}")["journal"]
    assert any(step["action"] == "acknowledge" and step["actor"] for step in acknowledged)


def test_another_key_sees_nothing(park: RunningPark) -> None:
    for header in ({}, {"Authorization": "Bearer fl_aaaaaaaa_nonsense"}):
        answer = httpx.get(f"{park.base_url}/api/v1/parks/{PARK_ID}/alarms", headers=header, trust_env=False)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"


def open_alarms(alarms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [alarm for alarm in alarms if alarm["state"] != "normal"]


def succeeded_run(park: RunningPark) -> dict[str, Any] | None:
    for run in park.items("runs"):
        if run["trigger"] == "alarm" and run["state"] == "succeeded":
            found: dict[str, Any] = park.get(f"runs/{run['id']}")
            return found
    return None


def read_events(api: httpx.Client, last_event_id: str, count: int) -> Iterator[dict[str, Any]]:
    event: dict[str, Any] = {}
    parameters = {"park_id": PARK_ID, "kind": "alarm,run"}
    with api.stream("GET", "/events", params=parameters, headers={"Last-Event-ID": last_event_id}) as stream:
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if name in ("event", "id"):
                event[name] = value
            elif name == "data":
                event["data"] = json.loads(value)
            elif not line and "data" in event:
                yield event
                event = {}
                count -= 1
                if count == 0:
                    return


def metres(one: dict[str, float], other: dict[str, float]) -> float:
    """Distance on the ground; good to a metre in a thousand within a park."""
    east = (one["longitude"] - other["longitude"]) * 111_320 * 0.7976  # cos(37.1 degrees)
    north = (one["latitude"] - other["latitude"]) * 110_980
    return float((east**2 + north**2) ** 0.5)
