"""What was refused is kept, and read again once it can be understood."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.ingest.archive.frames import ArchivedFrame
from services.ingest.archive.replaying import read_again
from services.ingest.stations.verdicts import Verdict
from services.ingest.writing.batch import RawFrame, Submission
from shared.hj212 import commands
from shared.hj212.crc import CrcMode
from shared.hj212.frame import encode
from shared.hj212.readings import Reading
from tests.ingest.devices import device
from tests.ingest.parks import park, station
from tests.ingest.running import Running, until
from tests.ingest.stations.test_server import data

PARK = "/parks/test-park"
CHLORINE = {"property": "chlorine"}


async def send(ingest: Running, *frames: bytes) -> None:
    """Send frames and wait until they are archived."""
    (before,) = await ingest.rows("SELECT count(*) FROM raw_frame")
    async with ingest.station() as client:
        for frame in frames:
            await client.send(frame)

        async def archived() -> bool:
            (now,) = await ingest.rows("SELECT count(*) FROM raw_frame")
            return bool(now[0] == before[0] + len(frames))

        await until(archived)


def sent(value: float, seconds_ago: float, mode: CrcMode = CrcMode.HJ212, **device: str) -> bytes:
    return encode(data(value, seconds_ago, **device).encode(), mode)


async def replayed(ingest: Running) -> list[dict[str, Any]]:
    """All replays of the park, once they are finished; the oldest first."""

    async def finished() -> bool:
        items = (await ingest.get(f"{PARK}/replays"))["items"]
        return bool(items) and all(entry["finished_at"] for entry in items)

    await until(finished)
    return list(reversed((await ingest.get(f"{PARK}/replays"))["items"]))


async def ask(ingest: Running, mn: str = "A1", **wanted: Any) -> dict[str, Any]:
    answer = await ingest.http.post(f"{PARK}/devices/{mn}/replays", json=wanted)
    assert answer.status_code == 202, answer.text
    return (await replayed(ingest))[-1]


async def values(ingest: Running) -> list[float | None]:
    return [value for (value,) in await ingest.rows("SELECT value FROM observation ORDER BY value")]


async def test_what_an_unknown_device_sent_is_stored_once_it_is_registered(ingest: Running) -> None:
    await send(ingest, *(sent(float(step), step, mn="stranger") for step in range(1, 4)))
    assert await values(ingest) == []
    await ingest.put_park(park(station("s1", "stranger")))
    (replay,) = await replayed(ingest)
    assert await values(ingest) == [1.0, 2.0, 3.0]
    assert (replay["state"], replay["mn"], replay["requested_by"]) == ("succeeded", "stranger", "registration")
    assert (replay["frames"], replay["read_frames"], replay["accepted"]) == (3, 3, 3)
    assert (await ingest.get("/devices/unknown"))["items"] == []


async def test_a_replay_is_announced_like_any_reading(ingest: Running) -> None:
    await send(ingest, sent(1.0, 5, mn="stranger"))
    await ingest.put_park(park(station("s1", "stranger")))
    await replayed(ingest)
    assert await ingest.rows("SELECT count(*) FROM outbox WHERE starts_with(stream, 'observations.')") == [(1,)]


async def test_a_replica_that_heard_of_the_registration_late_loses_nothing(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    frame = RawFrame(datetime.now(UTC), "A1", False, "elsewhere", Verdict.UNKNOWN_MN, None, sent(7.0, 5))
    await ingest.state.writer.submit(Submission("hj212:A1", frames=[frame]))
    await replayed(ingest)
    assert await values(ingest) == [7.0]
    assert (await ingest.get("/devices/unknown"))["items"] == []


async def test_a_device_that_the_list_of_unknown_ones_has_no_room_for_is_read_again_too(ingest: Running) -> None:
    await ingest.rows(
        "INSERT INTO unknown_device SELECT 'made-up-' || n, 1, '', now(), now() FROM generate_series(1, 10000) n"
        " RETURNING 1"
    )
    await send(ingest, sent(1.0, 5, mn="stranger"))
    assert await ingest.rows("SELECT 1 FROM unknown_device WHERE mn = 'stranger'") == []
    await ingest.put_park(park(station("s1", "stranger"), station("s2", "silent")))
    (replay,) = await replayed(ingest)
    assert (replay["mn"], await values(ingest)) == ("stranger", [1.0])


async def test_replicas_share_replays_and_count_nothing_twice(
    ingest: Running, start_ingest: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.ingest.archive.replaying.PAGE_FRAMES", 2)
    names = [f"M{number}" for number in range(4)]
    await send(ingest, *(sent(float(step), step, mn=name) for name in names for step in range(1, 8)))
    async with start_ingest(ingest.database_url) as other:
        await other.ready()
        await ingest.put_park(park(*(station(f"s{name.lower()}", name) for name in names)))
        other.state.replays.wake()
        done = await replayed(ingest)
    assert sorted((replay["mn"], replay["frames"], replay["accepted"]) for replay in done) == [
        (name, 7, 7) for name in names
    ]
    assert await ingest.rows("SELECT count(*) FROM observation") == [(28,)]


async def test_more_frames_than_a_page_are_replayed_in_turn(ingest: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.archive.replaying.PAGE_FRAMES", 4)
    await send(ingest, *(sent(float(step), step, mn="stranger") for step in range(1, 22)))
    await ingest.put_park(park(station("s1", "stranger")))
    (replay,) = await replayed(ingest)
    assert replay["accepted"] == 21
    assert await values(ingest) == [float(step) for step in range(1, 22)]


async def test_a_factor_that_had_no_datastream_is_read_once_it_is_mapped(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1", datastreams=[{"property": "ammonia"}])))
    await send(ingest, sent(1.0, 20), sent(2.0, 10))
    assert await values(ingest) == []
    await ingest.put_park(park(station("s1", "A1", datastreams=[{"property": "ammonia"}, CHLORINE])))
    replay = await ask(ingest)
    assert await values(ingest) == [1.0, 2.0]
    assert (replay["read_frames"], replay["accepted"], replay["unmapped_readings"]) == (2, 2, 0)
    again = await ask(ingest)
    assert (again["accepted"], again["duplicate"]) == (0, 2), "what is stored is not stored twice"


@pytest.mark.parametrize(
    ("refused", "mended"),
    [
        ({"password": "654321"}, {"password": "123456"}),
        ({}, {"crc_mode": "modbus"}),
    ],
)
async def test_what_was_refused_is_read_after_the_device_was_mended(
    ingest: Running, refused: dict[str, str], mended: dict[str, str]
) -> None:
    await ingest.put_park(park(station("s1", "A1", device=refused)))
    await send(ingest, sent(1.0, 10, CrcMode(mended.get("crc_mode", "hj212"))))
    replay = await ask(ingest)
    assert (replay["frames"], replay["read_frames"], await values(ingest)) == (1, 0, [])
    await ingest.put_park(park(station("s1", "A1", device=mended)))
    replay = await ask(ingest)
    assert (replay["frames"], replay["read_frames"], await values(ingest)) == (1, 1, [1.0])


async def test_an_unknown_device_with_another_checksum_is_quarantined_too(ingest: Running) -> None:
    await send(ingest, sent(1.0, 10, CrcMode.MODBUS, mn="stranger"))
    (unknown,) = (await ingest.get("/devices/unknown"))["items"]
    assert unknown["mn"] == "stranger"
    (frame,) = (await ingest.get("/devices/unknown/stranger/frames"))["items"]
    assert frame["detail"] == "crc matches modbus"
    await ingest.put_park(park(station("s1", "stranger", device={"crc_mode": "modbus"})))
    await replayed(ingest)
    assert await values(ingest) == [1.0]


async def test_only_the_span_and_the_verdicts_asked_for_are_read(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1", device={"password": "654321"})))
    await send(ingest, sent(1.0, 30))
    between = datetime.now(UTC)
    await asyncio.sleep(0.01)
    await send(ingest, sent(2.0, 20))
    await ingest.put_park(park(station("s1", "A1")))
    await ask(ingest, verdicts=["rows_refused"])
    assert await values(ingest) == []
    await ask(ingest, start=between.isoformat(), verdicts=["wrong_password"])
    assert await values(ingest) == [2.0]
    await ask(ingest, end=between.isoformat())
    assert await values(ingest) == [1.0, 2.0]


async def test_a_value_that_contradicts_a_stored_one_is_journalled(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1", device={"password": "654321"})))
    first, second = sent(1.0, 10), sent(5.0, 10, pw="654321")
    await send(ingest, first, second)
    await ingest.put_park(park(station("s1", "A1")))
    await ask(ingest)
    assert await values(ingest) == [5.0]
    assert await ingest.rows("SELECT value, source FROM conflict") == [(1.0, "replay:A1")]


async def test_a_replay_ends_when_the_device_has_gone(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1", device={"password": "654321"})))
    await send(ingest, sent(1.0, 10))
    await ingest.put_park(park(station("s1", None)))
    query = (
        "INSERT INTO replay (id, park_id, mn, verdicts, requested_by)"
        " VALUES (gen_random_uuid(), 'test-park', 'A1', ARRAY['wrong_password'], 'test') RETURNING id"
    )
    ((replay_id,),) = await ingest.rows(query)

    async def failed() -> bool:
        return bool((await ingest.get(f"{PARK}/replays/{replay_id}"))["state"] == "failed")

    await until(failed)
    assert "no device A1" in (await ingest.get(f"{PARK}/replays/{replay_id}"))["detail"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"verdicts": ["junk"]}, "possible are"),
        ({"verdicts": [], "unmapped": False}, "nothing to read"),
        ({"start": "2026-03-02T00:00:00Z", "end": "2026-03-01T00:00:00Z"}, "before"),
        ({"start": "2026-03-02T00:00:00"}, "offset"),
    ],
)
async def test_a_replay_that_makes_no_sense_is_refused(ingest: Running, body: dict[str, Any], said: str) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    answer = await ingest.http.post(f"{PARK}/devices/A1/replays", json=body)
    assert answer.status_code == 422
    assert said in answer.text


async def test_another_parks_device_and_replays_are_not_there(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    await ingest.put_park(park(station("s1", "B1"), park_id="other"))
    replay = await ask(ingest)
    assert (await ingest.http.post("/parks/other/devices/A1/replays", json={})).status_code == 404
    assert (await ingest.http.get(f"/parks/other/replays/{replay['id']}")).status_code == 404
    assert (await ingest.get("/parks/other/replays"))["items"] == []


async def test_replays_are_listed_in_pages(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1"), station("s2", "A2")))
    for mn in ("A1", "A2", "A1"):
        await ask(ingest, mn)
    first = await ingest.get(f"{PARK}/replays", limit=2)
    second = await ingest.get(f"{PARK}/replays", limit=2, cursor=first["next"])
    assert [entry["mn"] for entry in first["items"] + second["items"]] == ["A1", "A2", "A1"]
    assert second["next"] is None
    assert len((await ingest.get(f"{PARK}/replays", mn="A2"))["items"]) == 1


def archived(raw: bytes) -> ArchivedFrame:
    return ArchivedFrame(datetime(2026, 3, 1, tzinfo=UTC), 1, "", "unknown_mn", None, raw, 0)


def test_a_frame_is_read_again_as_its_own_device_only() -> None:
    reading = [Reading("a21022", "Rtd", 1.0, "N")]
    fields: dict[str, Any] = {"pw": "", "st": "27", "qn": "1", "time": datetime(2026, 3, 1), "readings": reading}  # noqa: DTZ001
    own = archived(encode(commands.realtime(mn="A1", **fields).encode()))
    foreign = archived(encode(commands.realtime(mn="A2", **fields).encode()))
    limits = {"ahead": timedelta(minutes=10), "late": timedelta(days=30)}
    said = read_again(own, device(), **limits)
    assert said is not None
    assert said.verdict is Verdict.ACCEPTED
    assert [entry.value for entry in said.data.observations] == [1e-3]
    said = read_again(foreign, device(), **limits)
    assert said is not None
    assert said.verdict is Verdict.UNKNOWN_MN
    assert not said.data.observations
    assert read_again(archived(b"##00" * 2 + own.frame), device(), **limits) is None
