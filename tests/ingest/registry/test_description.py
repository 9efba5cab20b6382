"""What the registry carries of a station beside its readings: who made its sensors, where it stood, what it is."""

from typing import Any

import pytest

from tests.ingest.parks import park, station
from tests.ingest.running import Running

STATIONS = "/parks/test-park/stations"
PLACES = f"{STATIONS}/test-park.s1/locations"


def described(**location: float) -> dict[str, Any]:
    return station(
        "s1",
        "A1",
        description={"zh": "东门外", "en": "Outside the east gate"},
        properties={"owner": "园区", "calibrated": {"by": "lab", "every_days": 90}, "tags": ["gate", 1, None]},
        datastreams=[{"property": "chlorine", "sensor": "Maker 7", "sensor_metadata": "https://example.org/7.pdf"}],
        location={"longitude": 119.0, "latitude": 37.1, **location},
    )


async def test_a_station_is_told_as_it_was_registered(ingest: Running) -> None:
    await ingest.put_park(park(described(), station("s2", "A2")))
    told, plain = (await ingest.get(STATIONS))["items"]
    given = described()
    assert (told["description"], told["properties"]) == (given["description"], given["properties"])
    assert {(entry["sensor"], entry["sensor_metadata"]) for entry in told["datastreams"]} == {
        ("Maker 7", "https://example.org/7.pdf")
    }
    assert (plain["description"], plain["properties"], plain["datastreams"][0]["sensor"]) == (None, {}, None)


async def test_where_a_station_stood_stays_known(ingest: Running) -> None:
    for latitude in (37.1, 37.1, 37.2, 37.2, 37.1):
        await ingest.put_park(park(described(latitude=latitude)))
    page = await ingest.get(PLACES, limit=2)
    rest = await ingest.get(PLACES, limit=2, cursor=page["next"])
    found = page["items"] + rest["items"]
    assert [entry["latitude"] for entry in found] == [37.1, 37.2, 37.1]
    assert [entry["since"] for entry in found] == sorted((entry["since"] for entry in found), reverse=True)
    assert rest["next"] is None


async def test_another_parks_station_has_no_locations_here(ingest: Running) -> None:
    await ingest.put_park(park(described()))
    await ingest.put_park(park(station("s1", "B1"), park_id="other"))
    assert (await ingest.http.get("/parks/other/stations/test-park.s1/locations")).status_code == 404


@pytest.mark.parametrize(("properties", "said"), [({"a": "x" * 9000}, "8192 bytes"), ({"a": "\x00"}, "code 0")])
async def test_properties_that_cannot_be_kept_are_refused(
    ingest: Running, properties: dict[str, Any], said: str
) -> None:
    answer = await ingest.http.put("/parks/test-park/registry", json=park(described() | {"properties": properties}))
    assert answer.status_code == 422
    assert said in answer.text
