"""Twice the load that ingest can carry, for minutes: its memory stays flat, and what it acknowledged is stored.

First the load that is carried is measured; then twice as many rows a second are offered over many connections. Senders
are slowed: by answers that take their time, and by 503 with the time to come again.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Self

import psutil
import psycopg

from bench import service
from bench.benchmark import Measured
from bench.ingest_http import CONNECTIONS, STATIONS, load
from bench.large_park import PARK, large_park

_MANY = 200
_CARRIED_S = 10.0
_EVERY_S = 1.0


def growth_mb(budget_s: float) -> Measured:
    """By how much ingest's memory at the end is above what it was after the first quarter of the time."""
    with service.running("services.ingest", "services.alerts") as system:
        for name in ("ingest", "alerts"):
            with system.client(name) as client:
                client.put(f"/parks/{PARK}/registry", json=large_park(STATIONS)).raise_for_status()
        carried = load(system, connections=CONNECTIONS, seconds=_CARRIED_S)
        with _Memory(system.processes["services.ingest"]) as memory:
            offered = 2 * carried["rows_per_s"]
            found = load(system, connections=_MANY, seconds=budget_s, rows_per_s=offered)
        stored = _stored(system.database_url)
    acknowledged = carried["accepted"] + found["accepted"]
    if stored < acknowledged:
        raise RuntimeError(f"{acknowledged} rows were acknowledged and {stored} are stored")
    early, late = memory.quarters()
    detail: dict[str, Any] = found | {
        "carried_rows_per_s": carried["rows_per_s"],
        "offered_rows_per_s": offered,
        "acknowledged": acknowledged,
        "stored": stored,
        "rss_early_mb": early,
        "rss_late_mb": late,
    }
    return Measured(late - early, detail)


def _stored(database_url: str) -> int:
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT count(*) FROM ingest.observation").fetchone()
    assert row is not None
    return int(row[0])


class _Memory:
    """Samples the resident memory of a process [MB] for as long as the block lasts."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._samples: list[int] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def quarters(self) -> tuple[int, int]:
        """The most in the first quarter of the time, and in the last."""
        quarter = max(1, len(self._samples) // 4)
        return max(self._samples[:quarter]), max(self._samples[-quarter:])

    def _sample(self) -> None:
        while not self._over.is_set():
            self._samples.append(round(self._process.memory_info().rss / 1e6))
            time.sleep(_EVERY_S)
