import random
import statistics
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from shared.time import iso
from tests.ingest.parks import park, station, weather
from tests.ingest.questions.filling import ids, lay
from tests.ingest.running import Running

START = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = {"start": iso(START), "end": iso(START + timedelta(days=2))}
STATISTICS = "/parks/test-park/statistics"


async def chlorine(ingest: Running, code: str = "s1", cadence: str = "realtime") -> int:
    return (await ids(ingest))[f"test-park.{code}", "chlorine", cadence]


async def fill(ingest: Running, number: int, *readings: float | tuple[float | None, str], apart_s: float = 10) -> None:
    await lay(
        ingest,
        [
            (number, START + timedelta(seconds=apart_s * index), *(entry if isinstance(entry, tuple) else (entry, "N")))
            for index, entry in enumerate(readings)
        ],
    )


async def test_moments_and_percentiles_are_those_of_others(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    number = await chlorine(ingest)
    chance = random.Random(2)
    values = [chance.lognormvariate(0, 1) for _ in range(501)]
    await fill(ingest, number, *values, (99.0, "D"), (None, "B"))
    page = await ingest.get(STATISTICS, **SPAN, datastream_id=number, percentile=[0, 50, 98.5, 100])
    (found,) = page["items"]
    assert (page["basis"], found["unit"], found["property_id"]) == ("raw", "mg/m3", "chlorine")
    assert (found["values"], found["left_out"], found["over_range"]) == (501, 2, 0)
    assert found["mean"] == pytest.approx(statistics.fmean(values))
    assert found["standard_deviation"] == pytest.approx(statistics.stdev(values))
    assert (found["minimum"], found["maximum"]) == (min(values), max(values))
    assert found["maximum_at"] == iso(START + timedelta(seconds=10 * values.index(max(values))))
    told = [entry["value"] for entry in found["percentiles"]]
    assert told == pytest.approx(np.percentile(values, [0, 50, 98.5, 100]).tolist())


async def test_exceedances_count_values_and_episodes(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    number = await chlorine(ingest)
    await fill(ingest, number, 1.0, 3.0, 4.0, (9.0, "D"), 3.0, 2.0, (None, "T"), 1.0, 8.0, (None, "B"))
    (found,) = (await ingest.get(STATISTICS, **SPAN, datastream_id=number, threshold=[5, 2, 100]))["items"]
    low, high, never = found["exceedances"]
    assert (low["threshold"], low["count"], low["episodes"]) == (2, 5, 3)
    assert low["share"] == pytest.approx(5 / 8)
    assert (low["first_at"], low["last_at"]) == (iso(START + timedelta(seconds=10)), iso(START + timedelta(seconds=80)))
    assert low["highest_ratio"] == 4
    assert (high["count"], high["episodes"], high["highest_ratio"]) == (2, 2, pytest.approx(1.6))
    assert (never["count"], never["highest_ratio"]) == (1, None), "over range without a value is never below"
    assert found["over_range"] == 1


async def test_means_of_hours_and_days_leave_out_what_is_not_valid(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    number = await chlorine(ingest)
    hours: dict[int, list[float | tuple[float, str]]] = {
        0: [1.0, 2.0, 3.0],
        1: [(5.0, "D"), (5.0, "D"), 50.0],
        17: [10.0],
    }
    for hour, readings in hours.items():
        await lay(
            ingest,
            [
                (number, START + timedelta(hours=hour, minutes=n), *(one if isinstance(one, tuple) else (one, "N")))
                for n, one in enumerate(readings)
            ],
        )
    (found,) = (await ingest.get(STATISTICS, **SPAN, datastream_id=number, basis="hour", threshold=5))["items"]
    assert (found["values"], found["left_out"], found["mean"]) == (2, 1, 6.0)
    assert (found["maximum"], found["maximum_at"]) == (10.0, iso(START + timedelta(hours=17)))
    assert (found["exceedances"][0]["count"], found["exceedances"][0]["share"]) == (1, 0.5)
    # 17:00 UTC is the next day in the park; the first day has four valid readings of six.
    (found,) = (await ingest.get(STATISTICS, **SPAN, datastream_id=number, basis="day"))["items"]
    assert (found["values"], found["left_out"], found["mean"]) == (1, 1, 10.0)
    (found,) = (await ingest.get(STATISTICS, **SPAN, datastream_id=number, basis="minute"))["items"]
    assert (found["values"], found["left_out"]) == (5, 2)


async def test_days_are_whole_and_those_of_the_park(ingest: Running) -> None:
    file = park(station("s1", "A1"))
    file["park"]["timezone"] = "Asia/Kolkata"
    await ingest.put_park(file)
    number = await chlorine(ingest)
    midnight = START + timedelta(hours=18, minutes=30)
    await lay(
        ingest,
        [
            (number, midnight - timedelta(hours=24), 1.0, "N"),
            (number, midnight - timedelta(minutes=1), 3.0, "N"),
            (number, midnight, 10.0, "N"),
            (number, midnight + timedelta(hours=24), 99.0, "N"),
        ],
    )
    span = {"start": iso(midnight - timedelta(minutes=90)), "end": iso(midnight + timedelta(minutes=10))}
    (found,) = (await ingest.get(STATISTICS, **span, datastream_id=number, basis="day"))["items"]
    assert (found["values"], found["minimum"], found["maximum"]) == (2, 2.0, 10.0)
    assert found["maximum_at"] == iso(midnight)


async def test_a_datastream_without_readings_has_none(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    (found,) = (await ingest.get(STATISTICS, **SPAN, datastream_id=await chlorine(ingest), threshold=1))["items"]
    assert (found["values"], found["mean"], found["maximum_at"]) == (0, None, None)
    assert [entry["value"] for entry in found["percentiles"]] == [None, None, None]
    assert (found["exceedances"][0]["count"], found["exceedances"][0]["share"]) == (0, None)


async def test_no_park_has_statistics_of_another(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    await ingest.put_park(park(station("s1", "B1"), park_id="other"))
    number = (await ids(ingest))["other.s1", "chlorine", "realtime"]
    answer = await ingest.http.get(STATISTICS, params={**SPAN, "datastream_id": number})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("wanted", "parameters", "status", "detail"),
    [
        ([("s1", "chlorine"), ("s1", "ammonia")], {"threshold": 1}, 422, "ammonia, chlorine"),
        ([("m1", "wind-direction")], {}, 422, "wind-rose"),
        ([("s1", "chlorine")], {"end": iso(START + timedelta(days=40))}, 400, "31 days"),
        ([("s1", "chlorine")], {"percentile": 101}, 422, "percentile"),
        ([("s1", "chlorine")], {"threshold": "nan"}, 422, "threshold"),
    ],
)
async def test_statistics_that_have_no_meaning(
    ingest: Running, wanted: list[tuple[str, str]], parameters: dict[str, Any], status: int, detail: str
) -> None:
    await ingest.put_park(park(station("s1", "A1"), weather("m1")))
    known = await ids(ingest)
    numbers = [known[f"test-park.{code}", name, "realtime"] for code, name in wanted]
    answer = await ingest.http.get(STATISTICS, params={**SPAN, "datastream_id": numbers, **parameters})
    assert answer.status_code == status, answer.text
    assert detail in answer.json()["detail"]
