"""A small park for tests: registered datastreams, readings published on the real Redis, a clock that tests turn.

`Producer` stands where ingest stands: it holds its facts, publishes them with gapless positions and answers
`GET /datastreams` and `GET /facts/{stream}` over HTTP as the contract has it.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI, HTTPException
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.conditions import SilenceRule
from services.alerts.engine.baselines import BaselineKeeper
from services.alerts.engine.missed import MissedReadings
from services.alerts.engine.readings import Limits
from services.alerts.engine.registry import Registry
from services.alerts.engine.rulebook import RuleBook
from services.alerts.engine.runner import Runner
from services.alerts.engine.shard import Shard
from services.alerts.engine.silence import RULE_ID, Heard, SilenceWatch
from services.alerts.rules import Delays
from shared import database, outbox
from shared.fact_readers import ReadUpTo
from shared.messages import AlarmChanged, Message, ObservationsStored
from shared.redis import create_redis
from shared.streams import Fact, FactReader, publish
from shared.time import to_microseconds

START = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
STREAM = "observations.0"
SECOND = 1_000_000
ALARM_COLUMNS = (
    "station_id, datastream_id, rule_id, serial, entries, state, active, colour, peak_colour, value, peak_value, "
    "threshold, raised_at, returned_at, withdrawn, acknowledged_by, comment"
)


def datastream(number: int, property_id: str = "chlorine", ring: str = "boundary", **more: Any) -> dict[str, Any]:
    """A registered datastream; by default each is its own station, `p.s<number>`."""
    return {
        "id": number,
        "park_id": "p",
        "station_id": f"p.s{number}",
        "station_name": {"zh": f"{number}号站", "en": f"Station {number}"},
        "ring": ring,
        "longitude": 119.0,
        "latitude": 37.1,
        "property_id": property_id,
        "unit": "mg/m3",
        "cadence": "realtime",
        "range_upper": 100.0,
        "detection_limit": 0.01,
        **more,
    }


class Producer:
    """Ingest as the alerts service sees it."""

    def __init__(self, redis_url: str, datastreams: list[dict[str, Any]]) -> None:
        self.redis = create_redis(redis_url, "producer")
        self.datastreams = datastreams
        self.facts: dict[str, list[Fact]] = {}
        self.mended: dict[int, bytes] = {}
        self.read: dict[str, dict[str, int]] = {}
        self.questions = 0
        self.down = False
        self.refusals = 0
        self.app = FastAPI()

        @self.app.get("/datastreams")
        async def list_datastreams() -> dict[str, Any]:
            self._answer_only_when_up()
            self.questions += 1
            return {"items": self.datastreams, "next": None}

        @self.app.get("/facts/{stream}")
        async def facts(stream: str, after: int = 0, limit: int = 500) -> outbox.FactPage:
            self._answer_only_when_up()
            found = [fact for fact in self.facts.get(stream, []) if fact.position > after][:limit]
            return outbox.FactPage(
                items=[
                    outbox.FactItem(position=f.position, payload=f.payload.decode(), traceparent=f.traceparent)
                    for f in found
                ]
            )

        @self.app.post("/facts/{stream}/{position}/repeat", status_code=202)
        async def repeat(stream: str, position: int) -> None:
            self._answer_only_when_up()
            kept = self.facts.get(stream, [])
            if position > len(kept):
                raise HTTPException(410, "not kept")
            await self.tell(stream, self.mended.get(position, kept[position - 1].payload))

        @self.app.put("/facts/readers/{reader}", status_code=204)
        async def read_up_to(reader: str, body: ReadUpTo) -> None:
            self._answer_only_when_up()
            self.read[reader] = body.positions

        @self.app.get("/health/live")
        async def live() -> dict[str, str]:
            return {"status": "ok"}

    def _answer_only_when_up(self) -> None:
        if self.down:
            self.refusals += 1
            raise HTTPException(503, "ingest is down")

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://ingest")

    async def tell(self, stream: str, message: Message | bytes) -> Fact:
        """Publish one fact; kept for the catch-up read whatever Redis does."""
        payload = message if isinstance(message, bytes) else message.encode()
        kept = self.facts.setdefault(stream, [])
        fact = Fact(stream, len(kept) + 1, payload, None)
        kept.append(fact)
        with suppress(RedisError, OSError):
            await publish(self.redis, [fact])
        return fact


class Clock:
    """Wall time that the test turns."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def at(self, second: float) -> None:
        self.now = START + timedelta(seconds=second)


