"""How a station answers what the platform asks of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.hj212 import commands
from shared.hj212.codes import Cn, ExeRtn, QnRtn, flag_of
from shared.hj212.segment import Pair, Segment, build

ANSWERS = frozenset({Cn.REQUEST_ANSWER, Cn.EXECUTION_RESULT, Cn.NOTICE_ANSWER, Cn.DATA_ANSWER})
MINUTE_INTERVAL = "1"


@dataclass
class DeviceSettings:
    """What the platform may set: seconds to wait, tries, seconds between real-time data, whether to send them."""

    realtime_interval_s: int = 5
    ack_timeout_s: float = 5.0
    tries: int = 3
    send_realtime: bool = True


@dataclass(frozen=True)
class Identity:
    """Who the device is: MN, password and system type of its messages."""

    mn: str
    pw: str
    st: str


Records = Callable[[datetime, datetime], list[Segment]]
"""Minute records that begin from one local time to another, both included, as messages in order."""


def answer(
    request: Segment, identity: Identity, settings: DeviceSettings, now: datetime, records: Records
) -> list[Segment]:
    """The station's answers to a request, in order; `settings` is changed where the request asks for it.

    `now` is the park's local time, `records` what the station remembers. An answer of the platform itself is answered
    by nothing.
    """
    if request.cn in ANSWERS:
        return []
    if request.mn != identity.mn:
        return [commands.request_answer(request, QnRtn.BAD_MN)]
    if request.pw != identity.pw:
        return [commands.request_answer(request, QnRtn.BAD_PW)]
    if request.cn in (Cn.STOP_REALTIME, Cn.STOP_RUN_STATE):
        settings.send_realtime = settings.send_realtime and request.cn != Cn.STOP_REALTIME
        return [commands.notice_answer(request)]
    if request.cn == Cn.MINUTE:
        return _history(request, records)
    setter = _SETTERS.get(request.cn or "")
    if setter is not None:
        result = QnRtn.READY if setter(request, settings) else QnRtn.REFUSED
        return _executed(request, result, [])
    told = _told(request, identity, settings, now)
    return _executed(request, QnRtn.BAD_CN if told is None else QnRtn.READY, told or [])


def _executed(request: Segment, result: QnRtn, between: list[Segment]) -> list[Segment]:
    first = commands.request_answer(request, result)
    if result is not QnRtn.READY:
        return [first]
    return [first, *between, commands.execution_result(request, ExeRtn.DONE)]


def _history(request: Segment, records: Records) -> list[Segment]:
    begin, end = (commands.parse_time(request.value(name)) for name in ("BeginTime", "EndTime"))
    if begin is None or end is None:
        return [commands.request_answer(request, QnRtn.REFUSED)]
    found = records(begin, end)
    result = ExeRtn.DONE if found else ExeRtn.NO_DATA
    return [
        commands.request_answer(request, QnRtn.READY),
        *found,
        commands.execution_result(request, result),
    ]


def _told(request: Segment, identity: Identity, settings: DeviceSettings, now: datetime) -> list[Segment] | None:
    """The value that a reading request asks for; None for a command that the station does not know."""
    match request.cn:
        case Cn.DEVICE_TIME:
            pair = Pair("SystemTime", None, commands.format_time(now))
        case Cn.REALTIME_INTERVAL:
            pair = Pair("RtdInterval", None, str(settings.realtime_interval_s))
        case Cn.MINUTE_INTERVAL:
            pair = Pair("MinInterval", None, MINUTE_INTERVAL)
        case _:
            return None
    flag = flag_of()
    return [
        build(request.cn, qn=request.qn, st=identity.st, pw=identity.pw, mn=identity.mn, flag=flag, groups=((pair,),))
    ]


def _number(request: Segment, name: str, low: int, high: int) -> int | None:
    text = request.value(name) or ""
    return int(text) if text.isascii() and text.isdigit() and low <= int(text) <= high else None


def _set_timeout(request: Segment, settings: DeviceSettings) -> bool:
    timeout, count = _number(request, "OverTime", 1, 99), _number(request, "ReCount", 1, 99)
    if timeout is None or count is None:
        return False
    settings.ack_timeout_s, settings.tries = float(timeout), count
    return True


def _set_time(request: Segment, _settings: DeviceSettings) -> bool:
    # The simulated clock is right by definition: a readable time is taken and changes nothing.
    return commands.parse_time(request.value("SystemTime")) is not None


def _set_realtime_interval(request: Segment, settings: DeviceSettings) -> bool:
    # The standard allows 30 to 3600 s; a demonstration wants to move faster.
    interval = _number(request, "RtdInterval", 1, 3600)
    if interval is None:
        return False
    settings.realtime_interval_s = interval
    return True


def _set_minute_interval(request: Segment, _settings: DeviceSettings) -> bool:
    return request.value("MinInterval") == MINUTE_INTERVAL


def _start_realtime(_request: Segment, settings: DeviceSettings) -> bool:
    settings.send_realtime = True
    return True


_SETTERS: dict[str, Callable[[Segment, DeviceSettings], bool]] = {
    Cn.SET_TIMEOUT: _set_timeout,
    Cn.SET_DEVICE_TIME: _set_time,
    Cn.SET_REALTIME_INTERVAL: _set_realtime_interval,
    Cn.SET_MINUTE_INTERVAL: _set_minute_interval,
    Cn.REALTIME: _start_realtime,
}
