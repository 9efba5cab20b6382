"""Facts and work on a real Valkey."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import cast

import pytest
from redis.asyncio import Redis

from shared.redis import create_redis
from shared.streams import (
    FACTS,
    READ_COUNT,
    Fact,
    FactReader,
    StreamRoom,
    WorkQueue,
    last_position,
    publish,
    shard_of,
)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = create_redis(redis_url, "test")
    yield client
    await client.aclose()


def facts(first: int, last: int, stream: str = "alarms") -> list[Fact]:
    return [Fact(stream, position, b"%d" % position, None) for position in range(first, last + 1)]


class Producer:
    """Stands for the `/facts` of a producer: has every fact up to `end`."""

    def __init__(self, end: int) -> None:
        self.end = end
        self.asked: list[tuple[str, int, int]] = []

    async def __call__(self, stream: str, after: int, limit: int) -> list[Fact]:
        self.asked.append((stream, after, limit))
        return facts(after + 1, min(self.end, after + limit), stream)


def positions(found: list[Fact]) -> list[int]:
    return [fact.position for fact in found]


async def test_facts_are_read_in_order_from_a_position(redis: Redis) -> None:
    await publish(redis, facts(1, 5))
    producer = Producer(5)
    reader = FactReader(redis, producer)
    assert positions(await reader.read({"alarms": 2}, block_ms=10)) == [3, 4, 5]
    assert await reader.read({"alarms": 5}, block_ms=10) == []
    assert producer.asked == []


async def test_publishing_again_changes_nothing(redis: Redis) -> None:
    await publish(redis, facts(1, 3))
    await publish(redis, facts(1, 4))
    reader = FactReader(redis, Producer(0))
    assert positions(await reader.read({"alarms": 0}, block_ms=10)) == [1, 2, 3, 4]


async def test_what_redis_lost_comes_from_the_producer(redis: Redis) -> None:
    await publish(redis, facts(1, 3))
    await redis.flushall()
    await publish(redis, facts(7, 8))
    producer = Producer(8)
    read = await FactReader(redis, producer).read({"alarms": 3}, block_ms=10)
    assert positions(read) == [4, 5, 6, 7, 8]
    assert producer.asked == [("alarms", 3, 3)]


async def test_however_much_redis_lost_it_is_read_in_parts(redis: Redis) -> None:
    await publish(redis, facts(5_000, 5_000))
    reader = FactReader(redis, Producer(5_000))
    read: list[int] = []
    while read[-1:] != [5_000]:
        part = positions(await reader.read({"alarms": read[-1] if read else 0}, block_ms=10))
        assert READ_COUNT <= len(part) <= 2 * READ_COUNT or part[-1] == 5_000
        read += part
    assert read == list(range(1, 5_001))


async def test_with_redis_down_facts_come_from_the_producer() -> None:
    redis = create_redis("redis://127.0.0.1:1/0", "test")
    read = await FactReader(redis, Producer(4)).read({"alarms": 2}, block_ms=10)
    assert positions(read) == [3, 4]
    await redis.aclose()


async def test_facts_beyond_the_producers_retention_do_not_stop_the_reader(redis: Redis) -> None:
    await publish(redis, facts(10, 11))
    read = await FactReader(redis, Producer(0)).read({"alarms": 3}, block_ms=10)
    assert positions(read) == [10, 11]


async def test_last_position_of_a_stream_without_entries_is_zero(redis: Redis) -> None:
    assert await last_position(redis, "nothing") == 0
    await publish(redis, facts(1, 3))
    assert await last_position(redis, "alarms") == 3


async def test_a_job_is_done_once(redis: Redis) -> None:
    queue = WorkQueue(redis, "runs", "a")
    await queue.put(b"work", "00-" + "a" * 32 + "-" + "b" * 16 + "-01")
    assert await queue.take(10) is None, "the first look makes the group"
    job = await queue.take(10)
    assert job is not None
    assert (job.payload, job.deliveries) == (b"work", 1)
    assert job.traceparent is not None
    await queue.done(job)
    assert await queue.take(10) is None
    assert await redis.xlen("fenceline:work:runs") == 0


async def test_the_job_of_a_worker_that_died_goes_to_another(redis: Redis) -> None:
    dead, alive = (WorkQueue(redis, "runs", name, claim_after_ms=150) for name in ("dead", "alive"))
    await dead.put(b"work")
    await dead.take(10)
    assert (await dead.take(10)) is not None
    assert await alive.take(10) is None, "not before its worker has been silent long enough"
    await asyncio.sleep(0.2)
    job = await alive.take(10)
    assert job is not None
    assert (job.payload, job.deliveries) == (b"work", 2)


async def test_a_job_that_is_kept_is_not_taken_over(redis: Redis) -> None:
    slow, eager = (WorkQueue(redis, "runs", name, claim_after_ms=150) for name in ("slow", "eager"))
    await slow.put(b"work")
    await slow.take(10)
    job = await slow.take(10)
    assert job is not None
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        await slow.keep(job)
        assert await eager.take(10) is None
        await asyncio.sleep(0.03)


async def test_a_buried_job_is_kept_with_its_reason(redis: Redis) -> None:
    queue = WorkQueue(redis, "runs", "a")
    await queue.put(b"poison")
    await queue.take(10)
    job = await queue.take(10)
    assert job is not None
    await queue.bury(job, "it kills every worker")
    assert await queue.take(10) is None
    dead = cast(list[tuple[bytes, dict[bytes, bytes]]], await redis.xrange("fenceline:work:runs:dead"))
    [(_, fields)] = dead
    assert fields[b"payload"] == b"poison"
    assert fields[b"reason"] == b"it kills every worker"


def test_a_station_has_the_same_shard_everywhere() -> None:
    assert shard_of("bohai-demo.s01", 16) == 14
    assert {shard_of(f"park.s{number}", 16) for number in range(400)} == set(range(16))


async def test_large_facts_leave_room_for_fewer_of_them(redis: Redis) -> None:
    room = StreamRoom(max_entries=1_000, max_bytes=1_000_000, least_entries=4)
    large = [Fact("s", position, b"x" * 50_000, None) for position in range(1, 101)]
    for start in range(0, 100, 10):
        await publish(redis, large[start : start + 10], room)
    assert 20 <= await redis.xlen(FACTS + "s") <= 30
    assert await last_position(redis, "s") == 100
    assert StreamRoom().entries(10) == StreamRoom().max_entries
    assert StreamRoom().entries(10**9) == StreamRoom().least_entries
