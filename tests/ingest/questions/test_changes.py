"""Whoever follows the feed has everything, whoever writes and in whatever order it is committed."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from services.ingest.meaning.normalise import Observation
from services.ingest.questions import changes, cursors
from services.ingest.questions.cursors import Place
from services.ingest.writing.batch import Batch, Submission
from services.ingest.writing.store import Connection, prepare, store
from services.ingest.writing.store import write as store_uncommitted
from shared import database
from shared.streams import OBSERVATION_SHARDS, shard_of
from shared.time import from_microseconds, iso, to_microseconds
from tests.ingest.parks import park, station
from tests.ingest.questions.filling import ids
from tests.ingest.running import Running, until

START = to_microseconds(datetime(2026, 3, 1, tzinfo=UTC))
FEED = "/parks/test-park/observations/changes"
Key = tuple[int, str]
"""Datastream and time."""


def rows(number: int, station_id: str, *steps: int, value: float = 1.0) -> list[Observation]:
    shard = shard_of(station_id, OBSERVATION_SHARDS)
    return [Observation(number, START + step * 1_000_000, value, "N", None, None, shard) for step in steps]


def submission(found: list[Observation], park_id: str = "test-park") -> Submission:
    return Submission("test", found, parks=frozenset({park_id}))


@asynccontextmanager
async def writer(ingest: Running) -> AsyncIterator[Connection]:
    """A connection as the service has one to write with."""
    async with await database.connect(ingest.database_url, "ingest") as connection:
        await prepare(connection)
        yield connection


async def page(ingest: Running, cursor: str | None = None, **parameters: Any) -> Any:
    return await ingest.get(FEED, **({} if cursor is None else {"cursor": cursor}), **parameters)


async def follow(ingest: Running, cursor: str, **parameters: Any) -> tuple[list[dict[str, Any]], str]:
    """All that is there by now."""
    items: list[dict[str, Any]] = []
    while True:
        found = await page(ingest, cursor, **parameters)
        items += found["items"]
        cursor = found["next"]
        if not found["more"]:
            return items, cursor


async def published(ingest: Running) -> None:
    """Wait until every committed fact has its position."""

    async def none_waits() -> bool:
        return await ingest.rows("SELECT count(*) FROM outbox WHERE position IS NULL") == [(0,)]

    await until(none_waits)


async def test_what_is_committed_late_under_an_early_number_is_not_missed(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    number = (await ids(ingest))["test-park.s1", "chlorine", "realtime"]
    cursor = (await page(ingest))["next"]
    async with writer(ingest) as slow, writer(ingest) as quick:
        async with slow.transaction():
            await store_uncommitted(slow, Batch([submission(rows(number, "test-park.s1", 1, 2))]), commit=False)
            await store(quick, Batch([submission(rows(number, "test-park.s1", 3))]))
            await published(ingest)
            seen, cursor = await follow(ingest, cursor)
            assert [item["time"] for item in seen] == [iso(from_microseconds(START + 3_000_000))]
        await published(ingest)
    first = await ingest.rows("SELECT id, position FROM outbox WHERE stream LIKE 'observations%%' ORDER BY id")
    assert [position for _, position in first] == [2, 1], "the transaction that began first was seen last"
    late, cursor = await follow(ingest, cursor)
    assert [item["time"] for item in late] == [iso(from_microseconds(START + n * 1_000_000)) for n in (1, 2)]
    assert (late[0]["change"], late[0]["value"], late[0]["unit"]) == ("stored", 1.0, "mg/m3")
    assert (await follow(ingest, cursor))[0] == []


async def test_a_reader_that_polls_while_many_write_has_every_row_once(ingest: Running) -> None:
    codes = [f"s{n}" for n in range(6)]
    await ingest.put_park(park(*(station(code, f"A{code}") for code in codes)))
    known = await ids(ingest)
    numbers = {code: known[f"test-park.{code}", "chlorine", "realtime"] for code in codes}
    committed: set[Key] = set()
    done = asyncio.Event()

    async def write(seed: int) -> None:
        chance = random.Random(seed)
        async with writer(ingest) as connection:
            for turn in range(25):
                chosen = chance.sample(codes, 2)
                found = [
                    row
                    for code in chosen
                    for row in rows(
                        numbers[code],
                        f"test-park.{code}",
                        *(seed * 10_000 + turn * 10 + step for step in range(chance.randint(1, 9))),
                    )
                ]
                try:
                    async with connection.transaction():
                        await store_uncommitted(connection, Batch([submission(found)]), commit=False)
                        await asyncio.sleep(chance.choice((0, 0, 0.01, 0.06)))
                        if chance.random() < 0.1:
                            raise LookupError
                except LookupError:
                    continue
                committed.update((row.datastream_id, iso(from_microseconds(row.time))) for row in found)

    async def read(limit: int) -> list[Key]:
        cursor = (await page(ingest))["next"]
        seen: list[Key] = []
        last = False
        while True:
            items, cursor = await follow(ingest, cursor, limit=limit)
            seen += [(item["datastream_id"], item["time"]) for item in items]
            if last:
                return seen
            last = done.is_set()
            await asyncio.sleep(0.005)

    readers = [asyncio.create_task(read(limit)) for limit in (7, 1000)]
    await asyncio.sleep(0.1)
    await asyncio.gather(*(write(seed) for seed in range(5)))
    await published(ingest)
    done.set()
    small, large = await asyncio.gather(*readers)
    assert len(committed) > 500
    for seen in (small, large):
        assert len(seen) == len(set(seen)), "a row came twice"
        assert set(seen) == committed
    orders: list[dict[int, list[str]]] = []
    for seen in (small, large):
        by_stream: dict[int, list[str]] = defaultdict(list)
        for number, time in seen:
            by_stream[number].append(time)
        orders.append(by_stream)
    assert orders[0] == orders[1], "of one datastream every reader has the same order"


async def test_pages_may_end_anywhere(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1"), station("s2", "A2")))
    known = await ids(ingest)
    async with writer(ingest) as connection:
        for turn in range(3):
            found = [
                row
                for code in ("s1", "s2")
                for row in rows(
                    known[f"test-park.{code}", "chlorine", "realtime"],
                    f"test-park.{code}",
                    *range(turn * 9, turn * 9 + 7),
                )
            ]
            await store(connection, Batch([submission(found)]))
    await published(ingest)
    start = cursors.write({})
    whole, end = await follow(ingest, start, limit=1000)
    assert len(whole) == 42
    for limit in (1, 5, 7, 14):
        assert await follow(ingest, start, limit=limit) == (whole, end)


async def test_a_long_way_without_news_of_the_park_is_gone_in_steps(
    ingest: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "_WINDOWS", (1, 3))
    monkeypatch.setattr(changes, "_FACTS", 2)
    await ingest.put_park(park(station("s1", "A1")))
    await ingest.put_park(park(station("s1", "B1"), park_id="other"))
    known = await ids(ingest)
    own, foreign = (known[f"{name}.s1", "chlorine", "realtime"] for name in ("test-park", "other"))
    async with writer(ingest) as connection:
        for step in range(10):
            # The other park's readings in the shard of ours, as it happens where there are more parks than shards.
            await store(connection, Batch([submission(rows(foreign, "test-park.s1", step), "other")]))
        for step in range(5):
            await store(connection, Batch([submission(rows(own, "test-park.s1", step))]))
    await published(ingest)
    first = await page(ingest, cursors.write({}))
    assert (first["items"], first["more"]) == ([], True)
    items, _ = await follow(ingest, first["next"])
    assert [item["datastream_id"] for item in items] == [own] * 5


async def test_a_fact_of_two_parks_tells_each_its_own(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    await ingest.put_park(park(station("s1", "B1"), park_id="other"))
    known = await ids(ingest)
    own, foreign = (known[f"{name}.s1", "chlorine", "realtime"] for name in ("test-park", "other"))
    shared = [*rows(own, "test-park.s1", 1), *rows(foreign, "test-park.s1", 2)]
    async with writer(ingest) as connection:
        await store(connection, Batch([Submission("test", shared, parks=frozenset({"test-park", "other"}))]))
        # One whose writer did not say whom it concerns is looked into as well.
        await store(connection, Batch([Submission("test", rows(own, "test-park.s1", 3))]))
    await published(ingest)
    items, _ = await follow(ingest, cursors.write({}))
    assert [(item["datastream_id"], item["station_id"]) for item in items] == [(own, "test-park.s1")] * 2


async def test_extremes_of_a_period_are_told(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    number = (await ids(ingest))["test-park.s1", "chlorine", "minute"]
    async with writer(ingest) as connection:
        row = Observation(number, START, 2.0, "N", 1.0, 3.5, shard_of("test-park.s1", OBSERVATION_SHARDS))
        await store(
            connection, Batch([submission([row, row._replace(time=START + 60_000_000, value=None, quality="B")])])
        )
    await published(ingest)
    (first, second), _ = await follow(ingest, cursors.write({}))
    assert (first["value"], first["minimum"], first["maximum"], first["cadence"]) == (2.0, 1.0, 3.5, "minute")
    assert (second["value"], second["quality"]) == (None, "B")


async def test_corrections_come_in_the_feed_of_their_park_alone(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    await ingest.put_park(park(station("s1", "B1"), park_id="other"))
    known = await ids(ingest)
    numbers = {name: known[f"{name}.s1", "chlorine", "realtime"] for name in ("test-park", "other")}
    async with writer(ingest) as connection:
        for name, number in numbers.items():
            await store(connection, Batch([submission(rows(number, f"{name}.s1", 0), name)]))
    await published(ingest)
    cursor = (await page(ingest, since="now"))["next"]
    for name, number in numbers.items():
        value = {"datastream_id": number, "time": iso(from_microseconds(START)), "value": 0.5, "quality": "R"}
        correction = {"reason": "span gas", "values": [value]}
        answer = await ingest.http.post(f"/parks/{name}/corrections", json=correction)
        assert answer.json()["corrected"] == 1, answer.text
    await published(ingest)
    (only,), _ = await follow(ingest, cursor)
    told = (only["change"], only["station_id"], only["value"], only["quality"])
    assert told == ("corrected", "test-park.s1", 0.5, "R")


async def test_without_a_cursor_it_begins_with_the_oldest_or_with_now(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    number = (await ids(ingest))["test-park.s1", "chlorine", "realtime"]
    async with writer(ingest) as connection:
        await store(connection, Batch([submission(rows(number, "test-park.s1", 1))]))
        await published(ingest)
        assert len((await page(ingest))["items"]) == 1
        now = await page(ingest, since="now")
        assert (now["items"], now["more"]) == ([], False)
        await store(connection, Batch([submission(rows(number, "test-park.s1", 2))]))
    await published(ingest)
    (new,), _ = await follow(ingest, now["next"])
    assert new["time"] == iso(from_microseconds(START + 2_000_000))


@pytest.mark.parametrize("deleted", ["position <= 2", "position = 2"])
async def test_beyond_retention_the_reader_is_told_how_to_go_on(ingest: Running, deleted: str) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    number = (await ids(ingest))["test-park.s1", "chlorine", "realtime"]
    stream = f"observations.{shard_of('test-park.s1', OBSERVATION_SHARDS)}"
    async with writer(ingest) as connection:
        for step in range(4):
            await store(connection, Batch([submission(rows(number, "test-park.s1", step))]))
        await published(ingest)
        await connection.execute(f"DELETE FROM outbox WHERE stream = %s AND {deleted}".encode(), [stream])
        await connection.commit()
        for cursor in (cursors.write({}), cursors.write({stream: Place(1)})):
            answer = await ingest.http.get(FEED, params={"cursor": cursor})
            assert answer.status_code == 410, answer.text
        fresh = answer.json()["next"]
        assert (await follow(ingest, fresh))[0] == []
        kept, _ = await follow(ingest, cursors.write({stream: Place(2)}))
        assert len(kept) == 2
        await store(connection, Batch([submission(rows(number, "test-park.s1", 9))]))
    await published(ingest)
    assert len((await follow(ingest, fresh))[0]) == 1


async def test_a_cursor_ahead_of_the_feed_is_of_another_past(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    for cursor in (cursors.write({"observations.3": Place(5)}),):
        answer = await ingest.http.get(FEED, params={"cursor": cursor})
        assert answer.status_code == 410
        assert "backup" in answer.json()["detail"]


@pytest.mark.parametrize("cursor", ["?", "MQ==x", "Mg", "MXxh", "MXxhOi0xOjA", "é"])
async def test_what_is_no_cursor_is_refused(ingest: Running, cursor: str) -> None:
    await ingest.put_park(park())
    answer = await ingest.http.get(FEED, params={"cursor": cursor})
    assert answer.status_code == 400, answer.text
    assert "next" in answer.json()["detail"]


async def test_an_unknown_park_has_no_feed(ingest: Running) -> None:
    assert (await ingest.http.get("/parks/nowhere/observations/changes")).status_code == 404


def test_a_cursor_is_read_as_written() -> None:
    places = {"observations.0": Place(12, 3), "corrections": Place(2**40)}
    assert cursors.read(cursors.write(places)) == places
    assert cursors.read(cursors.write({})) == {}