class Park:
    """Everything that one process of the alerts service runs, over real stores. `restart` forgets all of it."""

    def __init__(
        self,
        database_url: str,
        redis_url: str,
        producer: Producer,
        *,
        streams: list[str] | None = None,
        delays: Delays | None = None,
        reorder_bound_s: int = 120,
        shared_engine: AsyncEngine | None = None,
    ) -> None:
        """`shared_engine`: one process after the other uses it, where connections would cost more than the test."""
        self.database_url = database_url
        self.shared_engine = shared_engine
        self.redis_url = redis_url
        self.producer = producer
        self.streams = streams or [STREAM]
        self.delays = delays or Delays()
        self.bound = reorder_bound_s * SECOND
        self.clock = Clock()
        self.committed = 0
        self._make()

    def _make(self) -> None:
        self.database: AsyncEngine = self.shared_engine or database.create_engine(self.database_url, "alerts")
        self.redis: Redis = create_redis(self.redis_url, "alerts")
        self.client = self.producer.client()
        self.registry = Registry(self.client)
        self.rulebook = RuleBook(self.database, self.delays)
        self.heard = Heard()
        limits = Limits(3600 * SECOND, 600 * SECOND)
        self.baselines = BaselineKeeper(
            self.database, self.client, self.registry, self.rulebook, owns=lambda _station: True, clock=self.clock
        )
        usual = self.baselines.usual
        missed = MissedReadings(self.client, self.registry, self.rulebook, owns=lambda _station: True)
        shards = [
            Shard(stream, self.database, self.registry, self.rulebook, limits, self.bound, usual=usual, missed=missed)
            for stream in self.streams
        ]
        self.runner = Runner(
            FactReader(self.redis, outbox.http_catch_up(self.client), poll_s=0.01),
            shards,
            self.registry,
            self.rulebook,
            self.heard,
            clock=self.clock,
            committed=self._note_commit,
            baselines=self.baselines,
        )
        self.watch = SilenceWatch(
            self.database,
            self.registry,
            self.heard,
            fast=SilenceRule(RULE_ID, 180 * SECOND),
            slow=SilenceRule(RULE_ID, 1800 * SECOND),
            owns=lambda _station: True,
            is_current=self.runner.is_current,
            clock=self.clock,
            committed=self._note_commit,
        )

    def _note_commit(self) -> None:
        self.committed += 1

    async def close(self) -> None:
        if self.shared_engine is None:
            await self.database.dispose()
        await self.redis.aclose()
        await self.client.aclose()

    async def restart(self) -> None:
        """A new process: nothing of the old one's memory is left."""
        await self.close()
        self._make()
        await self.runner.prepare()

    async def push(
        self,
        *readings: tuple[int, float, float | None] | tuple[int, float, float | None, str],
        stream: str = STREAM,
        received: float | None = None,
    ) -> Fact:
        """Publish readings (datastream, second, value[, flag]) in one fact, received when the last was taken."""
        seconds = [reading[1] for reading in readings]
        receipt = received if received is not None else max(seconds)
        message = ObservationsStored.of(
            (
                (reading[0], to_microseconds(START) + round(reading[1] * SECOND), reading[2], (*reading, "N")[3])
                for reading in readings
            ),
            received_at=to_microseconds(START) + round(receipt * SECOND),
        )
        return await self.producer.tell(stream, message)

    async def settle(self) -> None:
        """Evaluate until nothing is left to read."""
        while await self.runner.turn(block_ms=20):
            pass

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        async with self.database.connect() as connection:
            return [dict(row) for row in (await connection.execute(text(sql))).mappings()]

    async def alarms(self) -> list[dict[str, Any]]:
        return await self.rows(f"SELECT {ALARM_COLUMNS} FROM alarm ORDER BY raised_at, station_id, rule_id")

    async def journal(self) -> list[dict[str, Any]]:
        return await self.rows(
            "SELECT datastream_id, action, state_after, colour_after, event_time, detail::text FROM journal "
            "ORDER BY event_time, datastream_id, number"
        )

    async def told(self) -> list[AlarmChanged]:
        """What subscribers will hear, in order."""
        rows = await self.rows("SELECT payload FROM outbox WHERE stream = 'alarms' ORDER BY id")
        return [AlarmChanged.decode(bytes(row["payload"])) for row in rows]


def second_of(moment: datetime) -> float:
    return (moment - START).total_seconds()


class Killed(BaseException):
    """The process is gone at this instruction."""


def kill_at_statement(engine: AsyncEngine, number: int) -> Callable[[], int]:
    """Make the `number`-th statement or commit from now on end everything; gives a counter of them."""
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            raise Killed

    event.listen(engine.sync_engine, "before_cursor_execute", count)
    event.listen(engine.sync_engine, "commit", count)
    return lambda: seen


def told_shortly(told: list[AlarmChanged]) -> list[dict[str, Any]]:
    """The transitions without what differs from run to run."""
    return [json.loads(fact.model_dump_json(exclude={"recorded_at"})) for fact in told]
