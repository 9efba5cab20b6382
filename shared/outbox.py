"""The transactional outbox: a fact is written in the transaction of the change it tells of, then published.

A service inserts rows (`enqueue`). As the transaction commits, the database gives each row the next position of its
stream, gapless and in the order of commits; one relay among the replicas publishes it under that position. Rows stay
for the retention time, so that readers can catch up whatever Redis lost.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
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
from shared.streams import ROOM, CatchUp, Fact, StreamRoom, last_positions, publish
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

# Executed, in this order, by a later migration of each of them. The counters of streams are locked from here until the
# commit, so positions come in the order of commits; and only here, after all other locks, in the order of streams: no
# transaction waits for another in a circle. The first row of a transaction does it for all of them, whose ids are
# higher; what is seen without a position is the transaction's own.
_GIVE_POSITIONS = """
    WITH own AS (
        SELECT id, stream, row_number() OVER (PARTITION BY stream ORDER BY id) AS nth
        FROM outbox WHERE position IS NULL AND id >= {first}
    ), counted AS (
        SELECT stream, count(*) AS rows FROM own GROUP BY stream
    ), moved AS (
        INSERT INTO outbox_stream (stream, last_position)
        SELECT stream, rows FROM counted ORDER BY stream
        ON CONFLICT (stream) DO UPDATE SET last_position = outbox_stream.last_position + excluded.last_position
        RETURNING stream, last_position
    )
    UPDATE outbox
    SET position = moved.last_position - counted.rows + own.nth
    FROM own JOIN counted USING (stream) JOIN moved USING (stream)
    WHERE outbox.id = own.id
