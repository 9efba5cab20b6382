"""Several processes of the alerts service, each with its share of the shards: nobody's readings are evaluated twice or
not at all, and scaling from 2 to 3 to 1 loses no transition and doubles none. Ingest is a stand-in on a real port."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from shared import database
from shared.messages import AlarmChanged, ObservationsStored
from shared.streams import OBSERVATION_SHARDS, observation_stream, shard_of
from shared.time import to_microseconds, utc_now
from tests.alerts.park import SECOND, Producer, datastream
from tests.alerts.test_app import eventually, served
from tests.support.databases import ROOT

STATIONS = range(1, 25)

CYCLE_S = 12
"""Gas for 6 s, none for 6 s: raised after 2 s of it, returned after 2 s without."""
STEP_S = 0.1


def shard(number: int) -> int:
    return shard_of(f"p.s{number}", OBSERVATION_SHARDS)


class Replica:
    """One process."""

    def __init__(self, environment: dict[str, str], ordinal: int, replicas: int, port: int, log: Path) -> None:
        self.ordinal, self.replicas, self.port, self._log = ordinal, replicas, port, log
        own = {"ORDINAL": ordinal, "REPLICAS": replicas, "PORT": port, "ON_DELAY_FENCE_S": 2, "OFF_DELAY_S": 2}
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.alerts"],
                cwd=ROOT,
                env=os.environ | environment | {f"FENCELINE_ALERTS_{name}": str(value) for name, value in own.items()},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    async def ready(self) -> None:
        async def answers() -> bool:
            assert self.process.poll() is None, self._log.read_text()[-3000:]
            try:
                async with httpx.AsyncClient(trust_env=False) as client:
                    return (await client.get(f"http://127.0.0.1:{self.port}/health/ready")).status_code == 200
            except httpx.HTTPError:
                return False

        await eventually(answers, 150)

    async def evaluated(self) -> int:
        """How many live readings this process has evaluated."""
        async with httpx.AsyncClient(trust_env=False) as client:
            told = (await client.get(f"http://127.0.0.1:{self.port}/metrics")).text
        found = re.search(r'^fenceline_alerts_readings_total\{outcome="live"\} (\S+)', told, re.MULTILINE)
        return int(float(found.group(1))) if found else 0

    async def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(how)
        await asyncio.to_thread(self.process.wait, 60)


class Fleet:
    """What a StatefulSet runs."""

    def __init__(self, environment: dict[str, str], port: Callable[[], int], folder: Path) -> None:
        self._environment, self._port, self._folder = environment, port, folder
        self.running: list[Replica] = []

    def start(self, ordinal: int, replicas: int) -> Replica:
        log = self._folder / f"alerts-{ordinal}.log"
        replica = Replica(self._environment, ordinal, replicas, self._port(), log)
        self.running.append(replica)
        return replica

    async def end(self, replica: Replica, how: signal.Signals = signal.SIGTERM) -> None:
        await replica.end(how)
        self.running.remove(replica)


@pytest.fixture
async def producer(redis_url: str) -> AsyncIterator[Producer]:
    stands = Producer(redis_url, [datastream(number) for number in STATIONS])
    yield stands
    await stands.redis.aclose()


@pytest.fixture
async def fleet(
    database_url: str,
    redis_url: str,
    internal_token: str,
    producer: Producer,
    unused_port: Callable[[], int],
    tmp_path: Path,
) -> AsyncIterator[Fleet]:
    port = unused_port()
    environment = {
        "FENCELINE_DATABASE_URL": database_url,
        "FENCELINE_REDIS_URL": redis_url,
        "FENCELINE_INTERNAL_TOKEN": internal_token,
        "FENCELINE_INGEST_URL": f"http://127.0.0.1:{port}",
    }
    ships = Fleet(environment, unused_port, tmp_path)
    async with served(producer.app, port):
        try:
            yield ships
        finally:
            for replica in ships.running:
                replica.process.kill()
                replica.process.wait(10)


async def say(producer: Producer, at: int, value: float) -> None:
    """One reading of every station, as ingest tells it: a fact a shard."""
    by_shard: defaultdict[int, list[int]] = defaultdict(list)
    for number in STATIONS:
        by_shard[shard(number)].append(number)
    now = to_microseconds(utc_now())
    for number, stations in by_shard.items():
        message = ObservationsStored.of([(i, at, value, "N") for i in stations], received_at=now)
        await producer.tell(observation_stream(number), message)


@pytest.mark.timeout(240)
async def test_each_reading_is_evaluated_by_the_one_that_owns_its_shard(fleet: Fleet, producer: Producer) -> None:
    replicas = [fleet.start(ordinal, 2) for ordinal in range(2)]
    for replica in replicas:
        await replica.ready()
    begin = to_microseconds(utc_now()) - 60 * SECOND
    for second in range(20):
        await say(producer, begin + second * SECOND, 0.1)
    expected = [20 * sum(shard(number) % 2 == replica.ordinal for number in STATIONS) for replica in replicas]
    assert sum(expected) == 20 * len(STATIONS)
    assert min(expected) > 0

    async def counts() -> list[int]:
        return [await replica.evaluated() for replica in replicas]

    async def all_evaluated() -> bool:
        return sum(await counts()) >= sum(expected)

    await eventually(all_evaluated, 60)
    await asyncio.sleep(0.5)
    assert await counts() == expected


@pytest.mark.timeout(420)
async def test_scaling_from_two_to_three_to_one_under_load(fleet: Fleet, producer: Producer, database_url: str) -> None:
    begin = to_microseconds(utc_now()) - 3000 * SECOND
    cycles = 0
    scaled = asyncio.Event()

    async def load() -> None:
        nonlocal cycles
        while not scaled.is_set():
            for second in range(CYCLE_S):
                at = begin + (cycles * CYCLE_S + second) * SECOND
                await say(producer, at, 3.0 if second < CYCLE_S // 2 else 0.1)
                await asyncio.sleep(STEP_S)
            cycles += 1

    zero, one = fleet.start(0, 2), fleet.start(1, 2)
    await zero.ready()
    await one.ready()
    running = asyncio.create_task(load())
    try:
        await asyncio.sleep(1)
        # To three, as Kubernetes does it: the new one comes while the old ones still think that they are two, then
        # they are replaced from the last to the first. The load goes on all the time.
        two = fleet.start(2, 3)
        await two.ready()
        await fleet.end(one)
        one = fleet.start(1, 3)
        await one.ready()
        await fleet.end(zero, signal.SIGKILL)
        zero = fleet.start(0, 3)
        await zero.ready()
        # To one: the last go, the first is replaced.
        await fleet.end(two)
        await fleet.end(one, signal.SIGKILL)
        await fleet.end(zero)
        alone = fleet.start(0, 1)
        await alone.ready()
        await asyncio.sleep(1)
        scaled.set()
        await running
    finally:
        running.cancel()

    engine = database.create_engine(database_url, "alerts")

    async def told() -> list[AlarmChanged]:
        async with engine.connect() as connection:
            rows = await connection.execute(text("SELECT payload FROM outbox WHERE stream = 'alarms' ORDER BY id"))
            facts = [AlarmChanged.decode(bytes(row.payload)) for row in rows]
        return [fact for fact in facts if fact.rule_id.startswith("level.")]

    expected = [
        (name, begin + (cycle * CYCLE_S + second) * SECOND)
        for cycle in range(cycles)
        for name, second in (("raised", 2), ("returned", CYCLE_S // 2 + 2))
    ]

    async def all_told() -> bool:
        return len(await told()) >= len(expected) * len(STATIONS)

    try:
        await eventually(all_told, 60)
        await asyncio.sleep(0.5)
        by_station: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        for fact in await told():
            by_station[fact.station_id].append((fact.transition, to_microseconds(fact.event_time)))
        assert dict(by_station) == {f"p.s{number}": expected for number in STATIONS}
        assert len({fact.transition_id for fact in await told()}) == len(expected) * len(STATIONS)
        async with engine.connect() as connection:
            refused = await connection.execute(text("SELECT stream, position, reason FROM refused_fact"))
            assert refused.all() == []
    finally:
        await engine.dispose()
