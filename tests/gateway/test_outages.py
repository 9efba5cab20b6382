"""The gateway starts with everything down, says what is missing, and recovers without a restart."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from services.gateway.routing import Service
from shared.redis import create_redis
from tests.gateway.conftest import Keys, Settings, open_door
from tests.gateway.facts import Outbox, alarm
from tests.gateway.serving import Relay, serving
from tests.gateway.sse import listening
from tests.gateway.upstreams import Upstream
from tests.support.databases import ROOT


async def test_everything_is_down_and_comes_back(
    settings_of: Settings,
    keys: Keys,
    upstreams: dict[Service, Upstream],
    database_url: str,
    redis_url: str,
    unused_port: Callable[[], int],
    dist: Path,
) -> None:
    key = await keys.new("north")
    ports = {service: unused_port() for service in Service}
    urls = {f"{service.value}_url": f"http://127.0.0.1:{port}" for service, port in ports.items()}
    database, redis = Relay(database_url), Relay(redis_url)
    settings = settings_of(database_url=database.url, redis_url=redis.url, **urls)
    async with open_door(settings, dist) as door:
        client = await door.client(key)
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/health/startup")).status_code == 200
        ready = await client.get("/health/ready")
        assert ready.status_code == 503
        dependencies = ready.json()["dependencies"]
        assert {name for name, state in dependencies.items() if not state["up"]} == {
            "database",
            "redis",
            "ingest",
            "alerts",
            "model",
        }
        assert (await client.get("/api/v1/parks/north/stations")).status_code == 503
        assert (await client.get("/")).status_code == 503, "not built here, but it answers"
        assert (await client.get("/api/v1/openapi.json")).json()["x-fenceline-missing"] == [
            "ingest",
            "alerts",
            "model",
        ]

        await database.mend()
        await redis.mend()
        async with all_up(upstreams, ports):
            assert (await comes_to(client, "/health/ready", 200)).json()["status"] == "ok"
            assert (await comes_to(client, "/api/v1/parks/north/stations", 200)).status_code == 200
            direct = create_redis(redis_url, "test")
            async with listening(client) as listener:
                await listener.live()
                await Outbox(direct, upstreams).write("alarms", alarm("north"))
                assert (await listener.next(15)).event == "alarm"
            await direct.aclose()
        await database.cut()
        await redis.cut()


@contextlib.asynccontextmanager
async def all_up(upstreams: dict[Service, Upstream], ports: dict[Service, int]) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        for service, upstream in upstreams.items():
            await stack.enter_async_context(serving(upstream.app(), port=ports[service]))
        yield


async def comes_to(client: httpx.AsyncClient, path: str, status: int) -> httpx.Response:
    """The answer at `path` once it has `status`, or whatever it is after 10 s."""
    for _ in range(100):
        answer = await client.get(path)
        if answer.status_code == status:
            break
        await asyncio.sleep(0.1)
    return answer


@pytest.fixture
def process_env(
    database_url: str,
    redis_url: str,
    internal_token: str,
    upstream_urls: dict[str, str],
    unused_port: Callable[[], int],
) -> dict[str, str]:
    return os.environ | {
        "FENCELINE_DATABASE_URL": database_url,
        "FENCELINE_REDIS_URL": redis_url,
        "FENCELINE_INTERNAL_TOKEN": internal_token,
        "FENCELINE_GATEWAY_PORT": str(unused_port()),
        **{f"FENCELINE_{name.upper()}": url for name, url in upstream_urls.items()},
    }


def start(environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "services.gateway"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_the_process_ends_at_once_although_a_stream_is_open(
    process_env: dict[str, str], keys: Keys, stop: signal.Signals
) -> None:
    key = await keys.new("north")
    url = f"http://127.0.0.1:{process_env['FENCELINE_GATEWAY_PORT']}"
    process = start(process_env)
    try:
        async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {key}"}) as client:
            for _ in range(300):
                try:
                    await client.get("/health/live")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
            async with listening(client) as listener:
                await listener.live()
                process.send_signal(stop)
                begun = asyncio.get_running_loop().time()
                rest = await listener.rest(10)
                assert "the gateway ends" in rest[-1].comments[0]
                assert asyncio.get_running_loop().time() - begun < 4
        output, _ = await asyncio.to_thread(process.communicate, timeout=30)
        # uvicorn lets the signal that ended it end the process, so that a supervisor can tell.
        assert process.returncode in (0, -stop)
        assert "rror" not in output, output
    finally:
        process.kill()
        process.wait()


def test_a_missing_setting_is_one_line(process_env: dict[str, str]) -> None:
    environment = {name: value for name, value in process_env.items() if name != "FENCELINE_INTERNAL_TOKEN"}
    done = subprocess.run(
        [sys.executable, "-m", "services.gateway"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("FENCELINE_INTERNAL_TOKEN")
    assert done.stderr.count("\n") == 1
