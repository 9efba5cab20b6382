"""A table of any length is stored while it comes in, and tells how far it is."""

import asyncio
import gzip
import itertools
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.intake import upload_store, uploads
from services.ingest.intake.uploads import BLOCK_LINES, Lines
from shared.problems import Unprocessable
from shared.time import iso
from tests.ingest.conftest import Start
from tests.ingest.parks import park, station
from tests.ingest.running import Running, until

PATH = "/parks/test-park/uploads"
T0 = datetime(2026, 1, 1, tzinfo=UTC)
HEADER = "station,property,time,value\n"


def line(step: int) -> str:
    return f"s1,chlorine,{iso(T0 + timedelta(seconds=step))},{step % 100}\n"


def table(steps: int) -> bytes:
    return (HEADER + "".join(map(line, range(steps)))).encode()


async def cut(data: bytes, size: int = 10_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.fixture
async def one_park(ingest: Running) -> Running:
    await ingest.put_park(park(station("s1", None)))
    return ingest


async def put(ingest: Running, name: str, body: Any, **headers: str) -> Any:
    told = {"content-type": "text/csv", **{key.replace("_", "-"): value for key, value in headers.items()}}
    return await ingest.http.put(f"{PATH}/{name}", content=body, headers=told, timeout=60)


@pytest.mark.parametrize(("encoding", "pack"), [("", bytes), ("gzip", gzip.compress), ("zstd", zstandard.compress)])
async def test_a_table_is_stored_block_by_block(one_park: Running, encoding: str, pack: Any) -> None:
    data = table(12_000)
    answer = await put(one_park, "year-2025", cut(pack(data), 7_777), content_encoding=encoding)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["state"], told["bytes"], told["lines"]) == ("done", len(data), 12_002)
    assert (told["accepted"], told["duplicate"], told["conflicting"], told["refused"]) == (12_000, 0, 0, 0)
    assert await one_park.rows("SELECT count(*), max(time) FROM observation") == [
        (12_000, T0 + timedelta(seconds=11_999))
    ]
    again = (await put(one_park, "year-2025", data, content_encoding="identity")).json()
    assert (again["accepted"], again["duplicate"], again["state"]) == (0, 12_000, "done")


async def test_what_comes_is_stored_before_more_is_read(one_park: Running) -> None:
    """The sender is asked for the next piece only when what it sent before is stored, but for one block."""
    behind: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        yield HEADER.encode()
        for start in range(0, 40_000, 1000):
            yield "".join(map(line, range(start, start + 1000))).encode()
            ((stored,),) = await one_park.rows("SELECT count(*) FROM observation")
            behind.append(start + 1000 - stored)

    assert (await put(one_park, "slow", body())).status_code == 200
    assert max(behind) <= BLOCK_LINES + 1000


async def test_progress_can_be_asked_for(one_park: Running) -> None:
    go = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield table(BLOCK_LINES)
        yield b"\n"
        await go.wait()
        yield line(BLOCK_LINES).encode()

    sending = asyncio.create_task(put(one_park, "u1", body()))

    async def half_way() -> bool:
        found = await one_park.http.get(f"{PATH}/u1")
        return found.status_code == 200 and found.json()["accepted"] == BLOCK_LINES

    await until(half_way)
    assert (await one_park.get(f"{PATH}/u1"))["state"] == "running"
    assert (await put(one_park, "u1", b"")).status_code == 409
    go.set()
    assert (await sending).json()["accepted"] == BLOCK_LINES + 1
    assert [item["id"] for item in (await one_park.get(PATH))["items"]] == ["u1"]


async def test_refused_lines_are_told_by_number(one_park: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_store, "MAX_REFUSALS", 5)
    bad = ["s9,chlorine,2026-01-01T00:00:00Z,1\n", "s1,chlorine\n", "s1,chlorine,2026-01-01T00:00:00Z,x\n"]
    lines = [HEADER, line(0), "\n", bad[0], line(1), bad[1], bad[2], line(2), *bad, *bad]
    told = (await put(one_park, "u1", "".join(lines).encode())).json()
    assert (told["accepted"], told["refused"], told["state"]) == (3, 9, "done")
    first = await one_park.get(f"{PATH}/u1/refusals", limit=3)
    assert [item["line"] for item in first["items"]] == [4, 6, 7]
    assert "s9" in first["items"][0]["detail"]
    rest = await one_park.get(f"{PATH}/u1/refusals", cursor=first["next"])
    assert ([item["line"] for item in rest["items"]], rest["next"]) == ([9, 10], None)
    await put(one_park, "u1", table(3))
    assert (await one_park.get(f"{PATH}/u1/refusals"))["items"] == [], "those of the first attempt are forgotten"


