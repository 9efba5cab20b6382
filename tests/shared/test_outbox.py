"""The outbox against a real PostgreSQL and a real Valkey."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

import shared.outbox
from shared.database import _asyncpg_url
from shared.fact_readers import CREATE_READERS, readers_router
from shared.messages import RegistryChanged
from shared.outbox import (
    CREATE_OUTBOX,
    POSITIONS_AT_COMMIT,
    POSITIONS_BY_RELAY,
    OutboxRelay,
    enqueue,
    facts_router,
    http_catch_up,
    read_after,
)
from shared.problems import add_problem_handlers
from shared.redis import create_redis
from shared.streams import FACTS, publish


@pytest.fixture
async def engine(empty_database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(_asyncpg_url(empty_database_url))
    async with engine.begin() as connection:
        for statement in (*CREATE_OUTBOX, *POSITIONS_AT_COMMIT):
            await connection.execute(text(statement))
    yield engine
    await engine.dispose()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = create_redis(redis_url, "test")
    yield client
    await client.aclose()


@contextlib.asynccontextmanager
async def relaying(engine: AsyncEngine, redis: Redis) -> AsyncIterator[OutboxRelay]:
    relay = OutboxRelay(engine, redis, "test", keep=timedelta(hours=1))
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def write(engine: AsyncEngine, stream: str, *parks: str) -> None:
    async with engine.begin() as connection:
        for park in parks:
            await enqueue(connection, stream, RegistryChanged(park_id=park))


async def published(redis: Redis, stream: str, count: int) -> list[tuple[str, str]]:
    """The entries of a stream as (id, park), once there are `count` or 5 s have passed."""
    entries: list[tuple[bytes, dict[bytes, bytes]]] = []
    for _ in range(500):
        entries = cast(list[tuple[bytes, dict[bytes, bytes]]], await redis.xrange(FACTS + stream))
        if len(entries) >= count:
            break
        await asyncio.sleep(0.01)
    return [(key.decode(), RegistryChanged.decode(fields[b"payload"]).park_id) for key, fields in entries]


async def test_facts_are_published_in_order_under_gapless_positions(engine: AsyncEngine, redis: Redis) -> None:
    await write(engine, "a", "p1", "p2")
    await write(engine, "b", "q1")
    async with relaying(engine, redis) as relay:
        await published(redis, "a", 2)
        await write(engine, "a", "p3")
        relay.wake()
        assert await published(redis, "a", 3) == [("1-0", "p1"), ("2-0", "p2"), ("3-0", "p3")]
        assert await published(redis, "b", 1) == [("1-0", "q1")]


async def test_a_rolled_back_transaction_publishes_nothing(engine: AsyncEngine, redis: Redis) -> None:
    with contextlib.suppress(RuntimeError):
        async with engine.begin() as connection:
            await enqueue(connection, "a", RegistryChanged(park_id="never"))
            raise RuntimeError("the change failed")
    async with relaying(engine, redis):
        await write(engine, "a", "p1")
        assert await published(redis, "a", 1) == [("1-0", "p1")]


async def test_redis_that_lost_everything_is_filled_again_with_the_same_ids(engine: AsyncEngine, redis: Redis) -> None:
    await write(engine, "a", "p1", "p2")
    async with relaying(engine, redis):
        before = await published(redis, "a", 2)
        await redis.flushall()
        assert await published(redis, "a", 2) == before


async def test_of_two_relays_one_publishes(engine: AsyncEngine, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    publishing: set[asyncio.Task[None] | None] = set()

    async def noted(*what: Any) -> None:
        publishing.add(asyncio.current_task())
        await publish(*what)

    monkeypatch.setattr(shared.outbox, "publish", noted)
    async with relaying(engine, redis), relaying(engine, redis):
        for number in range(20):
            await write(engine, "a", f"p{number}")
        found = await published(redis, "a", 20)
    assert found == [(f"{number + 1}-0", f"p{number}") for number in range(20)]
    assert len(publishing) == 1


async def test_who_leads_no_more_leaves_the_lead_to_another(
    engine: AsyncEngine, empty_database_url: str, redis: Redis
) -> None:
    """The lock is its session's, which must not go on in a pool."""
    await write(engine, "a", "p1")
    async with relaying(engine, redis):
        assert await published(redis, "a", 1) == [("1-0", "p1")]
    another = create_async_engine(_asyncpg_url(empty_database_url))
    try:
        async with relaying(another, redis):
            await write(engine, "a", "p2")
            assert await published(redis, "a", 2) == [("1-0", "p1"), ("2-0", "p2")]
    finally:
        await another.dispose()


