from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.ingest.schemas import CompletenessPage
from tests.ingest.parks import park, station
from tests.ingest.questions.filling import Reading, ids, lay
from tests.ingest.running import Running

COMPLETENESS = "/parks/test-park/completeness"
MARCH = datetime(2026, 2, 28, 16, tzinfo=UTC)
"""The month begins there in Shanghai."""
HOURS = 31 * 24


async def month(ingest: Running, **parameters: Any) -> dict[str, dict[str, Any]]:
    """By station; its minute values of chlorine under `minute`, the real-time ones under `realtime`."""
    page = await ingest.get(COMPLETENESS, month="2026-03", **parameters)
    CompletenessPage.model_validate(page)
    return {
        item["station_id"]: item
        | {stream["cadence"]: stream for stream in item["datastreams"] if stream["property_id"] == "chlorine"}
        for item in page["items"]
    }


def minutes(number: int, hour: int, count: int, quality: str = "N") -> list[Reading]:
    return [(number, MARCH + timedelta(hours=hour, minutes=minute), 1.0, quality) for minute in range(count)]


async def test_what_came_and_what_of_it_is_valid(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1"), station("s2", "A2")))
    known = await ids(ingest)
    minute, realtime = (known["test-park.s1", "chlorine", cadence] for cadence in ("minute", "realtime"))
    await lay(
        ingest,
        [
            *minutes(minute, 0, 60),  # whole
            *minutes(minute, 1, 45),  # just enough of it
            *minutes(minute, 2, 44),  # too little, though all is valid
            *minutes(minute, 3, 60, "D"),
            *minutes(minute, HOURS - 1, 60),
            *minutes(minute, -1, 60),  # February's
            *minutes(minute, HOURS, 60),  # April's
            *minutes(realtime, 5, 2),  # at an interval of its own
            *minutes(realtime, 6, 1, "D"),
        ],
    )
    found = await month(ingest)
    one = found["test-park.s1"]["minute"]
    assert (one["readings_expected"], one["readings"], one["readings_valid"]) == (60 * HOURS, 269, 209)
    assert (one["hours_expected"], one["hours"], one["hours_valid"]) == (HOURS, 5, 3)
    assert one["completeness"] == pytest.approx(269 / 60 / HOURS)
    assert one["validity"] == pytest.approx(3 / HOURS)
    other = found["test-park.s1"]["realtime"]
    assert (other["readings_expected"], other["readings"], other["hours"], other["hours_valid"]) == (None, 3, 2, 1)
    assert other["completeness"] == pytest.approx(2 / HOURS)
    assert {stream["cadence"] for stream in found["test-park.s1"]["datastreams"]} == {"realtime", "minute", "hour"}
    shares = [stream["completeness"] for stream in found["test-park.s1"]["datastreams"]]
    assert found["test-park.s1"]["completeness"] == pytest.approx(sum(shares) / len(shares))
    assert found["test-park.s2"]["validity"] == 0.0


async def test_a_month_that_goes_on_counts_up_to_the_last_whole_hour(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    page = await ingest.get(COMPLETENESS)
    end = datetime.fromisoformat(page["end"])
    assert timedelta(0) <= datetime.now(UTC) - end < timedelta(hours=1, minutes=1)
    hours = (end - datetime.fromisoformat(page["start"])) // timedelta(hours=1)
    assert {stream["hours_expected"] for stream in page["items"][0]["datastreams"]} == {hours}


async def test_stations_in_pages_and_by_themselves(ingest: Running) -> None:
    await ingest.put_park(park(*(station(f"s{n}", f"A{n}") for n in range(5))))
    found, cursor = [], None
    while True:
        page = await ingest.get(COMPLETENESS, month="2026-03", limit=2, **({"cursor": cursor} if cursor else {}))
        found += [item["station_id"] for item in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert found == [f"test-park.s{n}" for n in range(5)]
    assert list(await month(ingest, station_id="test-park.s3")) == ["test-park.s3"]


@pytest.mark.parametrize(
    ("path", "month", "status"),
    [
        (COMPLETENESS, "2026-13", 400),
        (COMPLETENESS, "2026-00", 400),
        (COMPLETENESS, "0001-01", 400),
        (COMPLETENESS, "2999-01", 400),
        (COMPLETENESS, "March", 422),
        ("/parks/elsewhere/completeness", "2026-03", 404),
    ],
)
async def test_months_that_are_refused(ingest: Running, path: str, month: str, status: int) -> None:
    await ingest.put_park(park())
    answer = await ingest.http.get(path, params={"month": month})
    assert answer.status_code == status, answer.text
