"""Ranges of observations over HTTP: resolutions, pages, days, limits."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.ingest.rolling_up import RollUps
from shared.time import iso
from tests.ingest.conftest import Start
from tests.ingest.parks import park, station, weather
from tests.ingest.questions.filling import Reading, ids, lay
from tests.ingest.running import Running

PARK = "/parks/test-park"
START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def streams(ingest: Running, count: int, **changes: Any) -> list[int]:
    """A park with so many stations; the realtime chlorine of each."""
    file = park(*(station(f"s{n}", f"A{n}") for n in range(count)))
    file["park"] |= changes
    await ingest.put_park(file)
    known = await ids(ingest)
    return [known[f"test-park.s{n}", "chlorine", "realtime"] for n in range(count)]


def every(number: int, seconds: float, count: int, start: datetime = START) -> list[Reading]:
    return [(number, start + timedelta(seconds=seconds * n), float(n), "N") for n in range(count)]


def span(start: datetime, length: timedelta) -> dict[str, str]:
    return {"start": iso(start), "end": iso(start + length)}


async def pages(ingest: Running, **parameters: Any) -> tuple[dict[int, list[tuple[str, float]]], int]:
    """What all pages tell of each datastream, and how many they were."""
    found: dict[int, list[tuple[str, float]]] = {}
    count, limit = 0, parameters.get("limit", 10_000)
    while True:
        page = await ingest.get(f"{PARK}/observations", **parameters)
        count += 1
        assert sum(len(item["time"]) for item in page["items"]) <= limit
        for item in page["items"]:
            found.setdefault(item["datastream_id"], []).extend(zip(item["time"], item["value"], strict=True))
        if page["next"] is None:
            return found, count
        assert count < 1000
        parameters["cursor"] = page["next"]


@pytest.mark.parametrize("resolution", ["raw", "minute", "hour", "day"])
@pytest.mark.parametrize("limit", [1, 3, 7, 50, 2000])
async def test_pages_together_are_the_whole(ingest: Running, resolution: str, limit: int) -> None:
    numbers = await streams(ingest, 3)
    readings = [*every(numbers[0], 1500, 200), *every(numbers[2], 2700, 40, START + timedelta(hours=9))]
    await lay(ingest, readings)
    asked = {
        "datastream_id": numbers,
        "resolution": resolution,
        **span(START + timedelta(minutes=7), timedelta(hours=50)),
    }
    whole, number_of_pages = await pages(ingest, **asked, limit=50_000)
    assert number_of_pages == 1
    assert len(whole[numbers[0]]) > 2
    assert not whole[numbers[1]]
    if resolution == "minute" and limit < 50:
        return  # thousands of pages without a point
    assert (await pages(ingest, **asked, limit=limit))[0] == whole


async def test_a_cursor_keeps_to_the_span_that_was_asked(ingest: Running) -> None:
    """Though the clock goes on and the next page is asked with other words."""
    (number,) = await streams(ingest, 1)
    await lay(ingest, every(number, 60, 10))
    asked = {"datastream_id": number, "limit": 4}
    first = await ingest.get(f"{PARK}/observations", **asked, **span(START, timedelta(minutes=7)))
    second = await ingest.get(f"{PARK}/observations", **asked, cursor=first["next"])
    assert [item["value"] for page in (first, second) for item in page["items"]] == [[0, 1, 2, 3], [4, 5, 6]]
    assert second["next"] is None


async def test_the_resolution_suits_the_span(ingest: Running) -> None:
    (number,) = await streams(ingest, 1)
    await lay(ingest, every(number, 10, 48 * 360))
    for hours, limit, resolution in (
        (1, 360, "raw"),
        (1, 359, "minute"),
        (10, 600, "minute"),
        (10, 599, "hour"),
        (48, 48, "hour"),
        (48, 47, "day"),
    ):
        asked = {"datastream_id": number, "resolution": "auto", "limit": limit}
        page = await ingest.get(f"{PARK}/observations", **asked, **span(START, hours * HOUR))
        (item,) = page["items"]
        assert (item["resolution"], page["next"]) == (resolution, None), hours


async def test_the_cap_holds_for_all_datastreams_together(ingest: Running) -> None:
    numbers = await streams(ingest, 3)
    await lay(ingest, [row for number in numbers for row in every(number, 10, 360)])
    asked = {"resolution": "auto", "limit": 400, **span(START, HOUR)}
    for count, resolution in ((1, "raw"), (2, "minute"), (3, "minute")):
        page = await ingest.get(f"{PARK}/observations", datastream_id=numbers[:count], **asked)
        assert {item["resolution"] for item in page["items"]} == {resolution}
        assert page["next"] is None


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("Asia/Kolkata", timedelta(hours=18, minutes=30)),
        ("Asia/Kathmandu", timedelta(hours=18, minutes=15)),
        ("Asia/Shanghai", timedelta(hours=16)),
    ],
)
async def test_days_begin_at_the_parks_midnight(ingest: Running, zone: str, midnight: timedelta) -> None:
    (number,) = await streams(ingest, 1, timezone=zone)
    await lay(ingest, every(number, 300, 3 * 288))
    for _ in range(2):
        asked = {"datastream_id": number, "resolution": "day", **span(START, timedelta(days=2))}
        (item,) = (await ingest.get(f"{PARK}/observations", **asked))["items"]
        days = [START + midnight + timedelta(days=n) for n in (-1, 0, 1)]
        assert item["time"] == [iso(day) for day in days]
        first = midnight // timedelta(minutes=5)
        assert item["count"] == [first, 288, 288]
        assert item["value"] == pytest.approx([(first - 1) / 2, first + 143.5, first + 288 + 143.5])
        assert (item["minimum"], item["maximum"]) == ([0, first, first + 288], [first - 1, first + 287, first + 575])
        while await RollUps(ingest.state.engine).work_off():
            pass


async def test_directions_have_their_mean_and_spread(ingest: Running) -> None:
    await ingest.put_park(park(weather("m1")))
    number = (await ids(ingest))["test-park.m1", "wind-direction", "realtime"]
    await lay(
        ingest,
        [(number, START + timedelta(seconds=n), 350.0 if n % 2 else 10.0, "N") for n in range(60)]
        + [(number, START + HOUR + timedelta(seconds=n), 90.0, "D") for n in range(4)],
    )
    for resolution in ("minute", "hour"):
        asked = {"datastream_id": number, "resolution": resolution, **span(START, 2 * HOUR)}
        (item,) = (await ingest.get(f"{PARK}/observations", **asked))["items"]
        towards, nothing = item["value"]
        assert math.cos(math.radians(towards)) == pytest.approx(1)
        assert item["sigma_theta_deg"] == [pytest.approx(10.0, abs=0.1), None]
        assert (nothing, item["quality"]) == (None, ["N", "D"])


async def test_late_readings_show_in_every_resolution_at_once(ingest: Running) -> None:
    (number,) = await streams(ingest, 1)
    await lay(ingest, every(number, 60, 10))
    while await RollUps(ingest.state.engine).work_off():
        pass
    await lay(ingest, [(number, START + timedelta(seconds=30), 100.0, "N")])
    for resolution in ("raw", "minute", "hour", "day"):
        asked = {"datastream_id": number, "resolution": resolution, **span(START, HOUR)}
        (item,) = (await ingest.get(f"{PARK}/observations", **asked))["items"]
        assert max(item["maximum"] if resolution != "raw" else item["value"]) == 100.0


@pytest.mark.parametrize(
    "parameters",
    [
        {"start": "0002-01-01T00:00:00Z"},
        {"start": "1980-01-01T00:00:00Z"},
        {"start": "2020-01-01T00:00:00Z", "end": "9998-01-01T00:00:00Z", "resolution": "day"},
        {"cursor": "?"},
    ],
)
async def test_spans_that_are_refused(ingest: Running, parameters: dict[str, str]) -> None:
    (number,) = await streams(ingest, 1)
    answer = await ingest.http.get(f"{PARK}/observations", params={"datastream_id": number, **parameters})
    assert answer.status_code == 400, answer.text


async def test_a_question_that_takes_too_long_is_given_up(start_ingest: Start, database_url: str) -> None:
    async with start_ingest(database_url, ingest_question_timeout_s=0.05) as ingest:
        await ingest.ready()
        (number,) = await streams(ingest, 1)
        await lay(ingest, every(number, 0.1, 300_000))
        asked: dict[str, Any] = {"datastream_id": number, "resolution": "minute", **span(START, timedelta(days=2))}
        answer = await ingest.http.get(f"{PARK}/observations", params=asked)
        assert answer.status_code == 503, answer.text
        assert "Retry-After" in answer.headers
        assert "coarser" in answer.json()["detail"]
