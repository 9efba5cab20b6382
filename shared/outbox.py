"""The transactional outbox: a fact is written in the transaction of the change it tells of, then published.

A service inserts rows (`enqueue`); one relay among its replicas gives each row the next position of its stream and
publishes it under that position. Rows stay for the retention time, so that readers can catch up whatever Redis lost.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated

import httpx
from fastapi import APIRouter, Path, Query
from prometheus_client import Counter, Gauge
from pydantic import BaseModel
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.fact_readers import GIVEN_UP, UNREAD
from shared.messages import Message
from shared.outages import DATABASE_OUTAGES
from shared.problems import Gone, Unprocessable, responses
from shared.streams import ROOM, CatchUp, Fact, StreamRoom, last_position, publish
from shared.telemetry import get_logger, traceparent
from shared.time import utc_now

log = get_logger(__name__)

# Executed by a migration of each service that has an outbox, in the service's own schema.
CREATE_OUTBOX = (
    """
    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        stream text NOT NULL,
        payload bytea NOT NULL,
        traceparent text,
        created_at timestamptz NOT NULL DEFAULT now(),
        position bigint
    )
    """,
    "CREATE INDEX outbox_without_position ON outbox (id) WHERE position IS NULL",
    "CREATE UNIQUE INDEX outbox_stream_position ON outbox (stream, position) WHERE position IS NOT NULL",
    "CREATE INDEX outbox_created_at ON outbox USING brin (created_at)",
    "CREATE TABLE outbox_stream (stream text PRIMARY KEY, last_position bigint NOT NULL)",
)

INSERT_SQL = "INSERT INTO outbox (stream, payload, traceparent) VALUES (%s, %s, %s)"
"""For psycopg; parameters from `row`."""

_GIVE_POSITIONS = text(
    """
    WITH batch AS (
        SELECT id, stream, row_number() OVER (PARTITION BY stream ORDER BY id) AS nth
        FROM (SELECT id, stream FROM outbox WHERE position IS NULL ORDER BY id LIMIT :limit) AS oldest
    ), counted AS (
        SELECT stream, count(*) AS rows FROM batch GROUP BY stream
    ), moved AS (
        INSERT INTO outbox_stream (stream, last_position)
        SELECT stream, rows FROM counted ORDER BY stream
        ON CONFLICT (stream) DO UPDATE SET last_position = outbox_stream.last_position + excluded.last_position
        RETURNING stream, last_position
    )
    UPDATE outbox
    SET position = moved.last_position - counted.rows + batch.nth
    FROM batch JOIN counted USING (stream) JOIN moved USING (stream)
    WHERE outbox.id = batch.id
    RETURNING outbox.stream, outbox.position, outbox.payload, outbox.traceparent
    """
)
_READ_AFTER = text(
    """
    SELECT position, payload, traceparent FROM outbox
    WHERE stream = :stream AND position > :after ORDER BY position LIMIT :limit
    """
)
_PUBLISHED = Counter("fenceline_outbox_published", "Facts published on Redis", ["service"])
_WAITING_SINCE = Gauge("fenceline_outbox_oldest_age_seconds", "Age of the oldest unpublished fact", ["service"])


def row(stream: str, message: Message) -> tuple[str, bytes, str]:
    """The parameters of `INSERT_SQL`, with the trace of the current task."""
    return stream, message.encode(), traceparent()


async def enqueue(connection: AsyncConnection, stream: str, message: Message) -> None:
    """Write a fact in the transaction of `connection`; wake the relay once it is committed."""
    await connection.execute(
        text("INSERT INTO outbox (stream, payload, traceparent) VALUES (:stream, :payload, :traceparent)"),
        dict(zip(("stream", "payload", "traceparent"), row(stream, message), strict=True)),
    )


async def repeat(connection: AsyncConnection, stream: str, position: int, payload: bytes) -> None:
    """Announce what the fact at `position` told once more, as `payload`; nothing where it is kept no longer."""
    await connection.execute(
        text(
            "INSERT INTO outbox (stream, payload, traceparent) SELECT stream, :payload, traceparent FROM outbox "
            "WHERE stream = :stream AND position = :position"
        ),
        {"stream": stream, "position": position, "payload": payload},
    )


async def read_after(connection: AsyncConnection, stream: str, after: int, limit: int) -> list[Fact]:
    """Facts of `stream` that have a position above `after`, in order, at most `limit`."""
    rows = await connection.execute(_READ_AFTER, {"stream": stream, "after": after, "limit": limit})
    return [Fact(stream, position, bytes(payload), trace) for position, payload, trace in rows]


class OutboxRelay:
    """Publishes the outbox of one service. Run one in every replica: a lock in the database lets one lead.

    Positions are given while Redis is down too, so readers that fall back on `/facts` go on. What is older than `keep`
    is forgotten; with `waits_for_readers` (`shared.fact_readers`) only once it was read.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        redis: Redis,
        service: str,
        *,
        keep: timedelta,
        room: StreamRoom = ROOM,
        idle_s: float = 0.2,
        waits_for_readers: bool = False,
    ) -> None:
        self._engine = engine
        self._redis = redis
        self._service = service
        self._keep = keep
        self._room = room
        self._idle_s = idle_s
        self._waits_for_readers = waits_for_readers
        self._waked = asyncio.Event()

    def wake(self) -> None:
        """A transaction with facts was committed: publish now rather than at the next look."""
        self._waked.set()

    async def run(self) -> None:
        """Relay until cancelled; through every outage of database and Redis."""
        while True:
            try:
                async with self._engine.connect() as connection:
                    await connection.execution_options(isolation_level="AUTOCOMMIT")
                    if await self._lead(connection):
                        await self._relay(connection)
            except (*DATABASE_OUTAGES, RedisError) as error:
                log.warning("outbox_interrupted", error=" ".join(str(error).split())[:200])
            await asyncio.sleep(1.0)

    async def _lead(self, connection: AsyncConnection) -> bool:
        answer = await connection.execute(
            text("SELECT pg_try_advisory_lock(hashtext(:name))"),
            {"name": f"fenceline-outbox-{self._service}"},
        )
        return bool(answer.scalar())

    async def _relay(self, connection: AsyncConnection) -> None:
        verified_at = swept_at = float("-inf")
        clock = asyncio.get_running_loop().time
        redis_up = False
        while True:
            self._waked.clear()
            facts = await self._give_positions(connection)
            if facts and redis_up:
                redis_up = await self._publish(facts)
            if clock() - verified_at > 2.0:
                redis_up = await self._republish_what_redis_lacks(connection)
                verified_at = clock()
            if clock() - swept_at > 60.0:
                await self._forget_old(connection)
                swept_at = clock()
            if not facts:
                await self._wait()

    async def _wait(self) -> None:
        # Not `wait_for`: up to Python 3.11 it loses a cancellation that comes together with the wake.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._idle_s):
                await self._waked.wait()

    async def _give_positions(self, connection: AsyncConnection) -> list[Fact]:
        rows = await connection.execute(_GIVE_POSITIONS, {"limit": 500})
        facts = [Fact(stream, position, bytes(payload), trace) for stream, position, payload, trace in rows]
        return sorted(facts, key=lambda fact: (fact.stream, fact.position))

    async def _publish(self, facts: list[Fact]) -> bool:
        try:
            await publish(self._redis, facts, self._room)
        except RedisError as error:
            log.warning("redis_unavailable", error=str(error), facts_waiting=len(facts))
            return False
        _PUBLISHED.labels(self._service).inc(len(facts))
        return True

    async def _republish_what_redis_lacks(self, connection: AsyncConnection) -> bool:
        """After a start, an outage or a loss of Redis; returns whether Redis is up."""
        oldest = await connection.execute(
            text("SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0) FROM outbox WHERE position IS NULL")
        )
        _WAITING_SINCE.labels(self._service).set(float(oldest.scalar_one()))
        streams = (await connection.execute(text("SELECT stream, last_position FROM outbox_stream"))).all()
        try:
            for stream, last in streams:
                await self._republish(connection, stream, last)
        except RedisError as error:
            log.warning("redis_unavailable", error=str(error))
            return False
        return True

    async def _republish(self, connection: AsyncConnection, stream: str, last: int) -> None:
        after = max(await last_position(self._redis, stream), last - self._room.max_entries)
        while after < last:
            facts = await read_after(connection, stream, after, 500)
            if not facts:
                return
            await publish(self._redis, facts, self._room)
            _PUBLISHED.labels(self._service).inc(len(facts))
            after = facts[-1].position

    async def _forget_old(self, connection: AsyncConnection) -> None:
        old = "DELETE FROM outbox WHERE position IS NOT NULL AND created_at < now() - CAST(:keep AS interval)"
        if self._waits_for_readers:
            await connection.execute(text(f"{old} AND NOT {UNREAD}"), {"keep": self._keep, "given_up": GIVEN_UP})
        else:
            await connection.execute(text(old), {"keep": self._keep})


