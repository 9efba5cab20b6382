"""Raw frames over HTTP: all of them, in pages, of one's own devices, without secrets."""

from typing import Any

import pytest

from shared.hj212.frame import encode
from tests.ingest.archive.test_replay import PARK, send, sent
from tests.ingest.parks import park, station
from tests.ingest.running import Running
from tests.ingest.stations.test_server import data

FRAMES = f"{PARK}/devices/A1/frames"


async def test_frames_are_read_as_they_came_but_for_the_password(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1", device={"password": "654321"})))
    accepted = sent(1.0, 10, pw="654321")
    await send(ingest, accepted, sent(2.0, 5))
    refused, taken = (await ingest.get(FRAMES))["items"]
    assert (refused["verdict"], taken["verdict"], taken["remote"]) == ("wrong_password", "accepted", "127.0.0.1")
    assert taken["frame"] == accepted.decode().strip().replace("654321", "******")
    assert taken["bytes"] == len(accepted) - 2
    assert "123456" not in str(refused)


async def test_bytes_that_are_no_text_are_shown_as_numbers(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1", device={"crc_mode": "off"})))
    segment = data(1.0, 10).encode().replace(b"a21022-Flag=N", b"a21022-Flag=\xff\x00")
    await send(ingest, encode(segment))
    (frame,) = (await ingest.get(FRAMES))["items"]
    assert "a21022-Flag=\\xff\\x00" in frame["frame"]


async def test_pages_give_every_frame_once_also_those_of_one_moment(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    await send(ingest, *(sent(float(step), step) for step in range(1, 26)))
    await ingest.rows("UPDATE raw_frame SET received_at = (SELECT max(received_at) FROM raw_frame) RETURNING 1")
    found: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = await ingest.get(FRAMES, limit=4, **cursor)
        found += [frame["frame"] for frame in page["items"]]
        if page["next"] is None:
            break
        assert len(page["items"]) == 4
        cursor = {"cursor": page["next"]}
    assert len(found) == len(set(found)) == 25


async def test_frames_are_chosen_by_verdict_and_span(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1", device={"password": "654321"})))
    await send(ingest, sent(1.0, 10, pw="654321"), sent(2.0, 5))
    (refused,) = (await ingest.get(FRAMES, verdict="wrong_password"))["items"]
    assert refused["verdict"] == "wrong_password"
    assert (await ingest.get(FRAMES, verdict="bad_crc"))["items"] == []
    later = await ingest.get(FRAMES, start=refused["received_at"])
    earlier = await ingest.get(FRAMES, end=refused["received_at"])
    assert len(later["items"]) + len(earlier["items"]) == 2
    assert refused in later["items"]


async def test_frames_of_before_belong_to_the_park_that_had_the_device(ingest: Running) -> None:
    await send(ingest, sent(1.0, 40))
    await ingest.put_park(park(station("s1", "A1")))
    await send(ingest, sent(2.0, 30))
    assert len((await ingest.get(FRAMES))["items"]) == 2, "the quarantine goes to who registers the device"
    await ingest.put_park(park(station("s1", "A1")))
    assert len((await ingest.get(FRAMES))["items"]) == 2, "the same file again changes nothing"
    await ingest.put_park(park(station("s1", None)))
    assert (await ingest.http.get(FRAMES)).status_code == 404
    await ingest.put_park(park(station("s1", "A1"), park_id="other"))
    (frame,) = (await ingest.get("/parks/other/devices/A1/frames"))["items"]
    assert frame["verdict"] == "unknown_mn"
    assert (await ingest.http.get(FRAMES)).status_code == 404


@pytest.mark.parametrize("cursor", ["x", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OjE=", "MTotMQ=="])
async def test_a_cursor_that_is_none_of_ours_is_told(ingest: Running, cursor: str) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    answer = await ingest.http.get(FRAMES, params={"cursor": cursor})
    assert answer.status_code == 400
    assert "cursor" in answer.text
