"""A device that changes its password or key is understood all the while, and neither is shown to anybody."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.hj212.codes import QnRtn
from shared.hj212.encryption import Sm4
from shared.hj212.frame import encode
from tests.ingest.commands.devices import answering, local
from tests.ingest.commands.test_commands import NOW, QUICK, ask, ended
from tests.ingest.conftest import Start
from tests.ingest.parks import park, station
from tests.ingest.running import Running, until

OLD, NEW, KEY = "123456", "654321", "0123456789abcdef"
PARK = park(station("s1", "A1", device={"password": OLD}))
DEVICE = "/parks/test-park/devices/A1"


@pytest.fixture
async def quick(start_ingest: Start, database_url: str) -> AsyncIterator[Running]:
    """Ingest that loses its patience soon, with one station that has a password."""
    async with start_ingest(database_url, **QUICK) as running:
        await running.ready()
        await running.put_park(PARK)
        yield running


def frame(pw: str, second: int, key: str | None = None) -> bytes:
    time = f"{local(NOW):%Y%m%d%H%M}{second:02}"
    body = f"DataTime={time};a21022-Rtd=1.0,a21022-Flag=N"
    segment = f"QN={time}000;ST=31;CN=2011;PW={pw};MN=A1;Flag=5;CP=&&{body}&&"
    return encode(segment.encode(), cipher=None if key is None else Sm4(key))


async def taken(ingest: Running, pw: str, second: int, key: str | None = None) -> bool:
    """Whether a frame is taken: told by what the archive says of it."""
    async with ingest.station() as client:
        await client.send(frame(pw, second, key))
        found: list[Any] = []

        async def judged() -> bool:
            found[:] = (await ingest.get(f"{DEVICE}/frames", limit=1))["items"]
            return bool(found) and f"{local(NOW):%Y%m%d%H%M}{second:02}000" in found[0]["frame"]

        await until(judged)
    return bool(found[0]["verdict"] == "accepted")


async def password(ingest: Running) -> tuple[Any, ...]:
    (row,) = await ingest.rows("SELECT password, password_set, sm4_key FROM device")
    return tuple(row)


async def shown(ingest: Running) -> str:
    """What anybody may read of the commands, and what the database keeps of them."""
    listed = (await ingest.http.get(f"{DEVICE}/commands")).text
    return listed + str(await ingest.rows("SELECT request, answer FROM command"))


async def current(ingest: Running, expected: tuple[str | None, ...]) -> None:
    """Wait until frames are judged by what the registry says."""

    async def known() -> bool:
        device = ingest.state.registry.device("A1")
        return device is not None and (device.password, device.password_set) == expected

    await until(known)


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_new_password_is_taken_whenever_the_device_changes_to_it(quick: Running, at_once: bool) -> None:
    async with answering(quick) as device:
        device.next_password = NEW if at_once else None
        asked = await ask(quick, "set_password", password=NEW)
        assert asked["request"]["password"] == "******"
        done = await ended(quick, asked)
    assert done["state"] == "executed"
    assert [message.value("NewPW") for message in device.asked] == [NEW]
    assert await password(quick) == (NEW, NEW, None)
    await current(quick, (NEW, NEW))
    assert await taken(quick, NEW, 1)
    assert not await taken(quick, OLD, 2)
    assert NEW not in await shown(quick)
    await quick.put_park(PARK)
    await current(quick, (OLD, NEW))
    assert await taken(quick, NEW, 3), "a park file that does not know of it locks no device out"


async def test_a_device_that_refuses_keeps_its_password(quick: Running) -> None:
    async with answering(quick) as device:
        device.refuses = QnRtn.REFUSED
        done = await ended(quick, await ask(quick, "set_password", password=NEW))
    assert done["state"] == "refused"
    assert await password(quick) == (OLD, None, None)
    await current(quick, (OLD, None))
    assert not await taken(quick, NEW, 1)
    assert await taken(quick, OLD, 2)
    assert NEW not in await shown(quick)


async def test_while_nobody_knows_both_passwords_are_taken(quick: Running) -> None:
    async with answering(quick) as device:
        device.silent = True
        done = await ended(quick, await ask(quick, "set_password", password=NEW))
    assert done["state"] == "timed_out"
    assert await password(quick) == (OLD, NEW, None)
    assert await taken(quick, NEW, 1)
    assert await taken(quick, OLD, 2)


async def test_a_new_key_opens_what_comes_after_it(quick: Running) -> None:
    async with answering(quick):
        done = await ended(quick, await ask(quick, "set_key", key=KEY))
    assert (done["state"], done["request"]["key"]) == ("executed", "*" * 16)
    assert await password(quick) == (OLD, None, KEY)

    async def known() -> bool:
        device = quick.state.registry.device("A1")
        return device is not None and device.cipher is not None

    await until(known)
    assert await taken(quick, OLD, 1, key=KEY)
    assert KEY not in await shown(quick)
