"""Facts and work on Redis Streams.

Facts (something happened) are read by whoever likes, each reader from its own position; positions are gapless, given
by the producer's outbox, and are the ids on Redis. So a reader sees at once when Redis has lost or trimmed something,
and reads the missing part from the producer's `/facts` over HTTP. Work (please do it) goes to one of many workers.
"""

import asyncio
import zlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from shared.redis import BLOCK_MS
from shared.telemetry import get_logger

log = get_logger(__name__)
FACTS = "fenceline:facts:"
WORK = "fenceline:work:"
READ_COUNT = 128
OBSERVATION_SHARDS = 8
"""By default: into so many processes can the evaluation be spread."""


def shard_of(station_id: str, shards: int) -> int:
    """The shard, 0 to `shards` - 1, that the observations of a station go to; the same in every process."""
    return zlib.crc32(station_id.encode()) % shards


def observation_stream(shard: int) -> str:
    """Name of the fact stream with the observations of one shard."""
    return f"observations.{shard}"


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry of a fact stream. `payload` is an encoded message of `shared.messages`."""

    stream: str
    position: int
    payload: bytes
    traceparent: str | None


CatchUp = Callable[[str, int, int], Awaitable[list[Fact]]]
"""(stream, after, limit) -> the next facts in order; see `shared.outbox.http_catch_up`."""


class FactReader:
    """Reads fact streams, each from a position that the caller keeps.

    In order and without gaps within a stream: what Redis does not have comes from `catch_up`. While Redis is down
    everything does, a little later; the reader raises only when both are down.
    """

    def __init__(self, redis: Redis, catch_up: CatchUp, *, poll_s: float = 0.5) -> None:
        self._redis = redis
        self._catch_up = catch_up
        self._poll_s = poll_s

    async def read(self, positions: Mapping[str, int], *, block_ms: int = BLOCK_MS) -> list[Fact]:
        """The next facts after `positions` (stream -> last position read), empty when none came in `block_ms`.

        Of each stream at most twice `READ_COUNT`, however much Redis has lost: the rest comes with the next reads.
        """
        try:
            entries = await self._redis.xread(
                {FACTS + stream: f"{position}-0" for stream, position in positions.items()},
                count=READ_COUNT,
                block=block_ms,
            )
        except RedisError as error:
            log.warning("redis_unavailable", error=str(error), instead="reading facts from their producer")
            return await self._poll(positions)
        facts: list[Fact] = []
        for key, rows in _streams(entries):
            stream = key.decode().removeprefix(FACTS)
            facts += await self._without_gaps(stream, positions[stream], [_fact(stream, row) for row in rows])
        return facts

    async def last_positions(self, streams: list[str]) -> dict[str, int]:
        """Where each stream ends now; 0 for one that has no entry."""
        return await last_positions(self._redis, streams)

    async def _poll(self, positions: Mapping[str, int]) -> list[Fact]:
        facts: list[Fact] = []
        for stream, position in positions.items():
            facts += await self._catch_up(stream, position, READ_COUNT)
        if not facts:
            await asyncio.sleep(self._poll_s)
        return facts

    async def _without_gaps(self, stream: str, after: int, facts: list[Fact]) -> list[Fact]:
        missing: list[Fact] = []
        first = facts[0].position
        while after + 1 < first:
            page = await self._catch_up(stream, after, min(READ_COUNT, first - after - 1))
            page = [fact for fact in page if fact.position < first]
            if not page:
                log.warning("facts_beyond_retention", stream=stream, after=after, next=first)
                break
            missing += page
            after = page[-1].position
            if len(missing) >= READ_COUNT and after + 1 < first:
                return missing
        return missing + facts


async def last_position(redis: Redis, stream: str) -> int:
    """The position of the last entry that Redis has ever had in `stream`; 0 where it knows none."""
    return (await last_positions(redis, [stream]))[stream]


async def last_positions(redis: Redis, streams: list[str]) -> dict[str, int]:
    """The same of several streams, in one question."""
    pipeline = redis.pipeline(transaction=False)
    for stream in streams:
        pipeline.xinfo_stream(FACTS + stream)
    found: dict[str, int] = {}
    for stream, answer in zip(streams, await pipeline.execute(raise_on_error=False), strict=True):
        if isinstance(answer, Exception) and not isinstance(answer, ResponseError):  # that one: no such key
            raise answer
        known = b"0" if isinstance(answer, Exception) else answer["last-generated-id"]
        found[stream] = int(known.split(b"-")[0])
    return found


@dataclass(frozen=True, slots=True)
class StreamRoom:
    """What one stream may take of Redis: a reader that is further behind reads from the producer."""

    max_entries: int = 20_000
    max_bytes: int = 16_000_000
    least_entries: int = 64

    def entries(self, payload_bytes: int) -> int:
        """How many entries of this size stay."""
        return min(self.max_entries, max(self.least_entries, self.max_bytes // max(1, payload_bytes)))


ROOM = StreamRoom()


async def publish(redis: Redis, facts: list[Fact], room: StreamRoom = ROOM) -> None:
    """Append `facts` under their positions; those that Redis has already are left as they are."""
    by_stream: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        by_stream[fact.stream].append(fact)
    pipeline = redis.pipeline(transaction=False)
    for stream, entries in by_stream.items():
        max_length = room.entries(sum(len(fact.payload) for fact in entries) // len(entries))
        for fact in entries:
            fields: dict[bytes, bytes] = {b"payload": fact.payload}
            if fact.traceparent:
                fields[b"traceparent"] = fact.traceparent.encode()
            pipeline.xadd(
                FACTS + stream,
                fields,  # type: ignore[arg-type]  # redis-py types the keys as invariant unions
                id=f"{fact.position}-0",
                maxlen=max_length,
                approximate=True,
            )
    for outcome in await pipeline.execute(raise_on_error=False):
        # "The ID specified in XADD is equal or smaller than the target stream top item": it is there already.
        if isinstance(outcome, Exception) and "equal or smaller" not in str(outcome):
            raise outcome


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work as delivered; `deliveries` counts this delivery too."""

    id: bytes
    payload: bytes
    traceparent: str | None
    deliveries: int


