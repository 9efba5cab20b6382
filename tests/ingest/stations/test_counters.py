from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import DBAPIError

from shared import database
from shared.hj212.encryption import Sm4
from shared.hj212.frame import encode
from tests.ingest.parks import park, station
from tests.ingest.running import Running
from tests.ingest.stations.test_server import data

KEY = "0123456789abcdef"


async def devices(ingest: Running) -> dict[str, dict[str, object]]:
    await ingest.state.server.counters.flush(ingest.state.engine)
    return {device["mn"]: device for device in (await ingest.get("/parks/test-park/devices"))["items"]}


def says(more: bytes) -> bytes:
    """A data message with further fields in its head."""
    return encode(data(1.0).encode().replace(b"Flag=5;", more))


async def test_what_sessions_count_of_a_device_is_told(ingest: Running) -> None:
    file = park(station("s1", "A1"), station("s2", "A2", device={"password": "right"}), station("s3", "A3"))
    await ingest.put_park(file)
    begun = datetime.now(UTC)
    for _ in range(2):
        async with ingest.station() as client:
            await client.send(says(b"Flag=9;RF=1;"))
            await client.answer()
            await client.send(data(1.0, mn="A2"))
            for number in (1, 1, 3):
                await client.send(says(b"Flag=7;PNUM=3;PNO=%d;" % number))
                await client.answer()
        await ingest.gone("A1")
    found = await devices(ingest)
    assert {key: found["A1"][key] for key in ("connections", "resent", "incomplete", "wrong_passwords")} == {
        "connections": 2, "resent": 2, "incomplete": 2, "wrong_passwords": 0
    }  # fmt: skip
    assert datetime.fromisoformat(str(found["A1"]["connected_at"])) >= begun
    assert (found["A2"]["wrong_passwords"], found["A2"]["connections"]) == (2, 0)
    assert found["A2"]["refused"] == 2
    assert (found["A3"]["connections"], found["A3"]["connected_at"]) == (0, None)


async def test_counters_that_cannot_be_written_are_kept(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    async with ingest.station() as client:
        await client.send(says(b"Flag=9;RF=1;"))
        await client.answer()
        away = database.create_engine("postgresql://nobody@127.0.0.1:1/none", "test", 1)
        with pytest.raises((OSError, DBAPIError)):
            await ingest.state.server.counters.flush(away)
        await away.dispose()
        await client.send(says(b"Flag=9;RF=1;"))
        await client.answer()
        found = await devices(ingest)
    assert (found["A1"]["resent"], found["A1"]["connections"]) == (2, 1)


async def test_a_device_that_encrypts_is_understood_by_the_key_in_the_registry(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1", device={"sm4_key": KEY})))
    message = data(1.5)
    async with ingest.station() as client:
        await client.send(encode(message.encode(), cipher=Sm4(KEY)))
        assert (await client.answer()).cn == "9014"
    assert await ingest.rows("SELECT value FROM observation") == [(1.5,)]
    ((frame,),) = await ingest.rows("SELECT frame FROM raw_frame")
    assert b"a21022" not in bytes(frame)
    found = await devices(ingest)
    assert found["A1"]["encrypted"] is True
    assert KEY not in str(found)
