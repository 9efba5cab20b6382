"""HJ 212 over TCP: frames of ten factors a second, and ten thousand connections that are held.

Everything is on this machine: the client, ingest, alerts, PostgreSQL (fsync on) and Valkey. A frame is counted once
it is acknowledged, and so committed. The times are of now, so the readings are evaluated, not set aside as history.
"""

from __future__ import annotations

import asyncio
import json
import math
import resource
import subprocess
import sys
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

import psutil
import uvloop

from bench import service
from bench.benchmark import Measured
from bench.ingest_http import until_evaluated
from bench.large_park import GASES, PARK, large_park, mn
from shared.hj212.frame import encode
from shared.vocabulary import observed_properties

STATIONS = 200
WINDOW = 4
"""Frames of a station on their way at once: loggers do not all wait for one answer before they send the next."""
PREPARED_PER_S = 9_000
HELD = 10_000
EVERY_S = 30.0
ROUNDS = 2
_CODES = [observed_properties()[gas].factor_2017 or gas for gas in GASES]
_ZONE = timedelta(hours=8)


def frames_per_s(budget_s: float) -> Measured:
    """Frames of ten factors that were acknowledged a second."""
    with service.running("services.ingest", "services.alerts") as system:
        _register(system, STATIONS)
        found = load(
            system, stations=STATIONS, seconds=budget_s, every_s=0.0, window=WINDOW, frames_per_s=PREPARED_PER_S
        )
        found["alerts_behind_s"] = until_evaluated(system, found["acknowledged"] * len(GASES))
    found["frames_per_s"] = found["acknowledged"] / found["seconds"]
    return Measured(round(found["frames_per_s"]), found)


def connections(_budget_s: float) -> Measured:
    """Connections that were all held, none dropped and no frame of theirs unanswered."""
    found = _hold()
    return Measured(found["held"], found)


def rss_mb(_budget_s: float) -> Measured:
    """What ingest takes of memory meanwhile."""
    found = _hold()
    return Measured(found["rss_mb"], found)


@cache
def _hold() -> dict[str, Any]:
    with service.running("services.ingest", "services.alerts") as system:
        _register(system, HELD, gases=1)
        ingest = psutil.Process(system.processes["services.ingest"])
        before = ingest.memory_info().rss
        found = load(system, stations=HELD, seconds=ROUNDS * EVERY_S, every_s=EVERY_S)
        memory = _status(ingest.pid)
    return found | {
        "datastreams": HELD,
        "rss_mb": round(memory / 1e6),
        "rss_before_mb": round(before / 1e6),
        "held": found["connected"] - found["dropped"] if found["unanswered"] == 0 else 0,
    }


def _status(process: int) -> int:
    """The most memory that a process has had [bytes]."""
    lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def _register(system: service.System, stations: int, gases: int = len(GASES)) -> None:
    file = large_park(stations)
    for station in file["stations"]:
        station["datastreams"] = station["datastreams"][:gases]
    for name in ("ingest", "alerts"):
        with system.client(name) as client:
            client.put(f"/parks/{PARK}/registry", json=file).raise_for_status()
    until_registered(system, stations)


def until_registered(system: service.System, stations: int) -> None:
    """Wait until ingest lets this many devices in."""
    with system.client("ingest") as client:
        for _ in range(600):  # the registry is read again by whoever was told that it changed
            if f"fenceline_ingest_registered_devices {float(stations)}" in client.get("/metrics").text:
                return
            time.sleep(0.1)
    raise RuntimeError("the registry was not read within a minute")


def load(system: service.System, **given: Any) -> dict[str, Any]:
    """Run the client in a process of its own, as it would be; what it counted."""
    client = [sys.executable, "-m", "bench.hj212"]
    data = json.dumps({"port": system.hj212_port, **given})
    done = subprocess.run(client, input=data, capture_output=True, text=True, check=True)
    counted: dict[str, Any] = json.loads(done.stdout)
    return counted


# --- the client: a process of its own, with as little work a frame as can be ----------------------------------------