class FactItem(BaseModel):
    """One fact as `/facts` tells it."""

    position: int
    payload: str
    traceparent: str | None


class FactPage(BaseModel):
    """Facts in order."""

    items: list[FactItem]


Renew = Callable[[bytes, datetime], bytes]
"""A payload as it is to be announced again at that moment; raises ValueError where it cannot be read."""


def facts_router(engine: Callable[[], AsyncEngine], renew: Renew | None = None) -> APIRouter:
    """`GET /facts/{stream}`: the catch-up read, for the other services.

    With `renew` also `POST /facts/{stream}/{position}/repeat`, for a reader that had to set a fact aside and can use
    it now: it is announced again at the end of the stream, where every reader takes it as something late.
    """
    router = APIRouter(tags=["internal"])

    @router.get("/facts/{stream}")
    async def facts(
        stream: str,
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    ) -> FactPage:
        """Facts of one stream after a position, in order."""
        async with engine().connect() as connection:
            found = await read_after(connection, stream, after, limit)
        return FactPage(
            items=[
                FactItem(position=fact.position, payload=fact.payload.decode(), traceparent=fact.traceparent)
                for fact in found
            ]
        )

    if renew is not None:
        _add_repeat(router, engine, renew)
    return router


def _add_repeat(router: APIRouter, engine: Callable[[], AsyncEngine], renew: Renew) -> None:
    @router.post("/facts/{stream}/{position}/repeat", status_code=202, responses=responses(Gone, Unprocessable))
    async def repeat_fact(stream: str, position: Annotated[int, Path(ge=1)]) -> None:
        """Announce a fact once more, as of now."""
        async with engine().begin() as connection:
            found = await read_after(connection, stream, position - 1, 1)
            if not found or found[0].position != position:
                raise Gone(f"The fact {position} of {stream!r} is kept no longer, or never was.")
            try:
                payload = renew(found[0].payload, utc_now())
            except ValueError as error:
                raise Unprocessable(f"The fact {position} of {stream!r} cannot be read: {error}") from error
            await repeat(connection, stream, position, payload)


def http_catch_up(client: httpx.AsyncClient) -> CatchUp:
    """The catch-up read of a `FactReader` from the producer that `client` speaks to."""

    async def catch_up(stream: str, after: int, limit: int) -> list[Fact]:
        answer = await client.get(f"/facts/{stream}", params={"after": after, "limit": limit})
        answer.raise_for_status()
        page = FactPage.model_validate_json(answer.content)
        return [Fact(stream, item.position, item.payload.encode(), item.traceparent) for item in page.items]

    return catch_up
