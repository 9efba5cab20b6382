"""A device that sends nothing is a fact, told once, and so is its return."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.registry import store
from services.ingest.registry.silence import SilenceWatch
from shared import database
from shared.messages import DeviceSilenceChanged
from shared.park_file import ParkFile
from tests.ingest.archive.test_replay import send, sent
from tests.ingest.parks import park, station
from tests.ingest.running import Running

START = datetime(2026, 3, 1, tzinfo=UTC)
_HEARD = text(
    """
    INSERT INTO device_counter VALUES (:mn, 1, 1, 0, 0, 0, 0, 0, :at)
    ON CONFLICT (mn) DO UPDATE SET last_seen = excluded.last_seen
    """
)


class Park:
    """A database with a park, and time that the test moves."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.now = START
        self.woken = 0

    def watch(self) -> SilenceWatch:
        return SilenceWatch(self.engine, self._wake, after=timedelta(minutes=5), clock=lambda: self.now)

    def _wake(self) -> None:
        self.woken += 1

    async def put(self, file: dict[str, Any]) -> None:
        async with self.engine.begin() as connection:
            await store.put_park(connection, ParkFile.model_validate(file))
            await connection.execute(text("UPDATE device SET registered_at = :at"), {"at": START})

    async def hear(self, mn: str) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(_HEARD, {"mn": mn, "at": self.now})

    async def facts(self) -> list[DeviceSilenceChanged]:
        query = text("SELECT payload FROM outbox WHERE stream = 'devices' ORDER BY id")
        async with self.engine.connect() as connection:
            return [DeviceSilenceChanged.decode(row.payload) for row in await connection.execute(query)]

    async def pass_by(self, watch: SilenceWatch, seconds: int) -> None:
        """Let time go by while the watch looks every ten seconds."""
        for _ in range(0, seconds, 10):
            self.now += timedelta(seconds=10)
            await watch.look()


@pytest.fixture
async def parked(database_url: str) -> AsyncIterator[Park]:
    engine = database.create_engine(database_url, "ingest")
    try:
        made = Park(engine)
        await made.put(park(station("s1", "A1"), station("s2", "A2", device={"silent_after_s": 900})))
        yield made
    finally:
        await engine.dispose()


async def told(parked: Park) -> list[tuple[str, bool, float]]:
    return [(fact.mn, fact.silent, (fact.at - START).total_seconds()) for fact in await parked.facts()]


async def test_silence_and_return_are_told_once_each(parked: Park) -> None:
    watch = parked.watch()
    await watch.look()
    await parked.pass_by(watch, 100)
    await parked.hear("A1")
    await parked.pass_by(watch, 300)
    assert await told(parked) == []
    await parked.pass_by(watch, 200)
    assert await told(parked) == [("A1", True, 410.0)]
    await parked.hear("A1")
    await parked.pass_by(watch, 50)
    assert await told(parked) == [("A1", True, 410.0), ("A1", False, 610.0)]
    assert parked.woken == 2
    silent, heard = await parked.facts()
    assert (silent.park_id, silent.station_id, silent.silent_after_s) == ("test-park", "test-park.s1", 300)
    assert (silent.last_seen, heard.last_seen) == (START + timedelta(seconds=100), START + timedelta(seconds=600))


async def test_a_device_may_have_its_own_limit_and_one_never_heard_counts_from_its_registration(parked: Park) -> None:
    watch = parked.watch()
    await parked.pass_by(watch, 1000)
    assert await told(parked) == [("A1", True, 310.0), ("A2", True, 910.0)]
    assert [fact.last_seen for fact in await parked.facts()] == [None, None]


async def test_after_a_start_or_a_stand_still_devices_get_time_to_come_back(parked: Park) -> None:
    parked.now += timedelta(hours=1)
    watch = parked.watch()
    await watch.look()
    await parked.pass_by(watch, 50)
    await parked.hear("A1")
    await parked.hear("A2")
    await parked.pass_by(watch, 50)
    assert await told(parked) == []
    parked.now += timedelta(hours=1)
    await watch.look()
    assert await told(parked) == [], "the machine stood still, not the devices"
    await parked.pass_by(watch, 60)
    assert {(mn, silent) for mn, silent, _ in await told(parked)} == {("A1", True), ("A2", True)}


async def test_two_replicas_tell_it_once(parked: Park) -> None:
    watches = [parked.watch() for _ in range(3)]
    for watch in watches:
        await watch.look()
    for _ in range(35):
        parked.now += timedelta(seconds=10)
        await asyncio.gather(*(watch.look() for watch in watches))
    assert [entry[:2] for entry in await told(parked)] == [("A1", True)]


async def test_more_devices_than_are_told_at_once_are_all_told(parked: Park, monkeypatch: pytest.MonkeyPatch) -> None:
    await parked.put(park(*(station(f"s{number}", f"M{number}") for number in range(1100))))
    watch = parked.watch()
    await parked.pass_by(watch, 310)
    assert len(await parked.facts()) == 1100


async def test_a_device_that_is_no_longer_registered_is_forgotten(parked: Park) -> None:
    watch = parked.watch()
    await parked.pass_by(watch, 400)
    await parked.put(park(station("s1", None)))
    await watch.look()
    async with parked.engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM silent_device"))).scalar_one() == 0
    assert [entry[:2] for entry in await told(parked)] == [("A1", True)]


async def test_devices_are_listed_with_their_silence(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1"), station("s2", "A2")))
    await ingest.rows("INSERT INTO silent_device VALUES ('A1', %s) RETURNING 1", START)
    listed = (await ingest.get("/parks/test-park/devices"))["items"]
    assert [device["silent_since"] for device in listed] == ["2026-03-01T00:00:00Z", None]


async def test_a_wrong_password_does_not_speak_for_the_device(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1", device={"password": "654321"})))
    await send(ingest, sent(1.0, 5))
    (device,) = (await ingest.get("/parks/test-park/devices"))["items"]
    assert (device["refused"], device["last_seen"]) == (1, None)
    await send(ingest, sent(1.0, 5, pw="654321"))
    (device,) = (await ingest.get("/parks/test-park/devices"))["items"]
    assert device["last_seen"] is not None