"""
POSITIONS_AT_COMMIT = (
    f"""
    CREATE FUNCTION give_positions() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
        IF EXISTS (SELECT FROM outbox WHERE id = NEW.id AND position IS NULL) THEN
            {_GIVE_POSITIONS.format(first="NEW.id")};
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER outbox_positions AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.position IS NULL) EXECUTE FUNCTION give_positions()
    """,
    _GIVE_POSITIONS.format(first=0),
)
POSITIONS_BY_RELAY = ("DROP TRIGGER outbox_positions ON outbox", "DROP FUNCTION give_positions()")
"""The way back: what is enqueued then waits for a relay that gives positions."""

INSERT_SQL = "INSERT INTO outbox (stream, payload, traceparent) VALUES (%s, %s, %s)"
"""For psycopg; parameters from `row`."""

_READ_AFTER = text(
    """
    SELECT position, payload, traceparent FROM outbox
    WHERE stream = :stream AND position > :after ORDER BY position LIMIT :limit
    """
)
_NEW = text(
    """
    SELECT s.stream, new.position, new.payload, new.traceparent
    FROM outbox_stream s
    LEFT JOIN unnest(CAST(:streams AS text[]), CAST(:positions AS bigint[])) AS p (stream, position) USING (stream)
    CROSS JOIN LATERAL (
        SELECT position, payload, traceparent FROM outbox
        WHERE stream = s.stream AND position > coalesce(p.position, 0) ORDER BY position LIMIT :limit
    ) AS new
    WHERE s.last_position > coalesce(p.position, 0)
    ORDER BY s.stream, new.position
    """
)
_WAITING = text(
    """
    SELECT coalesce(extract(epoch FROM now() - min(oldest.created_at)), 0)
    FROM unnest(CAST(:streams AS text[]), CAST(:positions AS bigint[])) AS p (stream, position)
    CROSS JOIN LATERAL (
        SELECT created_at FROM outbox WHERE stream = p.stream AND position > p.position ORDER BY position LIMIT 1
    ) AS oldest
    """
)
_FORGET_S = 60.0
_FORGET_AT_ONCE = 10_000
_AT_ONCE = 100
"""Facts of a stream that are published in one go."""
_PUBLISHED = Counter("fenceline_outbox_published", "Facts published on Redis", ["service"])
_WAITING_SINCE = Gauge("fenceline_outbox_oldest_age_seconds", "Age of the oldest unpublished fact", ["service"])


def row(stream: str, message: Message) -> tuple[str, bytes, str]:
    """The parameters of `INSERT_SQL`, with the trace of the current task."""
    return stream, message.encode(), traceparent()


async def enqueue(connection: AsyncConnection, stream: str, message: Message) -> None:
    """Write a fact in the transaction of `connection`; wake the relay once it is committed."""
    await enqueue_all(connection, [(stream, message)])


async def enqueue_all(connection: AsyncConnection, facts: Sequence[tuple[str, Message]]) -> None:
    """Write several facts, each with its stream, in one go."""
    if facts:
        await connection.execute(
            text("INSERT INTO outbox (stream, payload, traceparent) VALUES (:stream, :payload, :traceparent)"),
            [dict(zip(("stream", "payload", "traceparent"), row(*fact), strict=True)) for fact in facts],
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

    It only reads what is committed: without it, or with Redis down, readers that fall back on `/facts` go on. What is
    older than `keep` is forgotten; with `waits_for_readers` (`shared.fact_readers`) only once it was read.
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
        self._published: dict[str, int] = {}
        """The last position of each stream that Redis has, as far as is known."""

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
                        try:
                            async with asyncio.TaskGroup() as group:
                                # On a connection of its own: what is new does not wait for what is old.
                                group.create_task(self._forget())
                                await self._relay(connection)
                        finally:
                            # The lock is the session's: it must not go back to the pool with it, where nobody leads.
                            await connection.invalidate()
            except* (*DATABASE_OUTAGES, RedisError) as errors:
                log.warning("outbox_interrupted", error=" ".join(str(errors.exceptions[0]).split())[:200])
            # A cancellation that comes together with an error is lost on the way.
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError
            await asyncio.sleep(1.0)

    async def _lead(self, connection: AsyncConnection) -> bool:
        answer = await connection.execute(
            text("SELECT pg_try_advisory_lock(hashtext(:name))"),
            {"name": f"fenceline-outbox-{self._service}"},
        )
        return bool(answer.scalar())

    async def _relay(self, connection: AsyncConnection) -> None:
        verified_at = float("-inf")
        clock = asyncio.get_running_loop().time
        redis_up = more = False
        while True:
            self._waked.clear()
            if clock() - verified_at > 2.0:
                redis_up = await self._ask_redis(connection)
                verified_at = clock()
            if redis_up:
                redis_up, more = await self._publish_new(connection)
            if not (redis_up and more):
                await self._wait()

    async def _wait(self) -> None:
        # Not `wait_for`: up to Python 3.11 it loses a cancellation that comes together with the wake.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._idle_s):
                await self._waked.wait()

    async def _publish_new(self, connection: AsyncConnection) -> tuple[bool, bool]:
        """Publish what Redis does not have; whether Redis is up, and whether there may be more."""
        rows = await connection.execute(_NEW, {**self._positions(), "limit": _AT_ONCE})
        facts = [Fact(stream, position, bytes(payload), trace) for stream, position, payload, trace in rows]
        if not facts:
            return True, False
        try:
            await publish(self._redis, facts, self._room)
        except RedisError as error:
            log.warning("redis_unavailable", error=str(error), facts_waiting=len(facts))
            return False, True
        _PUBLISHED.labels(self._service).inc(len(facts))
        self._published |= {fact.stream: fact.position for fact in facts}
        return True, len(facts) >= _AT_ONCE

    def _positions(self) -> dict[str, list[str] | list[int]]:
        return {"streams": list(self._published), "positions": list(self._published.values())}

    async def _ask_redis(self, connection: AsyncConnection) -> bool:
        """Where each stream ends there: after a start, an outage or a loss it lacks something. Whether it is up."""
        streams = (await connection.execute(text("SELECT stream, last_position FROM outbox_stream"))).all()
        up = True
        try:
            known = await last_positions(self._redis, [stream for stream, _ in streams])
            for stream, last in streams:
                self._published[stream] = max(known[stream], last - self._room.max_entries)
        except RedisError as error:
            log.warning("redis_unavailable", error=str(error))
            up = False
        oldest = await connection.execute(_WAITING, self._positions())
        _WAITING_SINCE.labels(self._service).set(float(oldest.scalar_one()))
        return up

    async def _forget(self) -> None:
        while True:
            gone = 0
            try:
                async with self._engine.begin() as connection:
                    gone = await self._forget_old(connection)
            except DATABASE_OUTAGES as error:
                log.warning("outbox_not_forgotten", error=" ".join(str(error).split())[:200])
            await asyncio.sleep(_FORGET_S if gone < _FORGET_AT_ONCE else 0.1)

    async def _forget_old(self, connection: AsyncConnection) -> int:
        """A part of what is old, so that however much there is none of it takes too long; how much it was."""
        old, parameters = "created_at < now() - CAST(:keep AS interval)", {"keep": self._keep}
        if self._waits_for_readers:
            old, parameters = f"{old} AND NOT {UNREAD}", {**parameters, "given_up": GIVEN_UP}
        part = f"SELECT id FROM outbox WHERE {old} LIMIT {_FORGET_AT_ONCE}"  # noqa: S608  (words of this file)
        gone = await connection.execute(text(f"DELETE FROM outbox WHERE id IN ({part})"), parameters)  # noqa: S608
        return int(gone.rowcount)


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
