# ruff: noqa: DTZ001  (times of the protocol carry no zone)
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.hj212 import commands
from shared.hj212.codes import Cn, Edition, ExeRtn, QnRtn, flag_of, wants_answer
from shared.hj212.readings import Reading, readings
from shared.hj212.segment import Segment, parse
from tests.shared.hj212 import vectors

AT = datetime(2016, 8, 1, 8, 58, 57)
DEVICE = {"mn": "010000A8900016F000169DC0", "pw": "123456", "st": "22", "qn": "20160801085857223"}


def body(text: str) -> list[Reading]:
    return readings(parse(f"CN=2011;CP=&&{text}&&".encode()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DataTime=20160801085857;a-Rtd=1.5,a-Flag=N", [Reading("a", "Rtd", 1.5, "N")]),
        ("a-Rtd=-1.5", [Reading("a", "Rtd", -1.5)]),
        ("a-Min=1,a-Avg=2,a-Max=3,a-Flag=T", [Reading("a", "Avg", 2.0, "T", 1.0, 3.0)]),
        ("a-Rtd=1;a-Rtd=2", [Reading("a", "Rtd", 1.0), Reading("a", "Rtd", 2.0)]),
        ("a-Rtd=1;a-Flag=D", [Reading("a", "Rtd", 1.0, "D")]),
        ("a-Rtd=,a-Flag=B", [Reading("a", "Rtd", None, "B")]),
        ("a-Rtd=--,a-Flag=B", [Reading("a", "Rtd", None, "B")]),
        (
            "a-Rtd=nan;b-Rtd=inf;c-Rtd=1e400",
            [Reading("a", "Rtd", None), Reading("b", "Rtd", None), Reading("c", "Rtd", None)],
        ),
        ("Flag=N;a-Cou=3", []),
        ("w1-SampleTime=20160801070000,1-Rtd=2.2,w1-Flag=N", [Reading("w1", "Rtd", 2.2, "N")]),
        ("a-Rtd=1,b-Rtd=2,b-Flag=C", [Reading("a", "Rtd", 1.0), Reading("b", "Rtd", 2.0, "C")]),
        ("L5-Data=53.0", [Reading("L5", "Data", 53.0)]),
    ],
)
def test_readings(text: str, expected: list[Reading]) -> None:
    assert body(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20160801085857", AT),
        ("20160801085857123", AT.replace(microsecond=123_000)),
        ("20160231000000", None),
        ("2016080108585", None),
        ("٢٠١٦٠٨٠١٠٨٥٨٥٧", None),
        ("", None),
        (None, None),
    ],
)
def test_times(text: str | None, expected: datetime | None) -> None:
    assert commands.parse_time(text) == expected


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)))
def test_times_go_there_and_back(moment: datetime) -> None:
    assert commands.parse_time(commands.format_time(moment)) == moment.replace(microsecond=0)
    assert commands.parse_time(commands.format_qn(moment)) == moment.replace(
        microsecond=moment.microsecond // 1000 * 1000
    )


values = st.floats(-1e6, 1e6).map(lambda value: float(f"{value:.6f}") + 0.0)
sent_readings = st.builds(
    Reading,
    st.from_regex(r"a[0-9]{5}", fullmatch=True),
    st.sampled_from(["Rtd", "Avg"]),
    values,
    st.none() | st.sampled_from("NFMSDCTB"),
    st.none() | values,
    st.none() | values,
)


@given(st.lists(sent_readings, max_size=10))
def test_a_data_message_says_the_readings_it_was_built_from(sent: list[Reading]) -> None:
    message = commands.minute(**DEVICE, time=AT, readings=sent)
    read = parse(message.encode())
    assert read == message
    assert readings(read) == sent
    assert commands.data_time(read) == AT


def test_messages_of_the_standard_are_built_byte_for_byte() -> None:
    frames = {packet.frame[6:-4] for packet in vectors.read("hj212_2017_appendix_c.tsv")}
    device = {**DEVICE, "st": "32"}
    request = parse(b"QN=20160801085857223;ST=32;CN=2011;PW=123456;MN=010000A8900016F000169DC0;Flag=5;CP=&&&&")
    factor = parse(request.encode().replace(b"CP=&&", b"CP=&&PolId=w01018"))
    restarted = datetime(2016, 8, 1, 8, 56, 24)
    for message in (
        commands.data_answer(request),
        commands.notice_answer(request),
        commands.request_answer(request, QnRtn.READY),
        commands.execution_result(request, ExeRtn.DONE),
        commands.startup(**device, time=AT, restarted=restarted),
    ):
        assert message.encode() in frames, message
    time_set = commands.set_time(factor, qn="20160801085857223", time=AT)
    assert time_set.encode() in frames


def test_minute_data_of_the_standard() -> None:
    packet = next(p for p in vectors.read("hj212_2017_appendix_c.tsv") if b"CN=2051" in p.frame and b"Avg" in p.frame)
    segment = parse(packet.frame[6:-4])
    assert commands.data_time(segment) == datetime(2016, 8, 1, 8, 40)
    assert readings(segment) == [
        Reading("w00000", "Avg", 17.5, "N", 16.4, 20.1),
        Reading("w01001", "Avg", 7.5, "N", 7.1, 7.8),
        Reading("w01018", "Avg", 40.1, "N", 40.1, 40.1),
    ]


@pytest.mark.parametrize(
    ("message", "cn"),
    [
        (commands.realtime(**DEVICE, time=AT, readings=[]), Cn.REALTIME),
        (commands.hour(**DEVICE, time=AT, readings=[]), Cn.HOUR),
        (commands.day(**DEVICE, time=AT, readings=[]), Cn.DAY),
        (commands.heartbeat(**DEVICE), Cn.HEARTBEAT),
        (commands.time_request(**DEVICE), Cn.TIME_REQUEST),
    ],
)
def test_uploads_ask_for_an_answer(message: Segment, cn: Cn) -> None:
    assert message.cn == cn
    assert wants_answer(message.flag)


def test_flag_bits() -> None:
    assert flag_of(Edition.Y2005) == 0
    assert flag_of(Edition.Y2017, answer=True, divided=True) == 7
    assert flag_of(Edition.Y2025, answer=True) == 9
    assert not wants_answer(None)
