"""A request that is sent again under its key gets the answer of the first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.intake.idempotency import _TRIM_EVERY, Idempotency
from services.ingest.meaning.normalise import Observation
from services.ingest.upkeep import Upkeep
from services.ingest.writing.batch import Batch, KeyedAnswer, StatusCodes, Submission
from services.ingest.writing.store import prepare, write
from shared import database
from shared.identity import ACTOR_HEADER
from shared.problems import Conflict, Unprocessable
from tests.ingest.parks import park, station
from tests.ingest.running import Running

PATH = "/parks/test-park/observations"


def batch(value: float) -> dict[str, Any]:
    row = {"station": "s1", "property": "chlorine", "time": "2026-03-01T00:00:00Z", "value": value}
    return {"observations": [row]}


async def send(ingest: Running, key: str, value: float = 1.0, caller: str = "vendor") -> Any:
    return await ingest.http.post(PATH, json=batch(value), headers={"Idempotency-Key": key, ACTOR_HEADER: caller})


async def test_the_answer_of_the_first(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", None)))
    first = await send(ingest, "k1")
    again = await send(ingest, "k1")
    assert first.json()["accepted"] == 1
    assert (again.status_code, again.content) == (200, first.content)
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert (await send(ingest, "k2")).json()["duplicate"] == 1
    assert (await send(ingest, "k1", caller="other")).json()["duplicate"] == 1, "a key is the caller's own"
    other = await send(ingest, "k1", value=2.0)
    assert other.status_code == 422
    assert "Idempotency-Key" in other.json()["detail"]
    assert (await send(ingest, "x" * 256)).status_code == 422
    assert await ingest.rows("SELECT value FROM observation") == [(1.0,)]


async def test_what_failed_is_not_kept(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", None)))
    ingest.state.writer._room.clear()
    assert (await send(ingest, "k1")).status_code == 503
    ingest.state.writer._room.set()
    assert (await send(ingest, "k1")).json()["accepted"] == 1


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = database.create_engine(database_url, "ingest")
    yield engine
    await engine.dispose()


async def answer() -> bytes:
    return b"{}"


async def count(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        found = await connection.exec_driver_sql("SELECT count(*) FROM idempotency")
        return int(found.scalar_one())


@asynccontextmanager
async def stored(database_url: str, body: bytes, *, commit: bool = True) -> AsyncIterator[StatusCodes]:
    """A reading in the database, with the answer under the key 'k'."""
    row = Observation(1, 1_700_000_000_000_000, 1.0, "N", None, None, 0)
    answer = KeyedAnswer("p", "c", "k", b"f", lambda _: body)
    async with await database.connect(database_url, "ingest") as connection:
        await prepare(connection)
        yield await write(connection, Batch([Submission("http:c", [row], answer=answer)]), commit=commit)
        await connection.rollback()


async def test_the_answer_is_committed_with_the_readings_or_not_at_all(engine: AsyncEngine, database_url: str) -> None:
    keys = Idempotency(engine)

    async def dies_before_the_commit() -> bytes:
        async with stored(database_url, b'"accepted"', commit=False):
            raise asyncio.CancelledError

    async def dies_after_the_commit() -> bytes:
        async with stored(database_url, b'"accepted"'):
            raise asyncio.CancelledError

    for dying in (dies_before_the_commit, dies_after_the_commit):
        with pytest.raises(asyncio.CancelledError):
            await keys.once("p", "c", "k", b"f", dying)
    assert (await keys.once("p", "c", "k", b"f", answer)).body == b'"accepted"'
    async with stored(database_url, b'"duplicate"'):
        pass
    assert (await keys.once("p", "c", "k", b"f", answer)).body == b'"accepted"', "the first answer stays"


async def test_what_is_stored_after_its_sender_gave_up_is_told_to_the_repeat(
    ingest: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ingest.put_park(park(station("s1", None)))
    monkeypatch.setattr("services.ingest.api.observations.SUBMIT_TIMEOUT_S", 0.1)
    async with ingest.state.engine.begin() as connection:
        await connection.exec_driver_sql("LOCK TABLE observation IN ACCESS EXCLUSIVE MODE")
        assert (await send(ingest, "k1")).status_code == 503
    await ingest.state.writer.drained()
    again = await send(ingest, "k1")
    assert (again.json()["accepted"], again.headers["Idempotency-Replayed"]) == (1, "true")


async def test_a_request_of_which_nothing_can_be_stored_has_its_answer_kept_too(ingest: Running) -> None:
    await ingest.put_park(park(station("s2", None)))
    first = await send(ingest, "k1")
    assert first.json()["refused"] == 1
    again = await send(ingest, "k1")
    assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")


async def test_two_at_once_are_carried_out_once(engine: AsyncEngine, database_url: str) -> None:
    replicas = [Idempotency(engine), Idempotency(engine)]
    begun, go = asyncio.Event(), asyncio.Event()

    async def slow() -> bytes:
        begun.set()
        await go.wait()
        async with stored(database_url, b'"first"'):
            return b'"first"'

    first = asyncio.create_task(replicas[0].once("p", "c", "k", b"f", slow))
    await begun.wait()
    with pytest.raises(Conflict) as refused:
        await replicas[1].once("p", "c", "k", b"f", answer)
    assert refused.value.headers == {"Retry-After": "1"}
    with pytest.raises(Unprocessable):
        await replicas[1].once("p", "c", "k", b"another", answer)
    go.set()
    assert (await first).body == b'"first"'
    assert (await replicas[1].once("p", "c", "k", b"f", answer)).body == b'"first"'


async def test_a_request_that_died_is_carried_out_by_the_next(engine: AsyncEngine) -> None:
    keys = Idempotency(engine)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO idempotency VALUES ('p', 'c', 'k', 'f'::bytea, NULL, now() - interval '61 s')"
        )
    assert (await keys.once("p", "c", "k", b"f", answer)).body == b"{}"


async def test_keys_are_bounded_and_forgotten(engine: AsyncEngine) -> None:
    keys = Idempotency(engine, max_keys=10)
    for number in range(_TRIM_EVERY):
        await keys.once("p", "c", str(number), b"f", answer)
    assert await count(engine) == 10
    async with engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE idempotency SET begun_at = now() - interval '25 hours'")
    await Upkeep(engine).sweep()
    assert await count(engine) == 0
