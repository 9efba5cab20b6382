"""A data logger against a platform on a real socket."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from shared.hj212 import commands
from shared.hj212.codes import Cn, flag_of
from shared.hj212.readings import Reading, readings
from shared.hj212.segment import Pair, Segment, build
from simulator.backlog import Backlog
from simulator.device import Device
from simulator.requests import DeviceSettings, Identity
from tests.simulator.platform import Platform

NOON = datetime(2026, 3, 1, 12, 0, 0)  # noqa: DTZ001  (HJ 212 writes local time without a zone)
IDENTITY = Identity(mn="37F1C700000000000000A001", pw="123456", st="31")


def _device(platform: Platform, limit: int = 2000, timeout: float = 0.15) -> Device:
    settings = DeviceSettings(ack_timeout_s=timeout)
    return Device(IDENTITY, ("127.0.0.1", platform.port), lambda: NOON, settings, Backlog(limit), random.Random(1))


@asynccontextmanager
async def _running(device: Device) -> AsyncIterator[None]:
    task = asyncio.create_task(device.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _tell(device: Device, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        device.tell_realtime(NOON + timedelta(seconds=5 * number), [Reading("a21022", "Rtd", float(number), "N")])


def _values(platform: Platform) -> list[float | None]:
    return [readings(message)[0].value for message in platform.of(Cn.REALTIME)]


async def test_it_starts_up_and_sends_realtime_and_minute_data(platform: Platform) -> None:
    device = _device(platform)
    device.tell_startup(NOON)
    device.tell_realtime(NOON, [Reading("a21022", "Rtd", 0.5, "N")])
    device.tell_minute(NOON, [Reading("a21022", "Avg", 0.5, "N", 0.1, 0.9)])
    async with _running(device):
        await platform.until(lambda: device.acknowledged == 3)
    assert [message.cn for message in platform.messages] == [Cn.STARTUP, Cn.REALTIME, Cn.MINUTE]
    assert all(message.flag == 5 and message.mn == IDENTITY.mn for message in platform.messages)
    assert platform.frames[2].startswith(b"##")
    assert (
        b"CP=&&DataTime=20260301120000;a21022-Min=0.1,a21022-Avg=0.5,a21022-Max=0.9,a21022-Flag=N&&"
        in platform.frames[2]
    )
    assert len({message.qn for message in platform.messages}) == 3
    assert platform.refused == 0


async def test_a_lost_acknowledgement_brings_the_same_frame_again(platform: Platform) -> None:
    platform.acknowledges = lambda _message: len(platform.frames) != 2
    device = _device(platform)
    _tell(device, 3)
    async with _running(device):
        await platform.until(lambda: device.acknowledged == 3)
    assert platform.frames[1] == platform.frames[2]
    assert _values(platform) == [0.0, 1.0, 1.0, 2.0]
    assert device.repeated == 1


async def test_the_next_frame_waits_for_the_acknowledgement(platform: Platform) -> None:
    platform.acknowledges = lambda _message: False
    device = _device(platform, timeout=5.0)
    _tell(device, 3)
    async with _running(device):
        await platform.until(lambda: len(platform.frames) == 1)
        await asyncio.sleep(0.2)
        assert len(platform.frames) == 1


async def test_after_three_tries_it_connects_anew_and_keeps_what_it_has(platform: Platform) -> None:
    platform.acknowledges = lambda _message: len(platform.frames) > 3
    device = _device(platform, timeout=0.05)
    _tell(device, 2)
    async with _running(device):
        await platform.until(lambda: device.acknowledged == 2)
    assert _values(platform) == [0.0, 0.0, 0.0, 0.0, 1.0]
    assert len(set(platform.frames[:4])) == 1


async def test_an_acknowledgement_of_another_message_does_not_count(platform: Platform) -> None:
    platform.acknowledges = lambda _message: False
    device = _device(platform, timeout=0.3)
    _tell(device, 1)
    async with _running(device):
        await platform.until(lambda: len(platform.frames) == 1)
        other = build(Cn.REALTIME, qn="20200101000000000", pw=IDENTITY.pw, mn=IDENTITY.mn)
        platform.ask(commands.data_answer(other))
        await platform.until(lambda: len(platform.frames) == 2)
    assert device.acknowledged == 0


async def test_while_the_platform_is_away_data_are_kept_and_arrive_in_order(platform: Platform) -> None:
    device = _device(platform)
    _tell(device, 2)
    async with _running(device):
        await platform.until(lambda: device.acknowledged == 2)
        await platform.close()
        _tell(device, 5, first=2)
        await asyncio.sleep(0.3)
        assert len(device.backlog) == 5
        await platform.open()
        await platform.until(lambda: device.acknowledged == 7)
    assert _values(platform) == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    times = [commands.data_time(message) for message in platform.of(Cn.REALTIME)]
    assert times == [NOON + timedelta(seconds=5 * number) for number in range(7)]


async def test_it_connects_when_the_platform_comes_later(platform: Platform) -> None:
    await platform.close()
    device = _device(platform)
    _tell(device, 1)
    async with _running(device):
        await asyncio.sleep(0.2)
        await platform.open()
        await platform.until(lambda: device.acknowledged == 1)


async def test_a_cut_line_stays_cut_until_it_is_mended(platform: Platform) -> None:
    device = _device(platform)
    async with _running(device):
        await platform.until(lambda: device.connected)
        device.cut_line()
        await platform.until(lambda: not device.connected)
        _tell(device, 3)
        await asyncio.sleep(0.6)
        assert platform.frames == []
        device.mend_line()
        await platform.until(lambda: device.acknowledged == 3)
    assert _values(platform) == [0.0, 1.0, 2.0]


async def test_a_full_memory_gives_up_the_oldest(platform: Platform) -> None:
    device = _device(platform, limit=4)
    _tell(device, 10)
    assert (len(device.backlog), device.backlog.dropped) == (4, 6)
    async with _running(device):
        await platform.until(lambda: device.acknowledged == 4)
    assert _values(platform) == [6.0, 7.0, 8.0, 9.0]


def _request(cn: Cn, *pairs: tuple[str, str], pw: str = IDENTITY.pw, mn: str = IDENTITY.mn) -> Segment:
    groups = tuple((Pair(name, None, value),) for name, value in pairs)
    return build(cn, qn="20260301120000777", st="31", pw=pw, mn=mn, flag=flag_of(answer=True), groups=groups)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (_request(Cn.SET_DEVICE_TIME, ("SystemTime", "20260301120000")), [("9011", "1"), ("9012", "1")]),
        (_request(Cn.SET_DEVICE_TIME, ("SystemTime", "noon")), [("9011", "2")]),
        (_request(Cn.DEVICE_TIME), [("9011", "1"), ("1011", "20260301120000"), ("9012", "1")]),
        (_request(Cn.REALTIME_INTERVAL), [("9011", "1"), ("1061", "5"), ("9012", "1")]),
        (_request(Cn.SET_REALTIME_INTERVAL, ("RtdInterval", "30")), [("9011", "1"), ("9012", "1")]),
        (_request(Cn.SET_REALTIME_INTERVAL, ("RtdInterval", "0")), [("9011", "2")]),
        (_request(Cn.MINUTE_INTERVAL), [("9011", "1"), ("1063", "1"), ("9012", "1")]),
        (_request(Cn.SET_MINUTE_INTERVAL, ("MinInterval", "10")), [("9011", "2")]),
        (_request(Cn.SET_TIMEOUT, ("OverTime", "9"), ("ReCount", "2")), [("9011", "1"), ("9012", "1")]),
        (_request(Cn.STOP_REALTIME), [("9013", None)]),
        (_request(Cn.REALTIME), [("9011", "1"), ("9012", "1")]),
        (_request(Cn.CALIBRATE), [("9011", "8")]),
        (_request(Cn.MINUTE), [("9011", "2")]),
        (_request(Cn.REALTIME_INTERVAL, pw="999999"), [("9011", "3")]),
        (_request(Cn.REALTIME_INTERVAL, mn="somebody"), [("9011", "4")]),
    ],
    ids=lambda value: str(value.cn) if isinstance(value, Segment) else "",
)
async def test_it_answers_requests(
    platform: Platform, request_: Segment, expected: list[tuple[str, str | None]]
) -> None:
    device = _device(platform)
    async with _running(device):
        await platform.until(lambda: device.connected)
        await asyncio.sleep(0.02)
        platform.ask(request_)
        await platform.until(lambda: len(platform.messages) == len(expected), 3.0)
    answers = [(message.cn, next((pair.value for pair in message.pairs), None)) for message in platform.messages]
    assert answers == expected
    assert {message.qn for message in platform.messages} == {request_.qn}


async def test_it_sends_what_it_remembers_when_it_is_asked(platform: Platform) -> None:
    device = _device(platform)
    for number in range(5):
        reading = Reading("a21022", "Avg", float(number), "N")
        device.tell_minute(NOON + timedelta(minutes=number), [reading])
    span = (("BeginTime", "20260301120100"), ("EndTime", "20260301120300"))
    async with _running(device):
        await platform.until(lambda: device.acknowledged == 5)
        platform.messages.clear()
        platform.ask(_request(Cn.MINUTE, *span))
        await platform.until(lambda: len(platform.messages) == 5, 3.0)
        first, *records, last = platform.messages
        assert (first.cn, last.cn, last.value("ExeRtn")) == ("9011", "9012", "1")
        assert [(readings(message)[0].value, message.flag) for message in records] == [(1.0, 4), (2.0, 4), (3.0, 4)]
        platform.messages.clear()
        platform.ask(_request(Cn.MINUTE, ("BeginTime", "20250101000000"), ("EndTime", "20250101000000")))
        await platform.until(lambda: len(platform.messages) == 2, 3.0)
    assert platform.messages[1].value("ExeRtn") == "100"


async def test_what_the_platform_sets_is_heeded(platform: Platform) -> None:
    device = _device(platform)
    changes: list[tuple[Segment, Callable[[], bool]]] = [
        (_request(Cn.SET_REALTIME_INTERVAL, ("RtdInterval", "30")), lambda: device.settings.realtime_interval_s == 30),
        (_request(Cn.STOP_REALTIME), lambda: not device.settings.send_realtime),
        (_request(Cn.REALTIME), lambda: device.settings.send_realtime),
        (
            _request(Cn.SET_TIMEOUT, ("OverTime", "9"), ("ReCount", "2")),
            lambda: (device.settings.ack_timeout_s, device.settings.tries) == (9.0, 2),
        ),
    ]
    async with _running(device):
        await platform.until(lambda: device.connected)
        await asyncio.sleep(0.02)
        for request, holds in changes:
            platform.ask(request)
            await platform.until(holds, 3.0)
