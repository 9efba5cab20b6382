"""Questions to ingest over HTTP with a hundred million observations stored: latest values, and a day by the minute.

One reading a minute of 1,000 datastreams, laid down in the order in which a park sends them: the readings of one day of
one datastream lie in as many places of the disk as there are. Both questions are put to the same store, filled once and
read through once: what is measured is not the disk, as long as memory holds some 10 GB beside.
"""

from __future__ import annotations

import atexit
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
import numpy as np
import psycopg

from bench import service
from bench.benchmark import Measured
from bench.large_park import PARK, large_park
from bench.timing import alternate, rounded
from services.ingest.writing.binary_copy import encode_observations
from services.ingest.writing.columns import Columns
from shared.time import EPOCH, iso

STATIONS = 100
ROWS = 100_000_000
MINUTES_A_BATCH = 500
BYTES_A_ROW = 150
"""Of disk, with its index and while that is built."""
SPARE_BYTES = 15e9
FILLING_S = 600.0
"""What is not stored by then is left out; the number of rows stands in the results."""
_KEY = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'observation_pkey'"
_MARK = """
    INSERT INTO stale_hour SELECT DISTINCT datastream_id, date_trunc('hour', time, 'UTC') FROM observation
    WHERE datastream_id = %s AND time < (SELECT rolled_before FROM roll_up_progress)
"""


@dataclass(frozen=True, slots=True)
class Store:
    """A running ingest and what it holds: a reading of each datastream at ``end`` and every minute before."""

    client: httpx.Client
    streams: list[int]
    rows: int
    end: datetime
    preparing_s: float

    @property
    def minutes(self) -> int:
        """Readings of each datastream."""
        return self.rows // len(self.streams)

    def ask(self, path: str, **parameters: Any) -> dict[str, Any]:
        """One question."""
        answer = self.client.get(f"/parks/{PARK}/{path}", params=parameters)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def about(self) -> dict[str, Any]:
        """For the results."""
        return {
            "rows": self.rows,
            "datastreams": len(self.streams),
            "days": round(self.minutes / 1440, 1),
            "preparing_s": round(self.preparing_s),
        }


def measure_latest(budget_s: float) -> Measured:
    """Milliseconds for the latest values of 1,000 datastreams, from the request leaving to its whole answer."""
    store = _store()

    def ask() -> None:
        items = store.ask("latest")["items"]
        if len(items) != len(store.streams):
            raise RuntimeError(f"{len(items)} latest values instead of {len(store.streams)}")

    timing = alternate({"latest": ask}, budget_s)["latest"]
    return Measured(rounded(timing.median_ms), timing.summary() | store.about())


