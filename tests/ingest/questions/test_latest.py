from datetime import UTC, datetime, timedelta

import pytest

from services.ingest.schemas import LatestPage
from tests.ingest.parks import park, station
from tests.ingest.questions.filling import ids, lay
from tests.ingest.running import Running

LATEST = "/parks/test-park/latest"
START = datetime(2026, 3, 1, tzinfo=UTC)


async def test_the_latest_of_each_datastream_in_pages(ingest: Running) -> None:
    await ingest.put_park(park(*(station(f"s{n}", f"A{n}") for n in range(5))))
    known = await ids(ingest)
    numbers = sorted(number for (_, _, cadence), number in known.items() if cadence == "realtime")
    _silent, *others = numbers
    await lay(
        ingest,
        [
            (number, START + timedelta(minutes=minute), float(number), "T" if minute == 3 else "N")
            for number in others
            for minute in range(4)
        ],
    )
    whole = await ingest.get(LATEST)
    LatestPage.model_validate(whole)
    assert [item["datastream_id"] for item in whole["items"]] == others
    assert {(item["time"], item["quality"], item["unit"]) for item in whole["items"]} == {
        ("2026-03-01T00:03:00Z", "T", "mg/m3")
    }
    assert whole["next"] is None
    for limit in (1, 3, 9):
        found, cursor = [], None
        while True:
            page = await ingest.get(LATEST, limit=limit, **({"cursor": cursor} if cursor else {}))
            assert len(page["items"]) <= limit
            found += page["items"]
            if (cursor := page["next"]) is None:
                break
        assert found == whole["items"]


@pytest.mark.parametrize("cursor", ["?", "AAAA", "LTE=", "OTk5OTk5OTk5OTk5"])
async def test_what_is_no_cursor_is_refused(ingest: Running, cursor: str) -> None:
    await ingest.put_park(park())
    answer = await ingest.http.get(LATEST, params={"cursor": cursor})
    assert answer.status_code == 400
