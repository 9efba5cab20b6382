"""The wind by periods is what mean_wind makes of the same samples."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.ingest.meaning.wind import mean_wind
from services.ingest.questions.wind import periods
from shared.time import iso
from tests.ingest.parks import park, station, weather
from tests.ingest.questions.filling import Reading, ids, lay
from tests.ingest.running import Running

START = datetime(2026, 3, 1, tzinfo=UTC)
WIND = "/parks/test-park/wind"


def moment(index: int) -> datetime:
    return START + timedelta(seconds=30 * index)


async def blow(ingest: Running, samples: list[tuple[float, float]], code: str = "m1", flags: str = "NN") -> None:
    """(speed, direction) pairs every 30 s."""
    known = await ids(ingest)
    rows: list[Reading] = []
    for index, pair in enumerate(samples):
        for name, value, flag in zip(("wind-speed", "wind-direction"), pair, flags, strict=True):
            rows.append((known[f"test-park.{code}", name, "realtime"], moment(index), value, flag))
    await lay(ingest, rows)


async def ask(ingest: Running, resolution: str, hours: float = 1.0, **parameters: Any) -> dict[str, Any]:
    span = {"start": iso(START), "end": iso(START + timedelta(hours=hours))}
    (item,) = (await ingest.get(WIND, resolution=resolution, **span, **parameters))["items"]
    found: dict[str, Any] = item
    return found


@pytest.mark.parametrize(("resolution", "size", "hours"), [("minute", 2, 1.0), ("hour", 120, 2.0)])
async def test_means_of_periods(ingest: Running, resolution: str, size: int, hours: float) -> None:
    await ingest.put_park(park(station("s1", "A1"), weather("m1")))
    chance = random.Random(7)
    samples = [(chance.uniform(0, 12), chance.gauss(350, 40) % 360) for _ in range(240)]
    await blow(ingest, samples)
    found = await ask(ingest, resolution, hours)
    parts = [samples[at : at + size] for at in range(0, int(hours * 120), size)]
    assert found["time"] == [iso(moment(size * index)) for index in range(len(parts))]
    assert (found["count"], found["valid"]) == ([size] * len(parts), [size] * len(parts))
    for index, part in enumerate(parts):
        mean = mean_wind(part)
        assert found["speed_m_s"][index] == pytest.approx(mean.speed)
        assert found["vector_speed_m_s"][index] == pytest.approx(mean.vector_speed)
        assert found["from_deg"][index] == pytest.approx(mean.from_deg)
        assert found["sigma_theta_deg"][index] == pytest.approx(mean.sigma_theta_deg, abs=1e-6)
    assert set(found["quality"]) == {"N"}


async def test_a_gust_turns_the_mean_more_than_a_breeze(ingest: Running) -> None:
    """What the direction alone, averaged, does not tell."""
    await ingest.put_park(park(weather("m1")))
    await blow(ingest, [(9.0, 90.0), (1.0, 0.0)])
    found = await ask(ingest, "minute")
    assert found["from_deg"] == [pytest.approx(83.66, abs=0.01)]


async def test_invalid_pairs_count_against_the_period(ingest: Running) -> None:
    await ingest.put_park(park(weather("m1")))
    known = await ids(ingest)
    speed, direction = (known["test-park.m1", name, "realtime"] for name in ("wind-speed", "wind-direction"))
    rows: list[Reading] = []
    for index, flags in enumerate(["NN", "ND", "RN", "NN"]):
        rows += [(speed, moment(index), 2.0, flags[0]), (direction, moment(index), 45.0, flags[1])]
    rows += [(speed, moment(8), 2.0, "N"), (speed, moment(10), 2.0, "B"), (direction, moment(10), 2.0, "N")]
    await lay(ingest, rows)
    found = await ask(ingest, "hour")
    assert (found["count"], found["valid"], found["quality"]) == ([5], [2], ["D"])
    assert found["from_deg"] == [pytest.approx(45)]
    minutes = await ask(ingest, "minute")
    assert (minutes["valid"], minutes["speed_m_s"]) == ([1, 1, 0], [2.0, 2.0, None])


async def test_days_are_the_parks_own(ingest: Running) -> None:
    await ingest.put_park(park(weather("m1")))
    known = await ids(ingest)
    rows: list[Reading] = []
    for hour in range(12, 20):  # midnight of Asia/Shanghai is 16:00 UTC
        for name, value in (("wind-speed", 1.0 if hour < 16 else 3.0), ("wind-direction", 180.0)):
            rows.append((known["test-park.m1", name, "realtime"], START + timedelta(hours=hour), value, "N"))
    await lay(ingest, rows)
    found = await ask(ingest, "day", 24)
    assert found["time"] == ["2026-02-28T16:00:00Z", "2026-03-01T16:00:00Z"]
    assert found["speed_m_s"] == [1.0, 3.0]


async def test_stations_page_by_page_and_one_by_name(ingest: Running) -> None:
    codes = [f"m{number:02d}" for number in range(12)]
    await ingest.put_park(park(station("s1", "A1"), *(weather(code) for code in codes)))
    span = {"start": iso(START), "end": iso(START + timedelta(hours=1))}
    first = await ingest.get(WIND, **span)
    second = await ingest.get(WIND, cursor=first["next"], **span)
    assert [item["station_id"] for item in first["items"] + second["items"]] == [f"test-park.{code}" for code in codes]
    assert (len(second["items"]), second["next"], second["items"][0]["cadence"]) == (2, None, None)
    assert (await ask(ingest, "hour", station_id="test-park.m03"))["station_id"] == "test-park.m03"


@pytest.mark.parametrize(("resolution", "days"), [("minute", 1.1), ("hour", 63), ("day", 400), ("hour", -1)])
async def test_spans_are_bounded(ingest: Running, resolution: str, days: float) -> None:
    await ingest.put_park(park(weather("m1")))
    span = {"start": iso(START), "end": iso(START + timedelta(days=days)), "resolution": resolution}
    assert (await ingest.http.get(WIND, params=span)).status_code == 400


def test_periods_are_whole() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    at = datetime(2026, 3, 1, 10, 17, 40, tzinfo=UTC)
    assert periods("minute", zone, at, at + timedelta(seconds=30)) == [
        datetime(2026, 3, 1, 10, minute, tzinfo=UTC) for minute in (17, 18, 19)
    ]
    assert periods("hour", zone, at, at + timedelta(minutes=1)) == [
        datetime(2026, 3, 1, hour, tzinfo=UTC) for hour in (10, 11)
    ]
    assert periods("day", zone, at, at + timedelta(hours=1))[0] == datetime(2026, 2, 28, 18, 30, tzinfo=UTC)
