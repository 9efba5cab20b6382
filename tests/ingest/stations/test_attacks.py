"""What a hostile or broken station may try. Each must end or be slowed, and others must not feel it."""

import asyncio
import socket
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.ingest.stations.limits import PIECE_BYTES, Allowance
from shared.hj212.frame import encode
from tests.ingest.parks import park, station
from tests.ingest.running import Running, StationClient, until
from tests.ingest.stations.test_server import data

PATIENT = 8.0


async def hears_an_end(client: StationClient) -> float:
    """Seconds until the platform hangs up."""
    begun = time.monotonic()
    with pytest.raises((EOFError, OSError)):
        await client.answer(PATIENT)
    return time.monotonic() - begun


async def serves(ingest: Running) -> None:
    """Another station is served all the while."""
    async with ingest.station() as client:
        await client.send(data(1.0))
        assert (await client.answer()).cn == "9014"


def closed(why: str) -> float:
    return REGISTRY.get_sample_value("fenceline_ingest_connections_closed_total", {"why": why}) or 0.0


async def test_a_byte_at_a_time_is_read_when_it_comes_in_time(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    async with ingest.station() as client:
        for byte in encode(data(1.0).encode()):
            await client.send(bytes((byte,)))
            await asyncio.sleep(0)
        assert (await client.answer()).cn == "9014"


async def test_a_frame_that_trickles_and_junk_that_trickles_end(start_ingest: Any, database_url: str) -> None:
    settings = {"ingest_half_frame_timeout_s": 0.4, "ingest_idle_timeout_s": 0.8}
    async with start_ingest(database_url, **settings) as ingest:
        await ingest.ready()
        await ingest.put_park(park(station("s1", "A1")))
        half, idle = closed("half frame"), closed("idle")

        async def trickle(client: StationClient, data: bytes) -> None:
            for byte in data * 1000:
                await client.send(bytes((byte,)))
                await asyncio.sleep(0.05)

        async with ingest.station() as slow, ingest.station() as junk:
            await slow.send(b"##0900QN=1;")
            trickles = [asyncio.create_task(trickle(slow, b"x")), asyncio.create_task(trickle(junk, b"y\n"))]
            took = await asyncio.gather(hears_an_end(slow), hears_an_end(junk))
            for task in trickles:
                task.cancel()
            await asyncio.gather(*trickles, return_exceptions=True)
            assert max(took) < PATIENT
        assert (closed("half frame") - half, closed("idle") - idle) == (1, 1)
        await serves(ingest)


async def test_a_million_hashes_hurt_nobody(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    async with ingest.station() as hostile:
        begun = time.monotonic()
        with suppress(OSError):
            for _ in range(100):
                await hostile.send(b"#" * 10_000)
                await asyncio.sleep(0)
        await hears_an_end(hostile)
        await serves(ingest)
        assert time.monotonic() - begun < 30


async def test_who_takes_no_answers_is_closed(start_ingest: Any, database_url: str) -> None:
    async with start_ingest(database_url, ingest_send_timeout_s=0.4) as ingest:
        await ingest.ready()
        await ingest.put_park(park(station("s1", "A1", device={"acknowledge": "always"})))
        before = closed("takes no answers")
        async with ingest.station() as deaf:
            deaf.writer.transport.pause_reading()
            deaf.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            heartbeat = encode(b"QN=20260301120000000;ST=22;CN=9015;PW=1;MN=A1;Flag=9;CP=&&&&")

            async def shout() -> None:
                while True:
                    await deaf.send(heartbeat * 200)

            shouting = asyncio.create_task(shout())
            await until(lambda: _is(closed("takes no answers") > before), 60)
            shouting.cancel()
            await asyncio.gather(shouting, return_exceptions=True)
        await serves(ingest)


async def test_who_sends_more_than_its_share_is_slowed_and_loses_nothing(start_ingest: Any, database_url: str) -> None:
    frames = [encode(data(float(number), 500 - number).encode()) for number in range(400)]
    size = len(b"".join(frames))
    settings = {"ingest_bytes_per_s": size / 2.0, "ingest_burst_bytes": PIECE_BYTES}
    async with start_ingest(database_url, **settings) as ingest:
        await ingest.ready()
        await ingest.put_park(park(station("s1", "A1")))
        begun = time.monotonic()
        async with ingest.station() as client:
            await client.send(b"".join(frames))
            for _ in frames:
                assert (await client.answer(30)).cn == "9014"
        # What may come at once, and one piece more than is due, come without waiting.
        assert time.monotonic() - begun > (size - 2 * PIECE_BYTES) / (size / 2.0) - 0.1
        assert await ingest.rows("SELECT count(*) FROM observation") == [(400,)]


async def test_all_that_was_sent_before_the_end_is_answered(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    async with ingest.station() as client:
        await client.send(b"".join(encode(data(1.0, number).encode()) for number in range(300)))
        client.writer.write_eof()
        for _ in range(300):
            assert (await client.answer()).cn == "9014"
        with pytest.raises(EOFError):
            await client.answer()


async def test_connections_in_all_are_limited(start_ingest: Any, database_url: str) -> None:
    async with start_ingest(database_url, ingest_max_connections=1) as ingest:
        await ingest.ready()
        await ingest.put_park(park(station("s1", "A1")))
        async with ingest.station() as first:
            await first.send(data(1.0))
            await first.answer()
            async with ingest.station() as second:
                await hears_an_end(second)
        await ingest.gone("A1")
        await serves(ingest)


async def test_half_frames_of_many_are_forgotten_with_their_connections(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    for _ in range(50):
        async with ingest.station() as client:
            await client.send(encode(data(1.0).encode())[:50])
    await serves(ingest)
    await until(lambda: _is(REGISTRY.get_sample_value("fenceline_ingest_connections") == 0))
    await until(lambda: _truncated(ingest, 50))


async def _truncated(ingest: Running, count: int) -> bool:
    return await ingest.rows("SELECT count(*) FROM raw_frame WHERE verdict = 'truncated'") == [(count,)]


async def _is(condition: bool) -> bool:
    return condition


@pytest.mark.parametrize(("rate", "burst"), [(100.0, 1000), (1000.0, 10)])
def test_an_allowance_fills_by_the_second_up_to_its_burst(rate: float, burst: int) -> None:
    allowance = Allowance(rate, burst, 0.0)
    assert allowance.spend(burst, 0.0) == 0.0
    pause = allowance.spend(50, 0.0)
    assert pause == pytest.approx(50 / rate)
    assert allowance.spend(0, pause) == pytest.approx(0.0, abs=1e-9)
    full = timedelta(hours=1).total_seconds()
    assert allowance.spend(burst, full) == 0.0
    assert allowance.spend(1, full) > 0.0
