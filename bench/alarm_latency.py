"""From the last byte of an HJ 212 frame on the socket to the alarm on a gateway client's event stream, under load.

Everything is on this machine: the load (20,000 observations a second, as frames of ten factors), ingest, alerts,
gateway, PostgreSQL (fsync on) and Valkey. Stations of a second park send readings that raise an alarm and let it
return, by turns, under a rule without delays: what is timed is the way of the data, not the rule's patience.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import uvloop

from bench import service
from bench.benchmark import Measured
from bench.large_park import large_park, mn
from shared.hj212.frame import encode

LOAD_STATIONS = 200
OBSERVATIONS_PER_S = 20_000
_FACTORS = 10
_PROBES = "probe-park"
_FIRST = 90_000
_STATIONS = 10
_EVERY_S = 0.5
_WARM_UP_S = 8.0
_ZONE = timedelta(hours=8)
_RULE = {
    "property": "chlorine",
    "levels": [{"colour": "red", "threshold": 5.0, "source": "a benchmark"}],
    "on_delay_s": 0,
    "off_delay_s": 0,
}


def p50_ms(budget_s: float) -> Measured:
    """The median."""
    found = _measure(budget_s)
    return Measured(found["p50_ms"], found)


def p99_ms(budget_s: float) -> Measured:
    """What one in a hundred exceeds."""
    found = _measure(budget_s)
    return Measured(found["p99_ms"], found)


@cache
def _measure(budget_s: float) -> dict[str, Any]:
    from bench import hj212

    modules = ("services.ingest", "services.alerts", "services.gateway")
    with service.running(*modules, settings={"FENCELINE_LOG_LEVEL": "error"}, until="live") as system:
        for file in (
            large_park(LOAD_STATIONS),
            large_park(_STATIONS, park_id=_PROBES, first=_FIRST, rules=[_RULE]),
        ):
            for name in ("ingest", "alerts"):
                with system.client(name) as client:
                    client.put(f"/parks/{file['park']['id']}/registry", json=file).raise_for_status()
        hj212.until_registered(system, LOAD_STATIONS + _STATIONS)
        orders = {
            "hj212_port": system.hj212_port,
            "gateway_port": system.ports["gateway"],
            "key": _key(system),
            "seconds": budget_s,
        }
        prober = subprocess.Popen(
            [sys.executable, "-m", "bench.alarm_latency"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert prober.stdin is not None
        prober.stdin.write(json.dumps(orders))
        prober.stdin.close()
        every_s = LOAD_STATIONS * _FACTORS / OBSERVATIONS_PER_S
        load = hj212.load(
            system, stations=LOAD_STATIONS, seconds=budget_s + _WARM_UP_S, every_s=every_s, window=hj212.WINDOW
        )
        assert prober.stdout is not None
        found: dict[str, Any] = json.loads(prober.stdout.read())
        prober.wait()
    reached = load["acknowledged"] * _FACTORS / load["seconds"]
    if reached < 0.95 * OBSERVATIONS_PER_S:
        raise RuntimeError(f"only {reached:.0f} observations a second were taken in, of {OBSERVATIONS_PER_S}")
    return found | {"observations_per_s": round(reached)}


def _key(system: service.System) -> str:
    made = subprocess.run(
        [sys.executable, "-m", "services.gateway.admin", "create-key", "--name", "bench", "--park", _PROBES],
        env=os.environ | {"FENCELINE_DATABASE_URL": system.database_url},
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"fl_\S+", made.stdout)
    assert found is not None, made.stdout
    return found.group()


# --- the prober: the device and the gateway's client in one process, so that one clock times both ------------------


async def _probe(hj212_port: int, gateway_port: int, key: str, seconds: float) -> dict[str, Any]:
    sent: dict[tuple[str, str], float] = {}
    waited: list[float] = []
    listening = asyncio.Event()
    listener = asyncio.create_task(_listen(gateway_port, key, sent, waited, listening))
    await listening.wait()
    await asyncio.sleep(_WARM_UP_S)
    begun = time.perf_counter()
    await asyncio.gather(*(_station(number, hj212_port, seconds, sent) for number in range(_STATIONS)))
    await asyncio.sleep(2.0)
    listener.cancel()
    if len(waited) < 0.99 * len(sent):
        raise RuntimeError(f"{len(sent)} transitions were provoked and {len(waited)} events came")
    return {
        "p50_ms": round(float(np.percentile(waited, 50)) * 1e3, 1),
        "p99_ms": round(float(np.percentile(waited, 99)) * 1e3, 1),
        "most_ms": round(max(waited) * 1e3, 1),
        "events": len(waited),
        "seconds": round(time.perf_counter() - begun, 1),
    }


async def _station(number: int, port: int, seconds: float, sent: dict[tuple[str, str], float]) -> None:
    """One device: high and low readings of chlorine by turns; where the answers go does not matter."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.sleep(_EVERY_S * number / _STATIONS)
    end = time.perf_counter() + seconds
    value = 9.0
    while time.perf_counter() < end:
        milliseconds = time.time_ns() // 1_000_000
        moment = datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)
        local = moment + _ZONE
        at = f"{local:%Y%m%d%H%M%S}{milliseconds % 1000:03d}"
        body = f"DataTime={at};a21022-Rtd={value},a21022-Flag=N"
        segment = f"QN={at};ST=31;CN=2011;PW=123456;MN={mn(_FIRST + number)};Flag=5;CP=&&{body}&&"
        writer.write(encode(segment.encode()))
        sent[f"{_PROBES}.s{_FIRST + number}", _told(moment)] = time.perf_counter()
        value = 9.0 if value < 1 else 0.1
        await reader.read(65536)
        await asyncio.sleep(_EVERY_S)
    writer.close()


def _told(moment: datetime) -> str:
    """A time as events tell it."""
    return moment.isoformat().replace("+00:00", "Z")


async def _listen(
    port: int, key: str, sent: dict[tuple[str, str], float], waited: list[float], listening: asyncio.Event
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"GET /api/v1/events?kind=alarm HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {key}\r\n\r\n"
    writer.write(head.encode())
    status = await reader.readline()
    if b" 200 " not in status:
        raise RuntimeError(f"the gateway answered {status!r}")
    listening.set()
    while line := await reader.readline():
        now = time.perf_counter()
        if line.startswith(b"data: "):
            event = json.loads(line[6:])
            begun = sent.get((event["station_id"], event["event_time"]))
            if begun is not None and event["transition"] in ("raised", "returned"):
                waited.append(now - begun)


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_probe(**json.load(sys.stdin)))))