def measure_day(budget_s: float) -> Measured:
    """Milliseconds for a day of one datastream by the minute; another datastream and day each time."""
    store = _store()
    chance = random.Random(1)

    def question(resolution: str, days: int, points: int, streams: list[int]) -> Callable[[], None]:
        def ask() -> None:
            end = store.end - timedelta(minutes=chance.randrange(store.minutes - 1440 * days))
            span = {"start": iso(end - timedelta(days=days)), "end": iso(end)}
            page = store.ask("observations", datastream_id=chance.choice(streams), resolution=resolution, **span)
            found = len(page["items"][0]["time"])
            if abs(found - points) > 1:
                raise RuntimeError(f"{found} points instead of {points}")

        return ask

    days = min(60, store.minutes // 1440 - 1)
    timings = alternate(
        {
            "minutes": question("minute", 1, 1440, store.streams),
            "readings": question("raw", 1, 1440, store.streams),
            "hours": question("hour", days, 24 * days, store.streams[:1]),
        },
        budget_s,
    )
    detail = timings["minutes"].summary() | store.about()
    detail |= {
        "day_as_stored_ms": rounded(timings["readings"].median_ms),
        f"{days}_days_hourly_ms": rounded(timings["hours"].median_ms),
    }
    return Measured(rounded(timings["minutes"].median_ms), detail)


@cache
def _store() -> Store:
    """Filled for the first that asks; it goes away with the process."""
    begun = time.monotonic()
    stack = ExitStack()
    system = stack.enter_context(service.running("services.ingest"))
    atexit.register(stack.close)  # later than the folder was made, and so before it is removed
    client = stack.enter_context(system.client("ingest"))
    client.put(f"/parks/{PARK}/registry", json=large_park(STATIONS)).raise_for_status()
    listed = client.get("/datastreams", params={"park_id": PARK})
    listed.raise_for_status()
    streams = sorted(item["id"] for item in listed.json()["items"])
    end = datetime.now(UTC).replace(second=0, microsecond=0)
    with psycopg.connect(system.database_url, options="-c search_path=ingest", autocommit=True) as connection:
        rows = _fill(connection, streams, end)
        connection.execute(_MARK, [streams[0]])
        _rolled_up(connection)
    system.restart("services.ingest")  # the newest of each datastream is read at the start, and kept from then on
    return Store(client, streams, rows, end, time.monotonic() - begun)


def _fill(connection: psycopg.Connection[Any], streams: list[int], end: datetime) -> int:
    """Store as many rows as fit, the key last, which is faster; how many there are."""
    room = int((shutil.disk_usage(tempfile.gettempdir()).free - SPARE_BYTES) / BYTES_A_ROW)
    minutes = max(2 * 1440, min(ROWS, room) // len(streams))
    limit = time.monotonic() + FILLING_S
    ((key,),) = connection.execute(_KEY).fetchall()
    for statement in (
        "ALTER TABLE observation DISABLE TRIGGER USER",
        "ALTER TABLE observation DROP CONSTRAINT observation_pkey",
    ):
        connection.execute(statement)
    done = 0
    # The latest first: what the time does not suffice for is the oldest.
    while done < minutes and time.monotonic() < limit:
        batch = min(MINUTES_A_BATCH, minutes - done)
        with connection.cursor().copy("COPY observation FROM STDIN (FORMAT binary)") as copy:
            copy.write(encode_observations(_rows(streams, end - timedelta(minutes=done + batch - 1), batch)))
        done += batch
        if done * len(streams) % 10_000_000 == 0:
            print(f"  {done * len(streams) // 1_000_000} million observations stored", flush=True)
    print("  their key is made", flush=True)
    for statement in (
        "SET maintenance_work_mem = '1GB'",
        f"ALTER TABLE observation ADD CONSTRAINT observation_pkey {key}",
        "ALTER TABLE observation ENABLE TRIGGER USER",
        "VACUUM (ANALYZE) observation",  # as autovacuum has long done when so many rows have come one by one
    ):
        connection.execute(statement.encode())
    connection.execute("SELECT sum(value) FROM observation")  # into the system's cache, as far as it holds it
    return done * len(streams)


def _rows(streams: list[int], start: datetime, minutes: int) -> Columns:
    """A reading of every datastream at each of some minutes, minute by minute."""
    count = minutes * len(streams)
    first = (start - EPOCH) // timedelta(microseconds=1)
    absent = np.full(count, np.nan)
    return Columns(
        np.tile(np.array(streams, np.int32), minutes),
        first + 60_000_000 * np.repeat(np.arange(minutes, dtype=np.int64), len(streams)),
        np.random.default_rng(minutes).lognormal(-3.0, 1.0, count),
        np.full(count, ord("N"), np.uint8),
        absent,
        absent,
        np.zeros(count, np.int16),
    )


def _rolled_up(connection: psycopg.Connection[Any]) -> None:
    """Wait until ingest has rolled up what is marked."""
    limit = time.monotonic() + 120.0
    while connection.execute("SELECT FROM stale_hour LIMIT 1").fetchone():
        if time.monotonic() > limit:
            raise RuntimeError("ingest did not roll up the marked hours within 120 s")
        time.sleep(0.5)