class WorkQueue:
    """Work for any number of workers, at least once.

    A worker that dies leaves its job pending; another takes it after `claim_after_ms` without a sign of life
    (`keep`). The server counts the deliveries; the caller buries a job that was delivered too often.
    """

    GROUP = "workers"

    def __init__(self, redis: Redis, name: str, consumer: str, claim_after_ms: int = 15_000) -> None:
        self._redis = redis
        self._key = WORK + name
        self._dead_key = self._key + ":dead"
        self._consumer = consumer
        self._claim_after_ms = claim_after_ms

    async def put(self, payload: bytes, traceparent: str | None = None) -> None:
        """Add a job."""
        await self._redis.xadd(
            self._key,
            {b"payload": payload, **({b"traceparent": traceparent.encode()} if traceparent else {})},
        )

    async def take(self, block_ms: int = BLOCK_MS) -> Job | None:
        """The next job: first one whose worker went silent, then a new one; None when none came in `block_ms`."""
        try:
            _, claimed, *_ = await self._redis.xautoclaim(
                self._key, self.GROUP, self._consumer, self._claim_after_ms, count=1
            )
            if claimed:
                return await self._job(claimed[0])
            entries = await self._redis.xreadgroup(
                self.GROUP, self._consumer, {self._key: ">"}, count=1, block=block_ms
            )
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self._make_group()
            return None
        for _, rows in _streams(entries):
            return await self._job(rows[0])
        return None

    async def keep(self, job: Job) -> None:
        """Say that the job is still worked on. Call it more often than `claim_after_ms`."""
        await self._redis.xclaim(self._key, self.GROUP, self._consumer, 0, [job.id], justid=True)

    async def done(self, job: Job) -> None:
        """The job's effect is stored; forget it."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.xack(self._key, self.GROUP, job.id)
        pipeline.xdel(self._key, job.id)
        await pipeline.execute()

    async def bury(self, job: Job, reason: str) -> None:
        """Set a job aside, with the reason, in the dead-letter stream `<queue>:dead`."""
        await self._redis.xadd(
            self._dead_key,
            {b"payload": job.payload, b"reason": reason.encode(), b"id": job.id},
            maxlen=10_000,
            approximate=True,
        )
        await self.done(job)

    async def _job(self, row: tuple[bytes, dict[bytes, bytes]]) -> Job:
        job_id, fields = row
        pending = await self._redis.xpending_range(self._key, self.GROUP, min=job_id, max=job_id, count=1)
        deliveries = int(pending[0]["times_delivered"]) if pending else 1
        return Job(job_id, fields[b"payload"], _text(fields.get(b"traceparent")), deliveries)

    async def _make_group(self) -> None:
        try:
            await self._redis.xgroup_create(self._key, self.GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise


Row = tuple[bytes, dict[bytes, bytes]]


def _streams(entries: object) -> list[tuple[bytes, list[Row]]]:
    """What XREAD and XREADGROUP answer, alike under RESP2 (a list of pairs) and RESP3 (a mapping of lists)."""
    if not entries:
        return []
    if isinstance(entries, dict):
        return [(key, rows[0] if rows and isinstance(rows[0], list) else rows) for key, rows in entries.items()]
    assert isinstance(entries, list)
    return [(key, rows) for key, rows in entries]


def _fact(stream: str, row: Row) -> Fact:
    entry_id, fields = row
    return Fact(stream, int(entry_id.split(b"-")[0]), fields[b"payload"], _text(fields.get(b"traceparent")))


def _text(raw: bytes | None) -> str | None:
    return raw.decode() if raw is not None else None
