"""Workers that die, jobs that kill, a Redis that forgets: no run is lost and none is done twice."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import redis as sync_redis
from sqlalchemy import text

from services.model.queueing import put_back_neglected
from services.model.settings import ModelSettings
from services.model.wiring import Parts
from shared.messages import RunRequested
from tests.model.conftest import CHLORINE, PARK, Working
from tests.model.test_api import MANUAL, RUNS, until_finished
from tests.support.databases import ROOT


async def ask(client: httpx.AsyncClient, **change: Any) -> str:
    answer = await client.post(RUNS, json=MANUAL | {"wait_s": 0} | change)
    run_id: str = answer.json()["id"]
    return run_id


async def test_a_killed_workers_job_is_taken_over(
    client: httpx.AsyncClient, working: Working, settings: ModelSettings, tmp_path: Path
) -> None:
    """A real process takes the run and waits for an ingest that is not there; it is killed with the job in hand."""
    run_id = await ask(client)
    environment = os.environ | {
        "FENCELINE_DATABASE_URL": settings.database_url.get_secret_value(),
        "FENCELINE_REDIS_URL": settings.redis_url.get_secret_value(),
        "FENCELINE_INTERNAL_TOKEN": settings.internal_token.get_secret_value(),
        "FENCELINE_INGEST_URL": "http://127.0.0.1:1",
        "FENCELINE_MODEL_JOB_CLAIM_AFTER_S": "1",
        "FENCELINE_MODEL_WORKER_ALIVE_FILE": str(tmp_path / "alive"),
    }
    process = subprocess.Popen(  # noqa: ASYNC220  starting it takes no time
        [sys.executable, "-m", "services.model.worker"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            if (await client.get(f"{RUNS}/{run_id}")).json()["state"] == "running":
                break
            await asyncio.sleep(0.1)
        assert (await client.get(f"{RUNS}/{run_id}")).json()["state"] == "running"
        assert (tmp_path / "alive").exists(), "a liveness probe finds its file"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    async with working("survivor"):
        run = await until_finished(client, run_id)
    assert run["state"] == "succeeded"


async def test_a_run_that_redis_forgot_is_put_in_line_again(
    client: httpx.AsyncClient, working: Working, settings: ModelSettings, parts: Parts, redis_url: str
) -> None:
    run_id = await ask(client)
    with sync_redis.Redis.from_url(redis_url) as store:
        store.flushall()
    later = datetime.now(UTC) + timedelta(seconds=30)
    assert await put_back_neglected(parts.engine, parts.queue, settings, later) == 1
    async with working():
        assert (await until_finished(client, run_id))["state"] == "succeeded"


async def test_the_same_job_twice_is_computed_once(client: httpx.AsyncClient, working: Working, parts: Parts) -> None:
    run_id = await ask(client)
    await parts.queue.put(RunRequested(run_id=UUID(run_id), park_id=PARK).encode())
    async with working():
        await until_finished(client, run_id)
        await asyncio.sleep(1.0)
    async with parts.engine.connect() as connection:
        attempts = (await connection.execute(text("SELECT attempts FROM run"))).scalar_one()
    assert attempts == 1


async def test_a_run_that_kills_its_workers_is_set_aside(
    client: httpx.AsyncClient, working: Working, parts: Parts, redis_url: str
) -> None:
    run_id = await ask(client)
    async with parts.engine.begin() as connection:
        await connection.execute(text("UPDATE run SET attempts = 3"))
    async with working():
        run = await until_finished(client, run_id)
        await asyncio.sleep(0.3)
    assert run["state"] == "failed"
    assert run["error"]["type"].endswith("/run-set-aside")
    with sync_redis.Redis.from_url(redis_url) as store:
        assert store.xlen("fenceline:work:runs:dead") == 1


async def test_a_job_that_cannot_be_read_is_buried_and_the_next_is_done(
    client: httpx.AsyncClient, working: Working, parts: Parts, redis_url: str
) -> None:
    await parts.queue.put(b"not json")
    run_id = await ask(client)
    async with working():
        assert (await until_finished(client, run_id))["state"] == "succeeded"
    with sync_redis.Redis.from_url(redis_url) as store:
        assert store.xlen("fenceline:work:runs:dead") == 1


async def test_a_slow_run_stays_with_its_worker(
    client: httpx.AsyncClient, working: Working, settings: ModelSettings, park: Any, parts: Parts
) -> None:
    """While a worker waits for ingest it gives signs of life; a second worker leaves its job alone."""
    park.down = True
    run_id = await ask(client)
    async with working("patient"), working("eager"):
        await asyncio.sleep(3.0)
        park.down = False
        run = await until_finished(client, run_id)
    assert run["state"] == "succeeded"
    async with parts.engine.connect() as connection:
        assert (await connection.execute(text("SELECT attempts FROM run"))).scalar_one() == 1


async def test_workers_share_the_queue(client: httpx.AsyncClient, working: Working, settings: ModelSettings) -> None:
    ids = [await ask(client, chemical=CHLORINE) for _ in range(6)]
    async with working("one"), working("two"):
        states = [(await until_finished(client, run_id))["state"] for run_id in ids]
    assert states == ["succeeded"] * 6
