from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from services.ingest.registry.snapshot import Device
from services.ingest.stations.links import Link, Links, NotConnected
from shared.hj212 import commands
from shared.hj212.codes import Cn, ExeRtn, QnRtn
from shared.hj212.crc import CrcMode
from shared.hj212.segment import Segment, build
from tests.ingest.devices import device
from tests.ingest.parks import park, station
from tests.ingest.running import Running, until
from tests.ingest.stations.test_server import DEVICE, data

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Heard:
    """Listens to the links of an ingest."""

    def __init__(self) -> None:
        self.happened: list[tuple[str, str]] = []
        self.answers: list[Segment] = []

    def linked(self, link: Link) -> None:
        self.happened.append(("linked", link.mn))

    def unlinked(self, link: Link) -> None:
        self.happened.append(("unlinked", link.mn))

    def answered(self, link: Link, message: Segment, received_at: datetime) -> None:
        assert received_at >= link.since
        self.happened.append(("answered", link.mn))
        self.answers.append(message)


def link() -> Link:
    return Link(device(), "127.0.0.1", NOW, lambda _device, _message: True, "22", "123456")


def test_the_latest_connection_of_a_device_is_the_one_that_counts() -> None:
    links, heard = Links(), Heard()
    links.listeners.append(heard)
    first, second = link(), link()
    links.put(first)
    links.put(second)
    links.drop(first)
    assert links.get("A1") is second
    links.drop(second)
    assert links.get("A1") is None
    assert [what for what, _ in heard.happened] == ["linked", "unlinked", "linked", "unlinked"]


def test_a_link_says_when_nothing_can_be_sent() -> None:
    def closed(_device: Device, _message: Segment) -> bool:
        return False

    with pytest.raises(NotConnected):
        Link(device(), "127.0.0.1", NOW, closed, "22", "123456").send(build(Cn.REALTIME_INTERVAL))


@pytest.mark.parametrize("mode", [CrcMode.HJ212, CrcMode.MODBUS_SWAPPED])
async def test_a_command_goes_out_and_its_answers_are_told_once_they_are_stored(ingest: Running, mode: CrcMode) -> None:
    heard = Heard()
    ingest.state.server.links.listeners.append(heard)
    await ingest.put_park(park(station("s1", "A1", device={"crc_mode": mode.value})))
    async with ingest.station(mode) as client:
        await client.send(data(1.0), mode)
        assert (await client.answer()).cn == "9014"
        found = ingest.state.server.links.get("A1")
        assert found is not None
        assert (found.st, found.pw) == ("27", "123456")
        request = build(Cn.HOUR, qn="20260301120000001", st="32", pw="123456", mn="A1", flag=5)
        found.send(request)
        assert await client.answer() == request
        for answer in (
            commands.request_answer(request, QnRtn.READY),
            commands.execution_result(request, ExeRtn.NO_DATA),
        ):
            await client.send(answer, mode)
        await until(lambda: _is(lambda: len(heard.answers) == 2))
        assert await ingest.rows("SELECT count(*) FROM raw_frame WHERE verdict = 'answer'") == [(2,)]
    assert [(entry.cn, entry.qn) for entry in heard.answers] == [("9011", request.qn), ("9012", request.qn)]
    await until(lambda: _is(lambda: ingest.state.server.links.get("A1") is None))
    with pytest.raises(NotConnected):
        found.send(request)
    assert heard.happened[0] == ("linked", "A1")
    assert heard.happened[-1] == ("unlinked", "A1")


async def test_nobody_is_linked_by_a_wrong_password(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1", device={"password": "654321"}), station("s2", "A2")))
    async with ingest.station() as client:
        await client.send(data(1.0))
        await client.send(data(1.0, mn="A2"))
        await client.answer()
    assert DEVICE["mn"] == "A1"
    assert ingest.state.server.links.get("A1") is None


async def _is(condition: Callable[[], bool]) -> bool:
    return condition()


async def test_data_are_told_only_where_somebody_waits_for_them(ingest: Running) -> None:
    await ingest.put_park(park(station("s1", "A1")))
    links, heard = ingest.state.server.links, Heard()
    links.listeners.append(heard)
    async with ingest.station() as client:
        await client.send(data(1.0))
        await client.answer()
        links.watched.add(("A1", Cn.REALTIME))
        await client.send(data(2.0, 5))
        await client.answer()
    assert [message.cn for message in heard.answers] == ["2011"]