async def test_however_much_is_old_it_is_forgotten_in_parts(
    engine: AsyncEngine, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.outbox, "_FORGET_AT_ONCE", 3)
    await write(engine, "a", *(f"p{number}" for number in range(10)))
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE outbox SET created_at = now() - interval '400 days'"))
    await write(engine, "a", "new")
    async with relaying(engine, redis), asyncio.timeout(60):
        while len(await kept(engine, "a")) > 1:  # noqa: ASYNC110  (what is waited for lies in the database)
            await asyncio.sleep(0.05)
    assert await kept(engine, "a") == [(11, "new")]


async def kept(engine: AsyncEngine, stream: str) -> list[tuple[int, str]]:
    async with engine.connect() as connection:
        facts = await read_after(connection, stream, 0, 1000)
    return [(fact.position, RegistryChanged.decode(fact.payload).park_id) for fact in facts]


async def test_positions_are_given_as_the_transaction_commits(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await enqueue(connection, "b", RegistryChanged(park_id="q1"))
        await enqueue(connection, "a", RegistryChanged(park_id="p1"))
        await enqueue(connection, "b", RegistryChanged(park_id="q2"))
        assert await read_after(connection, "b", 0, 10) == []
    await write(engine, "b", "q3")
    assert await kept(engine, "a") == [(1, "p1")]
    assert await kept(engine, "b") == [(1, "q1"), (2, "q2"), (3, "q3")]


async def test_who_commits_first_comes_first_whoever_wrote_first(engine: AsyncEngine) -> None:
    async with engine.connect() as slow, engine.connect() as quick:
        await enqueue(slow, "a", RegistryChanged(park_id="written first"))
        await enqueue(quick, "a", RegistryChanged(park_id="committed first"))
        await quick.commit()
        # The other has not ended, and nobody waited for it.
        assert await kept(engine, "a") == [(1, "committed first")]
        await slow.commit()
    assert await kept(engine, "a") == [(1, "committed first"), (2, "written first")]


async def test_streams_named_in_any_order_are_no_deadlock(engine: AsyncEngine) -> None:
    async def many(number: int) -> None:
        for turn in range(20):
            async with engine.begin() as connection:
                for stream in ("a", "b") if (number + turn) % 2 else ("b", "a"):
                    await enqueue(connection, stream, RegistryChanged(park_id=f"{number}.{turn}"))

    await asyncio.gather(*(many(number) for number in range(4)))
    found = {stream: await kept(engine, stream) for stream in ("a", "b")}
    assert [position for position, _ in found["a"]] == list(range(1, 81))
    # Both streams tell of the transactions in the order in which they were committed.
    assert found["a"] == found["b"]


async def test_what_waited_for_a_relay_gets_its_position_with_the_change(engine: AsyncEngine) -> None:
    await write(engine, "a", "p1")
    async with engine.begin() as connection:
        for statement in POSITIONS_BY_RELAY:
            await connection.execute(text(statement))
    await write(engine, "a", "p2", "p3")
    assert await kept(engine, "a") == [(1, "p1")]
    async with engine.begin() as connection:
        for statement in POSITIONS_AT_COMMIT:
            await connection.execute(text(statement))
    await write(engine, "a", "p4")
    assert await kept(engine, "a") == [(1, "p1"), (2, "p2"), (3, "p3"), (4, "p4")]


async def test_what_was_written_with_redis_down_is_published_later(engine: AsyncEngine, redis: Redis) -> None:
    nowhere = create_redis("redis://127.0.0.1:1/0", "test")
    async with relaying(engine, nowhere):
        await write(engine, "a", "p1", "p2")
        assert await kept(engine, "a") == [(1, "p1"), (2, "p2")]
    await nowhere.aclose()
    async with relaying(engine, redis):
        assert await published(redis, "a", 2) == [("1-0", "p1"), ("2-0", "p2")]


async def test_more_than_one_reading_of_the_outbox_holds_is_published_in_order(
    engine: AsyncEngine, redis: Redis
) -> None:
    await write(engine, "a", *(f"p{number}" for number in range(250)))
    await write(engine, "b", "q1")
    async with relaying(engine, redis):
        found = await published(redis, "a", 250)
        assert found == [(f"{number + 1}-0", f"p{number}") for number in range(250)]
        assert await published(redis, "b", 1) == [("1-0", "q1")]


async def test_what_is_older_than_the_retention_is_forgotten(engine: AsyncEngine, redis: Redis) -> None:
    await write(engine, "a", "old")
    async with relaying(engine, redis):
        await published(redis, "a", 1)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE outbox SET created_at = now() - interval '2 hours'"))
    await write(engine, "a", "new")
    async with relaying(engine, redis):
        await published(redis, "a", 2)
        for _ in range(300):
            async with engine.connect() as connection:
                left = await read_after(connection, "a", 0, 10)
            if len(left) == 1:
                break
            await asyncio.sleep(0.01)
    assert [RegistryChanged.decode(fact.payload).park_id for fact in left] == ["new"]


async def test_what_a_reader_has_not_read_is_not_forgotten(engine: AsyncEngine, redis: Redis) -> None:
    app = FastAPI()
    app.include_router(readers_router(lambda: engine))
    async with engine.begin() as connection:
        await connection.execute(text(CREATE_READERS))
    await write(engine, "a", "p1", "p2", "p3")
    await write(engine, "b", "q1")
    async with relaying(engine, redis):
        await published(redis, "a", 3)
        await published(redis, "b", 1)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE outbox SET created_at = now() - interval '2 hours'"))

    async def left() -> list[str]:
        relay = OutboxRelay(engine, redis, "test", keep=timedelta(hours=1), waits_for_readers=True)
        async with engine.begin() as connection:
            await relay._forget_old(connection)
            rows = await connection.execute(text("SELECT stream || position FROM outbox ORDER BY id"))
            return list(rows.scalars())

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ingest") as client:

        async def say(reader: str, position: int) -> None:
            answer = await client.put(f"/facts/readers/{reader}", json={"positions": {"a": position}})
            assert answer.status_code == 204, answer.text

        await say("slow", 0)
        await say("fast", 2)
        assert await left() == ["a1", "a2", "a3"]
        await say("slow", 1)
        assert await left() == ["a2", "a3"]
        async with engine.begin() as connection:
            await connection.execute(
                text("UPDATE outbox_reader SET heard_at = now() - interval '31 days' WHERE reader = 'slow'")
            )
        assert await left() == ["a3"]
        await say("fast", 3)
        assert await left() == []
        wrong = await client.put("/facts/readers/fast", json={"positions": {"a": -1}})
        assert wrong.status_code == 422


async def test_catch_up_over_http(engine: AsyncEngine, redis: Redis) -> None:
    await write(engine, "a", "p1", "p2", "p3")
    async with relaying(engine, redis):
        await published(redis, "a", 3)
    app = FastAPI()
    app.include_router(facts_router(lambda: engine))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ingest") as client:
        page = await http_catch_up(client)("a", 1, 10)
    assert [fact.position for fact in page] == [2, 3]
    assert RegistryChanged.decode(page[0].payload).park_id == "p2"


async def test_a_fact_is_announced_again_at_the_end_of_its_stream(engine: AsyncEngine, redis: Redis) -> None:
    def renew(payload: bytes, _now: datetime) -> bytes:
        if RegistryChanged.decode(payload).park_id == "broken":
            raise ValueError("it is broken")
        return RegistryChanged(park_id="again").encode()

    app = FastAPI()
    add_problem_handlers(app)
    app.include_router(facts_router(lambda: engine, renew))
    await write(engine, "a", "p1", "broken")
    async with (
        relaying(engine, redis),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ingest") as client,
    ):
        await published(redis, "a", 2)
        answers = [await client.post(f"/facts/{which}/repeat") for which in ("a/1", "a/2", "a/9", "b/1")]
        assert [answer.status_code for answer in answers] == [202, 422, 410, 410]
        assert await published(redis, "a", 3) == [("1-0", "p1"), ("2-0", "broken"), ("3-0", "again")]
