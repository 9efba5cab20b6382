"""Readings that stand still are flagged, and only those."""

from datetime import UTC, datetime, timedelta

from services.ingest.corrections.stuck import StuckReadings
from tests.ingest.conftest import Start
from tests.ingest.parks import park, station
from tests.ingest.questions.filling import Reading, ids, lay
from tests.ingest.running import Running, until

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def readings(stream: int, values: list[float | None], flags: str = "") -> list[Reading]:
    """Every 30 s, the last one at NOW."""
    letters = flags or "N" * len(values)
    first = NOW - timedelta(seconds=30 * (len(values) - 1))
    return [
        (stream, first + timedelta(seconds=30 * index), value, letter)
        for index, (value, letter) in enumerate(zip(values, letters, strict=True))
    ]


async def flags_of(ingest: Running, stream: int) -> set[str]:
    return {flag for (flag,) in await ingest.rows("SELECT quality FROM observation WHERE datastream_id = %s", stream)}


async def test_only_what_stands_still_above_the_detection_limit_is_flagged(ingest: Running) -> None:
    limited = [{"property": "chlorine", "cadences": ["realtime"], "detection_limit": 0.1}]
    codes = ["stuck", "moves", "below", "zero", "few", "fault", "range"]
    await ingest.put_park(park(*(station(code, None, datastreams=limited) for code in codes)))
    known = await ids(ingest)
    stream = {code: known[f"test-park.{code}", "chlorine", "realtime"] for code in codes}
    still: list[float | None] = [4.2] * 120
    await lay(
        ingest,
        [
            *readings(stream["stuck"], still),
            *readings(stream["moves"], [*still[:-1], 4.3]),
            *readings(stream["below"], [0.1] * 120),
            *readings(stream["zero"], [0.0] * 120),
            *readings(stream["few"], still[:60]),
            *readings(stream["fault"], still, "D" * 120),
            *readings(stream["range"], still, "T" * 120),
        ],
    )
    looker = StuckReadings(ingest.state.engine, HOUR)
    assert await looker.look(NOW) == 120
    assert {code: "".join(await flags_of(ingest, stream[code])) for code in codes} == {
        "stuck": "K",
        "moves": "N",
        "below": "N",
        "zero": "N",
        "few": "N",
        "fault": "D",
        "range": "T",
    }
    assert await looker.look(NOW) == 0
    journal = await ingest.rows("SELECT DISTINCT author, before_quality, after_quality, after_value FROM correction")
    assert journal == [("fenceline", "N", "K", 4.2)]


async def test_it_runs_where_it_is_asked_for(start_ingest: Start, database_url: str) -> None:
    async with start_ingest(database_url, ingest_stuck_after_s=3600) as ingest:
        await ingest.ready()
        await ingest.put_park(park(station("s1", None)))
        stream = (await ids(ingest))["test-park.s1", "chlorine", "realtime"]
        age = datetime.now(UTC) - NOW
        await lay(
            ingest, [(number, time + age, value, flag) for number, time, value, flag in readings(stream, [4.2] * 121)]
        )
    async with start_ingest(database_url, ingest_stuck_after_s=3600) as ingest:

        async def flagged() -> bool:
            return "K" in await flags_of(ingest, stream)

        await until(flagged)


async def test_it_goes_on_for_as_long_as_it_stands_still(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", None)))
    stream = (await ids(ingest))["test-park.s1", "chlorine", "realtime"]
    await lay(ingest, readings(stream, [4.2] * 120))
    looker = StuckReadings(ingest.state.engine, HOUR)
    assert await looker.look(NOW) == 120
    later = NOW + timedelta(minutes=5)
    await lay(ingest, [(stream, NOW + timedelta(seconds=30 * n), 4.2, "N") for n in range(1, 11)])
    assert await looker.look(later) == 10
    await lay(ingest, [(stream, later + timedelta(seconds=30), 3.9, "N")])
    assert await looker.look(later + timedelta(minutes=5)) == 0
