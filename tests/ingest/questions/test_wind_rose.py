import math
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.ingest.questions import wind_rose
from services.ingest.questions.wind_rose import Cell, rose
from shared.time import iso
from tests.ingest.parks import park, station, weather
from tests.ingest.questions.filling import Reading, ids, lay
from tests.ingest.running import Running

START = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = {"start": iso(START), "end": iso(START + timedelta(days=1))}
ROSE = "/parks/test-park/wind-rose"


async def blow(ingest: Running, samples: list[tuple[float, float]], code: str = "m1", cadence: str = "minute") -> None:
    """(speed, direction) pairs a minute apart, from START on."""
    known = await ids(ingest)
    rows: list[Reading] = []
    for index, pair in enumerate(samples):
        for name, value in zip(("wind-speed", "wind-direction"), pair, strict=True):
            time = START + timedelta(minutes=index)
            rows.append((known[f"test-park.{code}", name, cadence], time, value, "N"))
    await lay(ingest, rows)


async def ask(ingest: Running, **parameters: Any) -> Any:
    return (await ingest.get(ROSE, **{**SPAN, **parameters}))["items"]


async def test_the_wind_is_where_it_came_from(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1"), weather("m1")))
    edge = 360 / 16 / 2
    await blow(
        ingest,
        [(2.0, 0.0), (6.0, 360.0), (2.0, edge - 0.01), (2.0, edge), (2.0, 360 - edge), (4.0, 180.0), (0.1, 90.0)],
    )
    (found,) = await ask(ingest)
    assert (found["station_id"], found["cadence"], found["samples"]) == ("test-park.m1", "minute", 7)
    shares = {sector["from_deg"]: sector["share"] * 7 for sector in found["sectors"] if sector["share"]}
    assert shares == {0: pytest.approx(4), 22.5: pytest.approx(1), 180: pytest.approx(1)}
    assert found["calm_share"] == pytest.approx(1 / 7)
    assert found["speed_edges_m_s"] == [1.6, 3.4, 5.5, 8.0, 10.8]
    north, south = found["sectors"][0], found["sectors"][8]
    assert [share * 7 for share in north["shares"]] == pytest.approx([0, 3, 0, 1, 0, 0])
    assert [share * 7 for share in south["shares"]] == pytest.approx([0, 0, 1, 0, 0, 0])
    assert (north["mean_speed_m_s"], south["mean_speed_m_s"]) == (3.0, 4.0)


async def test_any_wind_falls_into_the_same_sectors_as_counted_by_hand(ingest: Running) -> None:
    await ingest.put_park(park(weather("m1")))
    chance = random.Random(1)
    samples = [(chance.uniform(0, 12), chance.uniform(0, 360)) for _ in range(800)]
    await blow(ingest, samples)
    (found,) = await ask(ingest, sectors=12, speed_edge=[3.0, 6.0], calm_m_s=0.5)
    by_hand = Counter(
        (math.floor((direction + 15) / 30) % 12, (speed >= 3) + (speed >= 6))
        for speed, direction in samples
        if speed > 0.5
    )
    counted = {
        (index, which): round(share * 800)
        for index, sector in enumerate(found["sectors"])
        for which, share in enumerate(sector["shares"])
        if share
    }
    assert counted == by_hand
    assert sum(sector["share"] for sector in found["sectors"]) + found["calm_share"] == pytest.approx(1)
    east = sum(speed * math.sin(math.radians(direction)) for speed, direction in samples) / 800
    north = sum(speed * math.cos(math.radians(direction)) for speed, direction in samples) / 800
    assert found["vector_speed_m_s"] == pytest.approx(math.hypot(east, north))
    assert found["from_deg"] == pytest.approx(math.degrees(math.atan2(east, north)) % 360)
    assert found["mean_speed_m_s"] == pytest.approx(sum(speed for speed, _ in samples) / 800)


async def test_only_pairs_of_valid_readings_inside_the_span_count(ingest: Running) -> None:
    await ingest.put_park(park(weather("m1")))
    known = await ids(ingest)
    speed, direction = (known["test-park.m1", name, "minute"] for name in ("wind-speed", "wind-direction"))
    at = [START + timedelta(minutes=n) for n in range(5)]
    await lay(
        ingest,
        [
            (speed, at[0], 3.0, "N"),
            (direction, at[0], 90.0, "N"),
            (speed, at[1], 3.0, "D"),
            (direction, at[1], 90.0, "N"),
            (speed, at[2], 3.0, "N"),
            (direction, at[2], None, "B"),
            (speed, at[3], 3.0, "N"),
            (direction, at[4], 90.0, "N"),
            (speed, START + timedelta(days=1), 3.0, "N"),
            (direction, START + timedelta(days=1), 90.0, "N"),
        ],
    )
    (found,) = await ask(ingest)
    assert (found["samples"], found["from_deg"], found["steadiness"]) == (1, pytest.approx(90), pytest.approx(1))


async def test_a_cadence_without_readings_is_not_chosen(ingest: Running) -> None:
    await ingest.put_park(park(weather("m1"), weather("m2")))
    await blow(ingest, [(2.0, 10.0)], cadence="realtime")
    first, second = await ask(ingest)
    assert (first["cadence"], first["samples"]) == ("realtime", 1)
    assert (second["cadence"], second["samples"], second["calm_share"], second["from_deg"]) == (None, 0, None, None)
    (only,) = await ask(ingest, station_id="test-park.m1", cadence="minute")
    assert only["samples"] == 0


async def test_many_stations_come_in_pages(ingest: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wind_rose, "MAX_STATIONS", 2)
    await ingest.put_park(park(*(weather(f"m{n}") for n in range(5))))
    seen: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await ingest.get(ROSE, **SPAN, cursor=cursor)
        seen.append([item["station_id"][-2:] for item in page["items"]])
        cursor = page["next"]
    assert seen == [["m0", "m1"], ["m2", "m3"], ["m4"]]


@pytest.mark.parametrize(
    ("parameters", "status", "detail"),
    [
        ({"station_id": "test-park.s1"}, 404, "test-park.s1"),
        ({"end": iso(START)}, 400, "before"),
        ({"end": iso(START + timedelta(days=400))}, 400, "366 days"),
        ({"speed_edge": [3.0, 2.0]}, 422, "rise"),
        ({"sectors": 2}, 422, "sectors"),
    ],
)
async def test_roses_that_cannot_be_drawn(
    ingest: Running, parameters: dict[str, Any], status: int, detail: str
) -> None:
    await ingest.put_park(park(station("s1", "A1"), weather("m1")))
    answer = await ingest.http.get(ROSE, params={**SPAN, **parameters})
    assert answer.status_code == status, answer.text
    assert detail in answer.json()["detail"]


def test_a_rose_of_calm_alone_has_no_direction() -> None:
    found = rose("p.m1", "minute", [Cell(None, 0, 5, 0.0, 0.0, 0.0)], sectors=8, edges=[2.0], calm=0.2)
    assert (found.calm_share, found.from_deg, found.steadiness, found.mean_speed_m_s) == (1.0, None, None, 0.0)
