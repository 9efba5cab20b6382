"""Any order, duplication and interleaving of the same rows gives the same table."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.ingest.meaning.normalise import Observation
from services.ingest.stations.verdicts import Verdict
from services.ingest.writing.batch import STATUSES, Batch, RawFrame, RowStatus, StatusCodes, Submission
from services.ingest.writing.binary_copy import encode_observations
from services.ingest.writing.columns import Columns
from services.ingest.writing.frames import MAX_UNKNOWN_DEVICES
from services.ingest.writing.writer import RefusedSubmission, Writer
from shared import database
from shared.messages import ObservationsStored
from shared.problems import Unavailable

T0 = 1_700_000_000_000_000
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def observation(stream: int, step: int, value: float | None = 1.0, quality: str = "N") -> Observation:
    return Observation(stream, T0 + step * 1_000_000, value, quality, None, None, stream % 4)


def frame(mn: str, verdict: Verdict = Verdict.ACCEPTED, *, known: bool = True) -> RawFrame:
    return RawFrame(NOW, mn, known, "127.0.0.1", verdict, None, b"##0000")


def words(codes: StatusCodes) -> list[RowStatus]:
    return [STATUSES[code] for code in codes]


@asynccontextmanager
async def writers(url: str, count: int = 1, **limits: float) -> AsyncIterator[list[Writer]]:
    chosen = {"batch_rows": 1000, "batch_wait_s": 0.002, "queue_rows": 10_000, **limits}

    async def connect() -> psycopg.AsyncConnection[tuple[object, ...]]:
        return await database.connect(url, "ingest")

    made = [Writer(connect, **chosen) for _ in range(count)]  # type: ignore[arg-type]
    tasks = [asyncio.create_task(writer.run()) for writer in made]
    try:
        yield made
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def fetch(url: str, query: str) -> list[tuple[object, ...]]:
    async with await psycopg.AsyncConnection.connect(url, options="-c search_path=ingest") as connection:
        return await (await connection.execute(query.encode())).fetchall()


async def test_rows_of_many_submissions_share_a_transaction(database_url: str) -> None:
    async with writers(database_url) as (writer,):
        submissions = [Submission("x", [observation(n, 0), observation(n, 1)]) for n in range(50)]
        results = await asyncio.gather(*map(writer.submit, submissions))
    assert list(map(words, results)) == [[RowStatus.ACCEPTED] * 2] * 50
    ((transactions,),) = await fetch(database_url, "SELECT count(DISTINCT xmin::text) FROM observation")
    assert isinstance(transactions, int)
    assert transactions <= 3
    # One fact a shard and transaction, whatever the number of submissions.
    ((facts,),) = await fetch(database_url, "SELECT count(*) FROM outbox")
    assert facts == transactions * 4


async def test_accepted_duplicate_conflicting_within_one_batch_and_across(database_url: str) -> None:
    rows = [observation(1, 0), observation(1, 0), observation(1, 0, 2.0), observation(2, 0, None, "B")]
    a, d, c = RowStatus.ACCEPTED, RowStatus.DUPLICATE, RowStatus.CONFLICTING
    async with writers(database_url) as (writer,):
        assert words(await writer.submit(Submission("x", rows))) == [a, d, c, a]
        assert words(await writer.submit(Submission("y", [*rows, observation(3, 0)]))) == [d, d, c, d, a]
    assert await fetch(database_url, "SELECT stored_value, value, times, source FROM conflict") == [(1.0, 2.0, 2, "x")]
    assert await fetch(database_url, "SELECT datastream_id, value, quality FROM observation ORDER BY 1") == [
        (1, 1.0, "N"),
        (2, None, "B"),
        (3, 1.0, "N"),
    ]


@pytest.mark.parametrize("seed", range(4))
async def test_any_interleaving_of_several_writers_gives_the_same_rows(database_url: str, seed: int) -> None:
    source = random.Random(seed)
    rows = [observation(stream, step, float(step)) for stream in range(20) for step in range(20)]
    sent = [row for row in rows for _ in range(source.randint(1, 3))]
    source.shuffle(sent)
    statuses: Counter[RowStatus] = Counter()
    async with writers(database_url, 3, batch_rows=60) as made:

        async def send(part: list[Observation]) -> None:
            while part:
                size = source.randint(1, 40)
                now, part = part[:size], part[size:]
                statuses.update(words(await source.choice(made).submit(Submission("x", now))))

        await asyncio.gather(*(send(sent[start::8]) for start in range(8)))
    stored = await fetch(database_url, "SELECT datastream_id, value FROM observation ORDER BY datastream_id, time")
    assert stored == [(row.datastream_id, row.value) for row in rows]
    assert statuses == {RowStatus.ACCEPTED: len(rows), RowStatus.DUPLICATE: len(sent) - len(rows)}
    told = await fetch(database_url, "SELECT payload FROM outbox")
    facts = [ObservationsStored.decode(payload) for (payload,) in told]  # type: ignore[arg-type]
    assert Counter(row[:2] for fact in facts for row in fact.rows()) == Counter(row[:2] for row in rows)


values = st.none() | st.floats(allow_nan=False, allow_infinity=False)
stored_rows = st.lists(
    st.tuples(
        st.integers(1, 2**31 - 1), st.integers(-(2**50), 2**52), values, st.sampled_from("NFMSDCTB"), values, values
    ),
    min_size=1,
    max_size=20,
    unique_by=lambda row: row[:2],
)


@given(stored_rows)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_binary_rows_arrive_as_they_are(database_url: str, given_rows: list[tuple[object, ...]]) -> None:
    rows = [Observation(*row, 0) for row in given_rows]  # type: ignore[call-arg,arg-type]
    with psycopg.connect(database_url, options="-c search_path=ingest -c timezone=UTC") as connection:
        cursor = connection.cursor()
        with cursor.copy("COPY observation FROM STDIN (FORMAT binary)") as copy:
            copy.write(encode_observations(Columns.of(rows)))
        cursor.execute(
            "SELECT datastream_id, (extract(epoch FROM time) * 1000000)::bigint, value, quality, minimum, maximum"
            " FROM observation"
        )
        assert sorted(cursor.fetchall(), key=lambda row: row[:2]) == sorted(
            (row[:6] for row in rows), key=lambda row: row[:2]
        )
        connection.rollback()


async def test_a_submission_that_the_database_cannot_take_does_not_hold_up_the_others(database_url: str) -> None:
    bad = Submission("x", [observation(1, 0)], [RawFrame(NOW, "a\x00b", True, "", Verdict.ACCEPTED, None, b"")])
    async with writers(database_url) as (writer,):
        outcomes = await asyncio.gather(
            writer.submit(Submission("x", [observation(2, 0)])),
            writer.submit(bad),
            writer.submit(Submission("x", [observation(3, 0)])),
            return_exceptions=True,
        )
        assert [words(outcomes[0]), words(outcomes[2])] == [[RowStatus.ACCEPTED]] * 2  # type: ignore[arg-type]
        assert isinstance(outcomes[1], RefusedSubmission)
        assert words(await writer.submit(Submission("x", [observation(4, 0)]))) == [RowStatus.ACCEPTED]
    assert await fetch(database_url, "SELECT datastream_id FROM observation ORDER BY 1") == [(2,), (3,), (4,)]


async def test_the_queue_is_bounded(database_url: str) -> None:
    release = asyncio.Event()

    async def connect() -> psycopg.AsyncConnection[tuple[object, ...]]:
        await release.wait()
        return await database.connect(database_url, "ingest")

    writer = Writer(connect, batch_rows=10, batch_wait_s=0, queue_rows=100)
    task = asyncio.create_task(writer.run())
    sent = [asyncio.create_task(writer.submit(Submission("x", [observation(n, 0)]))) for n in range(150)]
    await asyncio.sleep(0.05)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(writer.room(), 0.05)
    with pytest.raises(Unavailable) as refused:
        await writer.submit_or_refuse(Submission("x", [observation(1, 1)]), 1.0)
    assert refused.value.headers == {"Retry-After": "2"}
    assert not any(task.done() for task in sent)
    release.set()
    assert list(map(words, await asyncio.gather(*sent))) == [[RowStatus.ACCEPTED]] * 150
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_counters_of_devices_add_up(database_url: str) -> None:
    async with writers(database_url) as (writer,):
        frames = [
            frame("A"),
            frame("A", Verdict.BAD_CRC),
            frame("B", Verdict.JUNK),
            frame("Z", Verdict.UNKNOWN_MN, known=False),
        ]
        await writer.submit(Submission("x", (), frames))
        await writer.submit(Submission("x", (), [frame("A")]))
    columns = "mn, frames, accepted, crc_errors, refused, resync_bytes, last_seen IS NOT NULL"
    assert await fetch(database_url, f"SELECT {columns} FROM device_counter ORDER BY mn") == [
        ("A", 3, 2, 1, 0, 6, True),
        ("B", 1, 0, 0, 1, 6, False),
    ]
    assert await fetch(database_url, "SELECT mn, frames FROM unknown_device") == [("Z", 1)]


async def test_made_up_devices_cannot_fill_the_database(database_url: str) -> None:
    with psycopg.connect(database_url, options="-c search_path=ingest") as connection:
        connection.execute(
            "INSERT INTO unknown_device SELECT 'u' || n, 1, '', now(), now() FROM generate_series(1, %s) n",
            [MAX_UNKNOWN_DEVICES],
        )
    async with writers(database_url) as (writer,):
        new = [frame(mn, Verdict.UNKNOWN_MN, known=False) for mn in ("new", "u1")]
        await writer.submit(Submission("x", (), new))
    found = await fetch(database_url, "SELECT mn, frames FROM unknown_device WHERE mn IN ('new', 'u1')")
    assert found == [("u1", 2)]


def test_a_fact_names_the_parks_of_all_its_rows_or_none() -> None:
    north = Submission("x", [observation(1, 0), observation(2, 0)], parks=frozenset({"north"}))
    south = Submission("y", [observation(5, 0)], parks=frozenset({"south"}))
    silent = Submission("z", [observation(2, 1)])
    assert Batch([north, south]).parks_by_shard() == {1: {"north", "south"}, 2: {"north"}}
    assert Batch([north, silent]).parks_by_shard() == {1: {"north"}, 2: set()}


async def test_what_one_sender_hands_in_is_committed_in_its_order(database_url: str) -> None:
    async with writers(database_url, batch_rows=3, lanes=3) as (writer,):
        await asyncio.gather(
            *(
                writer.submit(Submission(f"sender-{stream}", [observation(stream, step)]))
                for step in range(40)
                for stream in range(6)
            )
        )
    told = await fetch(database_url, "SELECT payload FROM outbox ORDER BY id")
    seen: dict[int, int] = {}
    for (payload,) in told:
        for stream, time, _, _ in ObservationsStored.decode(payload).rows():  # type: ignore[arg-type]
            assert time > seen.get(stream, 0)
            seen[stream] = time
    assert len(seen) == 6
    ((transactions,),) = await fetch(database_url, "SELECT count(DISTINCT xmin::text) FROM observation")
    assert isinstance(transactions, int)
    assert transactions > 20
