import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.ingest.reports.period import Period
from shared.time import iso
from tests.ingest.parks import park, station, weather
from tests.ingest.questions.filling import Reading, ids, lay
from tests.ingest.running import Running

DAY = datetime(2026, 2, 28, 16, tzinfo=UTC)
"""Midnight of 1 March in the park."""
DAILY = "/parks/test-park/reports/daily"
MONTHLY = "/parks/test-park/reports/monthly"


def row_of(report: Any, code: str, name: str) -> Any:
    (row,) = (row for row in report["rows"] if (row["station_id"], row["property_id"]) == (f"test-park.{code}", name))
    return row


def every_ten_minutes(number: int, start: datetime, values: list[float], quality: str = "N") -> list[Reading]:
    return [(number, start + timedelta(minutes=10 * n), value, quality) for n, value in enumerate(values)]


async def test_a_day_of_the_park(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    number = (await ids(ingest))["test-park.s1", "chlorine", "minute"]
    await lay(
        ingest,
        [
            *every_ten_minutes(number, DAY - timedelta(hours=1), [99.0] * 6),
            *every_ten_minutes(number, DAY, [1.0, 2.0, 3.0]),
            *every_ten_minutes(number, DAY + timedelta(hours=5), [4.0, 12.0]),
            *every_ten_minutes(number, DAY + timedelta(hours=7), [50.0, 50.0], "D"),
            *every_ten_minutes(number, DAY + timedelta(hours=23), [2.0], "T"),
            *every_ten_minutes(number, DAY + timedelta(hours=24), [99.0]),
        ],
    )
    report = await ingest.get(DAILY, day="2026-03-01")
    assert (report["period"], report["start"], report["end"]) == ("2026-03-01", iso(DAY), iso(DAY + timedelta(days=1)))
    assert (len(report["parts"]), report["ended"], report["timezone"]) == (24, True, "Asia/Shanghai")
    row = row_of(report, "s1", "chlorine")
    assert (row["cadence"], row["datastream_id"], row["unit"]) == ("minute", number, "mg/m3")
    assert (row["readings"], row["valid"], row["over_range"], row["valid_parts"]) == (8, 6, 1, 3)
    assert (row["mean"], row["quality"]) == (4.0, "T")
    assert (row["minimum"], row["maximum"], row["maximum_at"]) == (1.0, 12.0, iso(DAY + timedelta(hours=5)))
    assert {hour: mean for hour, mean in enumerate(row["means"]) if mean is not None} == {0: 2.0, 5: 8.0, 23: 2.0}
    assert len(row["means"]) == 24
    silent = row_of(report, "s1", "ammonia")
    assert (silent["readings"], silent["mean"], silent["quality"], silent["maximum_at"]) == (0, None, "X", None)
    assert len(report["rows"]) == 2, "a property of a station stands once, whatever its cadences"


async def test_a_month_of_the_park(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1"), weather("m1")))
    known = await ids(ingest)
    gas = known["test-park.s1", "chlorine", "realtime"]
    speed, direction = (known["test-park.m1", name, "realtime"] for name in ("wind-speed", "wind-direction"))
    last = datetime(2026, 3, 31, 15, 50, tzinfo=UTC)
    await lay(ingest, [(gas, DAY, 1.0, "N"), (gas, last, 5.0, "N"), (gas, last + timedelta(minutes=10), 9.0, "N")])
    await lay(ingest, [*every_ten_minutes(speed, DAY, [2.0, 2.0]), *every_ten_minutes(direction, DAY, [350.0, 10.0])])
    report = await ingest.get(MONTHLY, month="2026-03")
    row = row_of(report, "s1", "chlorine")
    assert (len(report["parts"]), row["mean"], row["cadence"]) == (31, 3.0, "realtime")
    assert (row["means"][0], row["means"][30], row["valid_parts"]) == (1.0, 5.0, 2)
    assert row["maximum_at"] == "2026-03-30T16:00:00Z"
    turned = row_of(report, "m1", "wind-direction")
    assert min(turned["mean"], 360 - turned["mean"]) == pytest.approx(0, abs=1e-6)
    assert (turned["minimum"], turned["maximum"]) == (None, None)
    (rose,) = report["wind"]
    assert (rose["samples"], rose["steadiness"]) == (2, pytest.approx(0.985, abs=0.001))
    only = await ingest.get(MONTHLY, month="2026-03", station_id="test-park.s1")
    assert {row["station_id"] for row in only["rows"]} == {"test-park.s1"}
    assert only["wind"] == []
    windy = await ingest.get(MONTHLY, month="2026-03", station_id="test-park.m1")
    assert windy["wind"] == report["wind"]


async def test_a_period_that_goes_on_says_so(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    assert (await ingest.get(DAILY, day=today.isoformat()))["ended"] is False
    page = await ingest.http.get(f"{DAILY}.html", params={"day": today.isoformat(), "language": "en"})
    assert "not over" in page.text


async def test_hours_of_a_zone_that_is_not_whole_hours_from_utc(ingest: Running) -> None:
    file = park(station("s1", "A1"))
    file["park"]["timezone"] = "Asia/Kolkata"
    await ingest.put_park(file)
    number = (await ids(ingest))["test-park.s1", "chlorine", "minute"]
    start = datetime(2026, 2, 28, 18, 30, tzinfo=UTC)
    await lay(ingest, [(number, start - timedelta(minutes=1), 9.0, "N"), (number, start, 1.0, "N")])
    await lay(
        ingest, [(number, start + timedelta(minutes=59), 3.0, "N"), (number, start + timedelta(hours=1), 7.0, "N")]
    )
    row = row_of(await ingest.get(DAILY, day="2026-03-01"), "s1", "chlorine")
    assert row["means"][:3] == [2.0, 7.0, None]
    assert row["readings"] == 3


@pytest.mark.parametrize(("language", "words"), [("zh", ["监测日报", "氯气", "站 s1"]), ("en", ["Daily", "Chlorine"])])
async def test_the_page_tells_the_same_in_the_language_asked_for(
    ingest: Running, language: str, words: list[str]
) -> None:
    await ingest.put_park(park(station("s1", "A1"), weather("m1")))
    known = await ids(ingest)
    speed, direction = (known["test-park.m1", name, "minute"] for name in ("wind-speed", "wind-direction"))
    gas = known["test-park.s1", "chlorine", "minute"]
    await lay(ingest, every_ten_minutes(gas, DAY, [1.25, 1.25]))
    await lay(ingest, every_ten_minutes(gas, DAY + timedelta(hours=1), [7.0] * 3, "D"))
    await lay(ingest, [*every_ten_minutes(speed, DAY, [2.0]), *every_ten_minutes(direction, DAY, [90.0])])
    answer = await ingest.http.get(f"{DAILY}.html", params={"day": "2026-03-01", "language": language})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'"
    for word in [*words, "2026-03-01", "1.25*", "2 / 5", "1 / 24", "90°"]:
        assert word in answer.text, word
    assert f'<html lang="{language}">' in answer.text


async def test_names_on_the_page_are_text(ingest: Running) -> None:
    name = {"zh": "<script>alert(1)</script>", "en": "<b>x</b>"}
    await ingest.put_park(park(station("s1", "A1", name=name)))
    for path, period in ((f"{DAILY}.html", {"day": "2026-03-01"}), (f"{MONTHLY}.html", {"month": "2026-03"})):
        page = (await ingest.http.get(path, params=period)).text
        assert not re.search("<script|<b>", page)
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("path", "parameters", "status"),
    [
        (DAILY, {"day": "2026-02-30"}, 422),
        (DAILY, {"day": "0001-01-01"}, 422),
        (DAILY, {"day": "9999-12-31"}, 422),
        (DAILY, {}, 422),
        (MONTHLY, {"month": "2026-13"}, 422),
        (MONTHLY, {"month": "9999-12"}, 422),
        (DAILY, {"day": "2026-03-01", "station_id": "other.s1"}, 404),
        ("/parks/nowhere/reports/daily", {"day": "2026-03-01"}, 404),
    ],
)
async def test_reports_that_cannot_be(ingest: Running, path: str, parameters: dict[str, str], status: int) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    await ingest.put_park(park(station("s1", "B1"), park_id="other"))
    answer = await ingest.http.get(path, params=parameters)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)])
def test_where_clocks_are_changed_a_day_has_its_own_hours(day: date, hours: int) -> None:
    period = Period.of_day(day, ZoneInfo("Europe/Berlin"))
    assert len(period.parts) == hours
    assert period.end - period.start == timedelta(hours=hours)


def test_a_month_has_its_days() -> None:
    period = Period.of_month(2024, 2, ZoneInfo("Asia/Shanghai"))
    assert len(period.parts) == 29
    assert (period.start, period.end) == (
        datetime(2024, 1, 31, 16, tzinfo=UTC),
        datetime(2024, 2, 29, 16, tzinfo=UTC),
    )
