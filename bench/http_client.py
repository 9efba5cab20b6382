"""A client of `POST /parks/{id}/observations` with as little work a request as can be: what is measured is the server.

Runs as a process: reads its orders as JSON from standard input, writes what it counted to standard output.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any

import numpy as np
import uvloop

from bench.large_park import GASES, PARK, code
from shared.identity import Call, IdentitySigner, ServiceIdentity
from shared.time import utc_now

BATCH = 1_000
_BENCH = ServiceIdentity("bench", "ingest", None)
_POST = Call("POST", f"/parks/{PARK}/observations".encode(), b"")


async def run(
    port: int, token: str, stations: int, connections: int, seconds: float, rows_per_s: float | None = None
) -> dict[str, Any]:
    """Send batches for some seconds over some connections: as fast as they are answered, or at a rate.

    A sender that falls behind its rate sends on at once, but does not make up for what it has missed. A batch that was
    refused for a while (429, 503) is sent again after the time that the answer names.
    """
    pages, signer = _pages(stations), IdentitySigner(token)
    clock = _Clock()
    waited: list[float] = []
    counted: Counter[str] = Counter()
    end = time.perf_counter() + seconds
    every_s = 0.0 if rows_per_s is None else connections * BATCH / rows_per_s

    async def send(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        turn = number
        await asyncio.sleep(every_s * number / connections)
        while time.perf_counter() < end:
            begun = time.perf_counter()
            body = pages[turn % len(pages)].replace(b"@", clock.next())
            turn += 1
            while True:
                writer.write(_head(len(body), signer) + body)
                status, answer, retry_s = await _answer(reader)
                counted[str(status)] += 1
                if status == 200:
                    counted["accepted"] += int(answer[: answer.index(b",")].split(b":")[1])
                    waited.append(time.perf_counter() - begun)
                    break
                await asyncio.sleep(retry_s)
            await asyncio.sleep(max(0.0, begun + every_s - time.perf_counter()))
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*map(send, range(connections)))
    took = time.perf_counter() - begun
    return {
        "rows_per_s": round(counted["accepted"] / took),
        "seconds": round(took, 2),
        "accepted": counted.pop("accepted"),
        "answers": dict(counted),
        "connections": connections,
        "batch": BATCH,
        "answer_p50_ms": round(float(np.percentile(waited, 50)) * 1e3, 1),
        "answer_p99_ms": round(float(np.percentile(waited, 99)) * 1e3, 1),
    }


def _head(length: int, signer: IdentitySigner) -> bytes:
    note = signer.write(_BENCH, _POST, utc_now())
    return (
        f"POST /parks/{PARK}/observations HTTP/1.1\r\nHost: ingest\r\nAuthorization: {note}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes, float]:
    """Status, body, and after how many seconds to come again."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    lines = head.split(b"\r\n")
    fields = dict(line.split(b":", 1) for line in lines[1:] if line)
    body = await reader.readexactly(int(fields[b"content-length"]))
    return int(lines[0].split()[1]), body, float(fields.get(b"retry-after", b"1"))


class _Clock:
    """Times of now, each given once."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> bytes:
        self._last = max(self._last + 1, time.time_ns() // 1_000)
        moment = time.gmtime(self._last // 1_000_000)
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', moment)}.{self._last % 1_000_000:06d}+00:00".encode()


def _pages(stations: int) -> list[bytes]:
    """Bodies of one batch each, which together name every datastream; `@` stands for the time."""
    source = np.random.default_rng(2)
    rows = [
        f'{{"station":"{code(number)}","property":"{gas}","time":"@","value":{source.uniform(0.01, 0.2):.4f}}}'
        for number in range(stations)
        for gas in GASES
    ]
    parts = (rows[start : start + BATCH] for start in range(0, len(rows), BATCH))
    return [f'{{"observations":[{",".join(part)}]}}'.encode() for part in parts]


if __name__ == "__main__":
    print(json.dumps(uvloop.run(run(**json.load(sys.stdin)))))
