"""`POST /parks/{id}/observations` under load, beside a bare COPY of such rows into such a table.

Everything is on this machine: the client, ingest, alerts, PostgreSQL (fsync on) and Valkey. The rows are of now, so
they are evaluated, not set aside as history. The peer has the machine to itself: its rows are encoded beforehand, and
one connection copies them, as many a transaction as ingest puts into one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from functools import cache
from typing import Any

import numpy as np
import psycopg

from bench import service
from bench.benchmark import Measured
from bench.large_park import GASES, PARK, large_park
from services.ingest.writing.binary_copy import encode_observations
from services.ingest.writing.columns import Columns

STATIONS = 200
CONNECTIONS = 24
_PEER_ROWS = 20_000
_PEER_BATCHES = 100


def rows_per_s(budget_s: float) -> Measured:
    """Observations that were accepted a second."""
    found = _measure(budget_s)
    return Measured(round(found["rows_per_s"]), found)


def over_copy(budget_s: float) -> Measured:
    """The same over what COPY alone reaches in the same run."""
    found = _measure(budget_s)
    return Measured(round(found["rows_per_s"] / found["copy_rows_per_s"], 3), found)


@cache
def _measure(budget_s: float) -> dict[str, Any]:
    with service.running("services.ingest", "services.alerts") as system:
        with system.client("ingest") as ingest, system.client("alerts") as alerts:
            for client in (ingest, alerts):
                client.put(f"/parks/{PARK}/registry", json=large_park(STATIONS)).raise_for_status()
        found = load(system, connections=CONNECTIONS, seconds=budget_s)
        found["alerts_behind_s"] = until_evaluated(system, found["accepted"])
        found["copy_rows_per_s"] = _copy(system.database_url)
    return found


def load(system: service.System, **given: Any) -> dict[str, Any]:
    """Run the client in a process of its own, as it would be; what it counted. For `given` see `bench.http_client`."""
    client = [sys.executable, "-m", "bench.http_client"]
    data = json.dumps({"port": system.ports["ingest"], "token": system.token, "stations": STATIONS, **given})
    done = subprocess.run(client, input=data, capture_output=True, text=True, check=True)
    counted: dict[str, Any] = json.loads(done.stdout)
    return counted


def until_evaluated(system: service.System, rows: int) -> float:
    """Seconds after the last answer until alerts has evaluated all of it: a queue that grows would be no rate."""
    begun = time.monotonic()
    with system.client("alerts") as alerts:
        while time.monotonic() - begun < 60:
            if _evaluated(alerts.get("/metrics").text) >= rows:
                return round(time.monotonic() - begun, 2)
            time.sleep(0.05)
    raise RuntimeError("alerts had not evaluated everything a minute after the load")


def _evaluated(metrics: str) -> float:
    lines = (line for line in metrics.splitlines() if line.startswith("fenceline_alerts_readings_total{"))
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


def _copy(database_url: str) -> float:
    """Rows a second by COPY alone; encoding is not counted."""
    ids = np.tile(np.arange(1, STATIONS * len(GASES) + 1, dtype=np.int32), _PEER_ROWS // (STATIONS * len(GASES)))
    start = 1_700_000_000_000_000
    batches = []
    for number in range(_PEER_BATCHES):
        steps = np.arange(_PEER_ROWS) // (STATIONS * len(GASES)) + number * _PEER_ROWS // (STATIONS * len(GASES))
        rows = _rows(ids, start + steps.astype(np.int64) * 1_000_000)
        batches.append(encode_observations(rows.take(np.lexsort((rows.time, rows.datastream_id)))))
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE bench_copy (LIKE ingest.observation INCLUDING ALL)")
        connection.commit()
        begun = time.perf_counter()
        for batch in batches:
            with connection.cursor().copy("COPY bench_copy FROM STDIN (FORMAT binary)") as copy:
                copy.write(batch)
            connection.commit()
        return round(_PEER_ROWS * _PEER_BATCHES / (time.perf_counter() - begun))


def _rows(ids: np.ndarray[Any, np.dtype[np.int32]], times: np.ndarray[Any, np.dtype[np.int64]]) -> Columns:
    none = np.full(len(ids), np.nan)
    values = np.random.default_rng(1).uniform(0.01, 0.2, len(ids))
    quality = np.full(len(ids), ord("N"), np.uint8)
    return Columns(ids, times, values, quality, none, none, np.zeros(len(ids), np.int16))