async def test_a_line_that_the_database_cannot_hold_is_refused_as_any_other(one_park: Running) -> None:
    told = (await put(one_park, "u1", HEADER.encode() + b"s\x00,chlorine,2026-01-01T00:00:00Z,1\n")).json()
    assert (told["refused"], told["state"]) == (1, "done")
    (refusal,) = (await one_park.get(f"{PATH}/u1/refusals"))["items"]
    assert "no station" in refusal["detail"]


async def test_a_table_that_breaks_off_keeps_what_was_stored(one_park: Running) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield table(BLOCK_LINES + 10)
        raise LookupError

    with pytest.raises(LookupError):
        await put(one_park, "u1", body())
    left = await one_park.get(f"{PATH}/u1")
    assert (left["state"], left["accepted"]) == ("failed", BLOCK_LINES)
    assert "send it again" in left["detail"]
    whole = (await put(one_park, "u1", table(BLOCK_LINES + 10))).json()
    assert (whole["state"], whole["accepted"], whole["duplicate"], whole["detail"]) == ("done", 10, BLOCK_LINES, None)


async def test_an_upload_whose_process_died_is_interrupted_and_can_be_sent_again(one_park: Running) -> None:
    await one_park.rows(
        "INSERT INTO upload (park_id, id, attempt, caller, state, updated_at)"
        " VALUES ('test-park', 'u1', gen_random_uuid(), 'x', 'running', now() - interval '3 min') RETURNING id"
    )
    assert (await one_park.get(f"{PATH}/u1"))["state"] == "interrupted"
    assert (await put(one_park, "u1", table(1))).json()["state"] == "done"


@pytest.mark.parametrize(
    ("body", "headers", "status", "why"),
    [
        (b"", {}, 422, "empty"),
        (b"\n\n", {}, 422, "empty"),
        (b"colour\nred\n", {}, 422, "first line"),
        (b"\xff\xfe", {}, 422, "utf-8"),
        (b"colour,\x00\n", {}, 422, "first line"),
        (HEADER.strip().encode() + b"\r" + line(0).encode(), {}, 422, "first line"),
        (b"x" * 200_000, {}, 422, "65536 characters"),
        (HEADER.encode(), {"content_encoding": "br"}, 415, "zstd"),
        (gzip.compress(table(10))[:-9], {"content_encoding": "gzip"}, 400, "breaks off"),
        (b"{}", {"content_type": "application/json"}, 415, "text/csv"),
    ],
    ids=itertools.count(),
)
async def test_tables_that_cannot_be_taken(
    one_park: Running, body: bytes, headers: dict[str, str], status: int, why: str
) -> None:
    answer = await put(one_park, "u1", body, **headers)
    assert answer.status_code == status, answer.text
    assert why in answer.json()["detail"]
    found = await one_park.http.get(f"{PATH}/u1")
    assert found.status_code == 404 or found.json()["state"] == "failed"


async def test_limits(start_ingest: Start, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with start_ingest(database_url, ingest_upload_bytes=20_000_000) as ingest:
        await ingest.put_park(park(station("s1", None)))
        assert (await put(ingest, "u0", b"\n" * 17_000_000)).status_code == 422, "more than other bodies may have"
        bomb = zstandard.compress(b"\n" * 30_000_000)
        assert (await put(ingest, "u1", bomb, content_encoding="zstd")).status_code == 413
        monkeypatch.setattr(uploads, "AT_ONCE", 0)
        answer = await put(ingest, "u2", table(1))
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")
        monkeypatch.setattr(uploads, "AT_ONCE", 4)
        monkeypatch.setattr(upload_store, "MAX_UPLOADS", 2)
        assert (await put(ingest, "u3", table(1))).status_code == 429
        assert (await put(ingest, "u1", table(1))).status_code == 200
        assert (await ingest.http.get("/parks/nowhere/uploads")).status_code == 404
        assert (await ingest.http.get(f"{PATH}/unheard-of")).status_code == 404


@given(st.text(max_size=60), st.lists(st.integers(0, 200), max_size=6), st.sampled_from(["utf-8", "gb18030"]))
def test_lines_do_not_depend_on_the_cuts(text: str, cuts: list[int], charset: str) -> None:
    text = text.lstrip("\ufeff")
    data = text.encode(charset, "ignore")
    places = [0, *sorted(min(place, len(data)) for place in cuts), len(data)]
    lines = Lines(charset)

    def found() -> Iterator[str]:
        for start, end in itertools.pairwise(places):
            yield from lines.feed(data[start:end])
        yield from lines.feed(b"", end=True)

    assert list(found()) == data.decode(charset).split("\n")


def test_text_that_breaks_off_within_a_character() -> None:
    lines = Lines("gb18030")
    lines.feed("站".encode("gb18030")[:1])
    with pytest.raises(Unprocessable, match="gb18030"):
        lines.feed(b"", end=True)
