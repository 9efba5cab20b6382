import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import REGISTRY

from shared.hj212 import commands
from shared.hj212.codes import DATA_COMMANDS, wants_answer
from shared.hj212.crc import CrcMode
from shared.hj212.frame import encode
from shared.hj212.readings import Reading, readings
from shared.hj212.segment import Segment, parse
from shared.vocabulary import observed_properties
from tests.ingest.parks import park, station
from tests.ingest.running import Running, StationClient, until
from tests.shared.hj212 import vectors

SHANGHAI = ZoneInfo("Asia/Shanghai")
DEVICE = {"mn": "A1", "pw": "123456", "st": "27"}


def local(seconds_ago: float = 0) -> datetime:
    return (datetime.now(SHANGHAI) - timedelta(seconds=seconds_ago)).replace(tzinfo=None, microsecond=0)


def data(value: float, seconds_ago: float = 0, qn: str = "20260301120000000", **device: str) -> Segment:
    reading = Reading("a21022", "Rtd", value, "N")
    return commands.realtime(**{**DEVICE, **device}, qn=qn, time=local(seconds_ago), readings=[reading])


async def test_a_reading_is_stored_before_it_is_acknowledged(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    async with ingest.station() as client:
        await client.send(data(1.5))
        answer = await client.answer()
        assert await ingest.rows("SELECT value, quality FROM observation") == [(1.5, "N")]
    assert (answer.cn, answer.qn, answer.st, answer.mn, answer.flag) == ("9014", "20260301120000000", "91", "A1", 4)
    (device,) = (await ingest.get("/parks/test-park/devices"))["items"]
    assert (device["frames"], device["accepted"], device["crc_errors"]) == (1, 1, 0)
    assert device["last_seen"] is not None


async def test_a_reading_that_is_sent_again_is_stored_once_and_acknowledged_twice(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    message = data(1.5)
    async with ingest.station() as client:
        for _ in range(2):
            await client.send(message)
            assert (await client.answer()).cn == "9014"
    assert await ingest.rows("SELECT count(*) FROM observation") == [(1,)]
    assert await ingest.rows("SELECT count(*) FROM raw_frame") == [(2,)]
    assert await ingest.rows("SELECT count(*) FROM conflict") == [(0,)]


async def test_a_contradicting_reading_is_journalled(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    at = local(60)
    async with ingest.station() as client:
        for value in (1.5, 2.5):
            reading = Reading("a21022", "Rtd", value, "N")
            await client.send(commands.realtime(**DEVICE, qn="1", time=at, readings=[reading]))
            assert (await client.answer()).cn == "9014"
    assert await ingest.rows("SELECT value FROM observation") == [(1.5,)]
    assert await ingest.rows("SELECT stored_value, value, source FROM conflict") == [(1.5, 2.5, "hj212:A1")]


async def test_clocks_and_heartbeats(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    async with ingest.station() as client:
        await client.send(commands.time_request(**DEVICE, qn="1"))
        assert (await client.answer()).cn == "9013"
        clock = await client.answer()
        told = commands.parse_time(clock.value("SystemTime"))
        assert clock.cn == "1012"
        assert told is not None
        assert abs(told - local()) < timedelta(seconds=5)
        await client.send(commands.heartbeat(**DEVICE, qn="2"))
        assert (await client.answer()).cn == "9013"
        await client.send(commands.startup(**DEVICE, qn="3", time=local(), restarted=local(60)))
        assert (await client.answer()).cn == "9014"


async def test_an_unknown_device_is_quarantined(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    async with ingest.station() as client:
        await client.send(data(1.0, mn="stranger"))
        await client.send(data(1.0))
        assert (await client.answer()).mn == "A1"
    (unknown,) = (await ingest.get("/devices/unknown"))["items"]
    assert (unknown["mn"], unknown["frames"], unknown["remote"]) == ("stranger", 1, "127.0.0.1")
    assert await ingest.rows("SELECT verdict FROM raw_frame ORDER BY verdict") == [("accepted",), ("unknown_mn",)]
    await ingest.put_park(park(station("s1", "A1"), station("s2", "stranger")))
    assert (await ingest.get("/devices/unknown"))["items"] == []


async def test_a_wrong_password_is_refused_and_counted(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1", device={"password": "654321"})))
    async with ingest.station() as client:
        await client.send(data(1.0))
        await client.send(data(2.0, 5, pw="654321"))
        await client.answer()
    assert await ingest.rows("SELECT value FROM observation") == [(2.0,)]
    (device,) = (await ingest.get("/parks/test-park/devices"))["items"]
    assert (device["frames"], device["accepted"], device["refused"]) == (2, 1, 1)


def field_park(packets: list[vectors.Packet]) -> dict[str, Any]:
    """A park with a station for every device of the packets, one datastream for each factor that we can name."""
    factors: dict[str, list[str]] = {}
    for packet in packets:
        segment = parse(packet.frame[6:-4])
        found = factors.setdefault(segment.mn or "", [])
        for reading in readings(segment):
            if reading.factor not in found:
                found.append(reading.factor)
    names = list(observed_properties())
    cadences = ["realtime", "minute", "hour", "day"]
    return park(
        *(
            station(
                f"s{number}",
                mn,
                datastreams=[
                    {"property": name, "factor": factor, "cadences": cadences}
                    for name, factor in zip(names, own or ["a21022"], strict=False)
                ],
            )
            for number, (mn, own) in enumerate(factors.items())
        )
    )


def take_old_data(ingest: Running) -> None:
    """The packets are from years ago, and the standard's own examples too."""
    server = ingest.state.server
    server.limits = replace(server.limits, late=timedelta(days=36_500))


def counted(verdict: str) -> float:
    return REGISTRY.get_sample_value("fenceline_ingest_frames_total", {"verdict": verdict}) or 0.0


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_packets_of_the_field_in_one_stream_cut_at_random(ingest: Running, seed: int) -> None:
    take_old_data(ingest)
    source = random.Random(seed)
    packets = vectors.read("hj212_field_packets.tsv")
    await ingest.put_park(field_park(packets))
    before = Counter({verdict: counted(verdict) for verdict in ("accepted", "bad_crc")})
    order = source.sample(packets, len(packets))
    stream = b"".join(packet.frame + b"\r\n" for packet in order)
    valid = [parse(packet.frame[6:-4]) for packet in order if packet.valid]
    asking = [segment.qn for segment in valid if wants_answer(segment.flag)]
    async with ingest.station() as client:
        while stream:
            cut = source.randint(1, 400)
            await client.send(stream[:cut])
            stream = stream[cut:]
            await asyncio.sleep(0)
        answers = [await client.answer() for _ in asking]
        await client.send(data(1.0, mn="none"))  # the end of the stream is stored with or before this one
        await until(lambda: _has(ingest, "SELECT FROM unknown_device"))
        with pytest.raises(TimeoutError):
            await client.answer(0.2)
    assert [answer.cn for answer in answers] == ["9014"] * len(asking)
    assert [answer.qn for answer in answers] == asking

    kept = await ingest.rows("SELECT verdict, frame FROM raw_frame WHERE verdict <> 'unknown_mn'")
    assert Counter((verdict, bytes(frame)) for verdict, frame in kept) == Counter(
        ("accepted" if packet.valid else "bad_crc", packet.frame) for packet in packets
    )
    expected = {
        (segment.mn, reading.factor, reading.value)
        for segment in valid
        if segment.cn in DATA_COMMANDS
        for reading in readings(segment)
    }
    stored = await ingest.rows(
        """
        SELECT d.mn, s.factor, o.value FROM observation o JOIN datastream s ON s.id = o.datastream_id
        JOIN device d ON d.station_id = s.station_id
        """
    )
    named = {
        tuple(entry)
        for entry in await ingest.rows(
            "SELECT d.mn, s.factor FROM datastream s JOIN device d ON d.station_id = s.station_id"
        )
    }
    assert set(stored) == {entry for entry in expected if entry[:2] in named}
    assert len(named) > 70
    broken = sum(not packet.valid for packet in packets)
    assert counted("bad_crc") - before["bad_crc"] == broken
    assert counted("accepted") - before["accepted"] == len(valid)
    devices = (await ingest.get("/parks/test-park/devices"))["items"]
    assert sum(device["crc_errors"] for device in devices) == broken
    assert sum(device["accepted"] for device in devices) == len(valid)


async def _has(ingest: Running, query: str) -> bool:
    return bool(await ingest.rows(query))


async def test_a_device_with_its_own_checksum_is_accepted_once_the_registry_says_so(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1", device={"crc_mode": "modbus_swapped"})))
    async with ingest.station(CrcMode.MODBUS_SWAPPED) as client:
        await client.send(data(1.0), CrcMode.MODBUS_SWAPPED)
        assert (await client.answer()).cn == "9014"


async def test_many_stations_at_once(ingest: Running) -> None:
    names = [f"M{number}" for number in range(40)]
    await ingest.put_park(park(*(station(f"s{name.lower()}", name) for name in names)))

    async def play(name: str) -> None:
        async with ingest.station() as client:
            for step in range(10):
                await client.send(data(float(step), 100 - step, mn=name, qn=f"{step}"))
                answer = await client.answer()
                assert (answer.cn, answer.mn, answer.qn) == ("9014", name, f"{step}")

    await asyncio.gather(*map(play, names))
    assert await ingest.rows("SELECT count(*) FROM observation") == [(400,)]
    batches = REGISTRY.get_sample_value("fenceline_ingest_batch_rows_count")
    rows = REGISTRY.get_sample_value("fenceline_ingest_batch_rows_sum")
    assert batches is not None
    assert rows is not None
    assert REGISTRY.get_sample_value("fenceline_ingest_queue_rows") == 0


async def shout(client: StationClient) -> None:
    for _ in range(1000):
        await client.send(b"#" * 10_000)
        await asyncio.sleep(0)
    await client.answer()


async def test_endless_junk_ends_the_connection_and_hurts_nobody(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    async with ingest.station() as hostile, ingest.station() as client:
        with pytest.raises((EOFError, OSError)):
            await shout(hostile)
        await client.send(data(1.0))
        assert (await client.answer()).cn == "9014"
    ((count,),) = await ingest.rows("SELECT count(*) FROM raw_frame WHERE verdict = 'junk'")
    assert 100 <= count <= 200


async def test_silence_and_half_frames_end_a_connection(start_ingest: Any, database_url: str) -> None:
    settings = {"ingest_idle_timeout_s": 0.5, "ingest_half_frame_timeout_s": 0.2}
    async with start_ingest(database_url, **settings) as ingest:
        await ingest.ready()
        await ingest.put_park(park(station("s1", "A1")))
        async with ingest.station() as silent, ingest.station() as half:
            await half.send(encode(data(1.0).encode())[:40])
            for client in (silent, half):
                with pytest.raises(EOFError):
                    await client.answer(5)
    assert await ingest.rows("SELECT verdict FROM raw_frame") == [("truncated",)]


async def test_limits_of_connections(start_ingest: Any, database_url: str) -> None:
    async with start_ingest(database_url, ingest_max_connections_per_address=2) as ingest:
        await ingest.ready()
        await ingest.put_park(park(station("s1", "A1")))
        async with ingest.station() as first, ingest.station() as second:
            for client in (first, second):
                await client.send(data(1.0))
                await client.answer()
            async with ingest.station() as third:
                with pytest.raises((EOFError, OSError)):
                    await third.answer(5)
            await first.send(data(1.0))
            assert (await first.answer()).cn == "9014"


async def test_answers_bear_the_platforms_time_even_for_old_data(ingest: Running) -> None:
    take_old_data(ingest)
    await ingest.put_park(park(station("s1", "A1")))
    async with ingest.station() as client:
        old = commands.minute(
            **DEVICE,
            qn="7",
            time=datetime(2016, 8, 1, 8, 40),  # noqa: DTZ001  (local by definition)
            readings=[Reading("a21022", "Avg", 1.0, "N", 0.5, 2.0)],
        )
        await client.send(old)
        assert (await client.answer()).cn == "9014"
    assert await ingest.rows("SELECT time, value, minimum, maximum FROM observation") == [
        (datetime(2016, 8, 1, 0, 40, tzinfo=UTC), 1.0, 0.5, 2.0)
    ]
