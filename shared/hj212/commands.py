"""Messages of HJ 212: built for a station or a platform, and read.

Times of the protocol are local times without a zone; here they are naive ``datetime`` values and whoever knows the
park's zone converts them. ``DataTime`` is an instant for real-time data and the start of the period for the rest.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from shared.hj212.codes import Cn, Edition, ExeRtn, QnRtn, St, flag_of
from shared.hj212.readings import Reading
from shared.hj212.segment import Group, Pair, Segment, build

_FREE_TEXT = "//"
_DATA_TIME = re.compile(r"(?:^|[;,])\s*DataTime\s*=([^;,]*)")
_SECOND = "%Y%m%d%H%M%S"
_ANSWER_FLAG = flag_of(Edition.Y2017)


# ---- times ----


def format_time(moment: datetime) -> str:
    """``yyyyMMddHHmmss``."""
    return moment.strftime(_SECOND)


def format_qn(moment: datetime) -> str:
    """A request number ``yyyyMMddHHmmssSSS``; unique for a device that sends one message a millisecond at most."""
    return f"{moment.strftime(_SECOND)}{moment.microsecond // 1000:03d}"


def parse_time(text: str | None) -> datetime | None:
    """A local time of 14 digits, or of 17 with milliseconds. None when the text is no time of the calendar."""
    if text is None or len(text) not in (14, 17) or not text.isascii() or not text.isdigit():
        return None
    return _time(text)


@lru_cache(4096)
def _time(text: str) -> datetime | None:
    try:
        moment = datetime.strptime(text[:14], _SECOND)  # noqa: DTZ007  (local by definition)
    except ValueError:
        return None
    return moment.replace(microsecond=int(text[14:]) * 1000) if len(text) == 17 else moment


def data_time(segment: Segment) -> datetime | None:
    """``DataTime`` of a message, local; None when absent or unreadable."""
    if _FREE_TEXT in segment.body:
        return parse_time(segment.value("DataTime"))
    found = _DATA_TIME.search(segment.body)
    return None if found is None else parse_time(found[1].strip())


# ---- messages of a station ----


def data_message(
    cn: Cn,
    *,
    mn: str,
    pw: str,
    st: str,
    qn: str,
    time: datetime,
    readings: Iterable[Reading],
    answer: bool = True,
    edition: Edition = Edition.Y2017,
) -> Segment:
    """An upload of values: real-time, minute, hour or day. ``time`` is local."""
    groups = ((Pair("DataTime", None, format_time(time)),), *(_group(reading) for reading in readings))
    return build(cn, qn=qn, st=st, pw=pw, mn=mn, flag=flag_of(edition, answer=answer), groups=groups)


def realtime(*, mn: str, pw: str, st: str, qn: str, time: datetime, readings: Iterable[Reading]) -> Segment:
    """Real-time data (2011) that asks for an answer."""
    return data_message(Cn.REALTIME, mn=mn, pw=pw, st=st, qn=qn, time=time, readings=readings)


def minute(*, mn: str, pw: str, st: str, qn: str, time: datetime, readings: Iterable[Reading]) -> Segment:
    """Minute data (2051) that asks for an answer; ``time`` is the start of the period."""
    return data_message(Cn.MINUTE, mn=mn, pw=pw, st=st, qn=qn, time=time, readings=readings)


def hour(*, mn: str, pw: str, st: str, qn: str, time: datetime, readings: Iterable[Reading]) -> Segment:
    """Hour data (2061) that asks for an answer; ``time`` is the start of the hour."""
    return data_message(Cn.HOUR, mn=mn, pw=pw, st=st, qn=qn, time=time, readings=readings)


def day(*, mn: str, pw: str, st: str, qn: str, time: datetime, readings: Iterable[Reading]) -> Segment:
    """Day data (2031) that asks for an answer; ``time`` is the start of the day."""
    return data_message(Cn.DAY, mn=mn, pw=pw, st=st, qn=qn, time=time, readings=readings)


def startup(*, mn: str, pw: str, st: str, qn: str, time: datetime, restarted: datetime) -> Segment:
    """Start-up of the data logger (2081) that asks for an answer."""
    groups = ((Pair("DataTime", None, format_time(time)),), (Pair("RestartTime", None, format_time(restarted)),))
    return build(Cn.STARTUP, qn=qn, st=st, pw=pw, mn=mn, flag=flag_of(answer=True), groups=groups)


def heartbeat(*, mn: str, pw: str, st: str, qn: str) -> Segment:
    """Heartbeat of the edition of 2025 (9015); answered by a notice answer."""
    return build(Cn.HEARTBEAT, qn=qn, st=st, pw=pw, mn=mn, flag=flag_of(Edition.Y2025, answer=True))


def time_request(*, mn: str, pw: str, st: str, qn: str, factor: str | None = None) -> Segment:
    """The device asks for the time (1013); ``factor`` names an analyser, None the logger itself."""
    groups: tuple[Group, ...] = () if factor is None else ((Pair("PolId", None, factor),),)
    return build(Cn.TIME_REQUEST, qn=qn, st=st, pw=pw, mn=mn, flag=flag_of(answer=True), groups=groups)


# ---- messages of a platform, and answers of both ----


def data_answer(request: Segment) -> Segment:
    """Answer to an upload (9014): same QN."""
    return _answer(request, Cn.DATA_ANSWER)


def notice_answer(request: Segment) -> Segment:
    """Answer to a notice (9013): same QN."""
    return _answer(request, Cn.NOTICE_ANSWER)


def request_answer(request: Segment, result: QnRtn) -> Segment:
    """A device's first answer to a request (9011)."""
    return _answer(request, Cn.REQUEST_ANSWER, ((Pair("QnRtn", None, str(int(result))),),))


def execution_result(request: Segment, result: ExeRtn) -> Segment:
    """A device's last answer to a request (9012)."""
    return _answer(request, Cn.EXECUTION_RESULT, ((Pair("ExeRtn", None, str(int(result))),),))


def set_time(request: Segment, *, qn: str, time: datetime) -> Segment:
    """Set the device's clock (1012) after its time request, whose ``PolId`` is repeated; ``time`` is local."""
    factor = request.value("PolId")
    groups: tuple[Group, ...] = ((Pair("SystemTime", None, format_time(time)),),)
    if factor is not None:
        groups = ((Pair("PolId", None, factor),), *groups)
    flag = flag_of(answer=True)
    return build(Cn.SET_DEVICE_TIME, qn=qn, st=request.st, pw=request.pw, mn=request.mn, flag=flag, groups=groups)


def _answer(request: Segment, cn: Cn, groups: tuple[Group, ...] = ()) -> Segment:
    return build(cn, qn=request.qn, st=St.INTERACTION, pw=request.pw, mn=request.mn, flag=_ANSWER_FLAG, groups=groups)


def _group(reading: Reading) -> Group:
    """Pairs in the order of the standard's examples: Min, Avg, Max for a period, Rtd for an instant, Flag last."""
    fields = (
        ("Min", reading.minimum),
        (reading.statistic, reading.value),
        ("Max", reading.maximum),
    )
    pairs = [Pair(reading.factor, suffix, _plain(value)) for suffix, value in fields if value is not None]
    if reading.flag is not None:
        pairs.append(Pair(reading.factor, "Flag", reading.flag))
    return tuple(pairs)


def _plain(value: float) -> str:
    """A number without exponent, as instruments print it."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return text if text != "-0" else "0"