class _Station(asyncio.Protocol):
    """Keeps some frames on their way: one answered, the next is sent, at once or when its turn comes.

    The frames are made before the clock starts; their times are those at which they are about to be sent.
    """

    def __init__(self, frames: list[bytes], every_s: float, window: int, tally: _Tally) -> None:
        self._frames = iter(frames)
        self._every_s = every_s
        self._window = window
        self._due = 0.0
        self._tally = tally
        self._sent_at: deque[float] = deque()
        self.transport: asyncio.Transport | None = None

    @property
    def waits(self) -> int:
        """Frames that are not answered yet."""
        return len(self._sent_at)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def begin(self, after_s: float) -> None:
        """Send the first frames after some seconds."""
        loop = asyncio.get_running_loop()
        self._due = loop.time() + after_s
        for _ in range(self._window):
            loop.call_at(self._due, self.send)

    def send(self) -> None:
        frame = next(self._frames, None)
        if self._tally.over or self.transport is None or frame is None:
            return
        self._sent_at.append(time.perf_counter())
        self.transport.write(frame)

    def data_received(self, data: bytes) -> None:
        # The only message that ingest sends here; on loopback none is cut between two reads.
        for _ in range(data.count(b"CN=9014")):
            self._tally.acknowledged += 1
            self._tally.latencies.append(time.perf_counter() - self._sent_at.popleft())
            if self._every_s:
                loop = asyncio.get_running_loop()
                self._due = max(self._due + self._every_s, loop.time())
                loop.call_at(self._due, self.send)
            else:
                self.send()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.transport = None
        self._tally.dropped += not self._tally.over


class _Tally:
    """What the stations count together."""

    def __init__(self) -> None:
        self.acknowledged = 0
        self.dropped = 0
        self.latencies: list[float] = []
        self.over = False


_READINGS = ";".join(f"{code}-Rtd=0.0{number},{code}-Flag=N" for number, code in enumerate(_CODES, start=10))


def _frames(number: int, count: int, begin_ms: int, every_ms: float) -> list[bytes]:
    """The frames of one station, each of its own time."""
    frames = []
    for index in range(count):
        milliseconds = begin_ms + round(index * every_ms)
        moment = datetime.fromtimestamp(milliseconds // 1000, UTC) + _ZONE
        at = f"{moment:%Y%m%d%H%M%S}{milliseconds % 1000:03d}"
        body = f"DataTime={at};{_READINGS}"
        frames.append(encode(f"QN={at};ST=31;CN=2011;PW=123456;MN={mn(number)};Flag=5;CP=&&{body}&&".encode()))
    return frames


async def _client(
    port: int, stations: int, seconds: float, every_s: float, window: int = 1, frames_per_s: float = 0.0
) -> dict[str, Any]:
    """Without a pace (`every_s` 0), `frames_per_s` is what is prepared for."""
    loop, tally = asyncio.get_running_loop(), _Tally()
    spacing_s = every_s or stations / frames_per_s
    begin_ms = time.time_ns() // 1_000_000
    all_of_them: list[_Station] = []
    for number in range(stations):
        frames = _frames(number, math.ceil(seconds / spacing_s) + window, begin_ms, spacing_s * 1000)
        _, station = await loop.create_connection(partial(_Station, frames, every_s, window, tally), "127.0.0.1", port)
        all_of_them.append(station)
    begun = time.perf_counter()
    for place, station in enumerate(all_of_them):
        station.begin(every_s * place / stations)
    await asyncio.sleep(seconds)
    tally.over = True
    took = time.perf_counter() - begun
    acknowledged = tally.acknowledged
    async with asyncio.timeout(10):
        while any(station.waits for station in all_of_them):  # noqa: ASYNC110  (one look in a while is cheapest)
            await asyncio.sleep(0.05)
    waited = sorted(tally.latencies)
    return {
        "connected": stations,
        "dropped": tally.dropped,
        "acknowledged": acknowledged,
        "unanswered": sum(station.waits for station in all_of_them),
        "seconds": round(took, 2),
        "window": window,
        "answer_p50_ms": round(waited[len(waited) // 2] * 1e3, 1),
        "answer_p99_ms": round(waited[len(waited) * 99 // 100] * 1e3, 1),
    }


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print(json.dumps(uvloop.run(_client(**json.load(sys.stdin)))))
