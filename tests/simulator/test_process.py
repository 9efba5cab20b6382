"""The simulator as a process: what `python -m simulator` sends, tells and remembers."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from shared.hj212 import commands
from shared.hj212.codes import Cn
from simulator.site import Site
from tests.simulator.platform import Platform

ROOT = Path(__file__).parents[2]
STATIONS = 42
SEED = "1"


@asynccontextmanager
async def _simulator(platform: Platform, folder: Path, *more: str) -> AsyncIterator[list[str]]:
    """The process; its log lines are in the list once it has ended."""
    arguments = ("--port", str(platform.port), "--state", str(folder / "state.json"), *more)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FENCELINE_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulator", *arguments, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
    )
    lines: list[str] = []
    try:
        yield lines
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        output, _ = await asyncio.wait_for(process.communicate(), 10.0)
        lines += output.decode().splitlines()
    assert process.returncode == 0


def _told(platform: Platform) -> list[tuple[str | None, str | None, datetime | None]]:
    return [
        (message.mn, message.cn, commands.data_time(message))
        for message in platform.messages
        if message.cn in (Cn.REALTIME, Cn.MINUTE)
    ]


async def _many(platform: Platform, count: int) -> None:
    await platform.until(lambda: len(platform.of(Cn.REALTIME)) >= count, 60.0)


async def test_a_fast_story_from_the_past(platform: Platform, tmp_path: Path, site: Site) -> None:
    truth = tmp_path / "truth.json"
    more = ("--speed", "60", "--seed", SEED, "--truth", str(truth), "--release-after", "20")
    async with _simulator(platform, tmp_path, *more) as lines:
        await platform.until(lambda: len(platform.of(Cn.MINUTE)) >= 3 * STATIONS, 60.0)
    now = datetime.now(ZoneInfo("Asia/Shanghai")).replace(tzinfo=None)
    assert all(time is not None and time <= now for _, _, time in _told(platform)), "a time lies in the future"
    assert len(platform.of(Cn.STARTUP)) == STATIONS
    assert platform.messages[0].cn == Cn.STARTUP
    assert {message.mn for message in platform.of(Cn.REALTIME)} == {
        station.device.mn for station in site.stations if station.device
    }
    assert platform.refused == 0
    told = _told(platform)
    assert len(set(told)) == len(told), "an instant was told twice"
    for station in site.stations:
        assert station.device is not None
        times = [time for mn, cn, time in told if mn == station.device.mn and cn == Cn.REALTIME and time]
        assert times == sorted(times)
    [release] = json.loads(truth.read_text(encoding="utf-8"))["releases"]
    assert release["source_id"].startswith("bohai-demo.")
    assert release["rate_kg_s"] > 0
    assert release["source_id"].split(".")[1] not in "\n".join(lines), "the source was given away"
    assert any("a_release_begins" in line for line in lines)


async def test_a_second_run_contradicts_nothing(platform: Platform, tmp_path: Path) -> None:
    for run in range(2):
        expected = len(platform.of(Cn.REALTIME)) + 5 * STATIONS
        async with _simulator(platform, tmp_path, "--speed", "200"):
            await _many(platform, expected)
        assert json.loads((tmp_path / "state.json").read_text(encoding="utf-8"))["runs"] == run + 1
    told = _told(platform)
    assert len(set(told)) == len(told), "an instant was told twice"


async def test_reveal_names_the_source(platform: Platform, tmp_path: Path) -> None:
    truth = tmp_path / "truth.json"
    more = ("--speed", "100", "--seed", SEED, "--truth", str(truth), "--release-after", "5", "--reveal")
    async with _simulator(platform, tmp_path, *more) as lines:
        await platform.until(lambda: len(platform.of(Cn.REALTIME)) >= 6 * STATIONS, 60.0)
    [release] = json.loads(truth.read_text(encoding="utf-8"))["releases"]
    assert any(release["source_id"].split(".")[1] in line for line in lines)


async def test_a_bad_park_file_ends_it_with_one_line(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--park", str(tmp_path / "none.yaml")),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await asyncio.wait_for(process.communicate(), 30.0)
    assert process.returncode == 2
    assert errors.decode().count("\n") == 1
    assert "none.yaml" in errors.decode()
