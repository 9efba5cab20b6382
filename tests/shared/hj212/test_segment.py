import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.hj212.segment import Pair, Segment, build, parse
from tests.shared.hj212 import vectors

words = st.text(st.sampled_from("abcXYZ0159_."), min_size=1, max_size=8)
pairs = st.builds(Pair, words, st.none() | words, words | st.just(""))
groups = st.lists(st.lists(pairs, min_size=1, max_size=4).map(tuple), max_size=4).map(tuple)
numbers = st.none() | st.integers(0, 9999)
segments = st.builds(
    Segment,
    qn=st.none() | words,
    st=st.none() | words,
    cn=st.none() | words,
    pw=st.none() | words,
    mn=st.none() | words,
    flag=numbers,
    pnum=numbers,
    pno=numbers,
    extra=st.lists(st.tuples(st.sampled_from(["RF", "X1"]), words), max_size=2).map(tuple),
    groups=groups,
)


@given(segments)
def test_parsing_is_the_inverse_of_encoding(segment: Segment) -> None:
    assert parse(segment.encode()) == segment


@given(st.binary(max_size=400))
def test_no_input_raises(data: bytes) -> None:
    parse(data)


@given(st.text(st.sampled_from("QNSTCPMW=&;,-/ 1a#"), max_size=200))
def test_no_input_close_to_the_grammar_raises(text: str) -> None:
    parse(text.encode())


def test_fields_of_a_plain_segment() -> None:
    segment = parse(
        b"QN=20160801085857223;ST=32;CN=2061;PW=123456;MN=010000A8900016F000169DC0;Flag=7;PNUM=2;PNO=1;"
        b"CP=&&DataTime=20160801080000;w01001-Min=7.1,w01001-Avg=7.5,w01001-Flag=N&&"
    )
    assert segment == Segment(
        qn="20160801085857223",
        st="32",
        cn="2061",
        pw="123456",
        mn="010000A8900016F000169DC0",
        flag=7,
        pnum=2,
        pno=1,
        groups=(
            (Pair("DataTime", None, "20160801080000"),),
            (Pair("w01001", "Min", "7.1"), Pair("w01001", "Avg", "7.5"), Pair("w01001", "Flag", "N")),
        ),
    )
    assert segment.value("DataTime") == "20160801080000"
    assert segment.value("w01001") is None


HEAD = "QN=1;ST=32;CN=2011;PW=2;MN=3;Flag=5;"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("QN=1,ST=32;CN=2011;PW=2;MN=3;Flag=5;CP=&&&&", {"qn": "1", "st": "32"}),
        ("QN=1;ST=32;CN=2011;PW=2;MN=3;Flag=5CP=&&&&", {"flag": 5}),
        ("QN=1;ST=32;CN=2011;PW=2;MN=3; Flag=5;CP=&&&&", {"flag": 5}),
        ("ST=32;CN=2011;QN=1;PW=2;MN=3;CP=&&&&", {"qn": "1", "flag": None}),
        ("ST=32;MN=;CP=&&&&", {"mn": "", "qn": None, "cn": None}),
        ("ST=31;CN=2051;PW=1;MN=1;PNO=0002;PNUM=0003;CP=&&&&", {"pno": 2, "pnum": 3}),
        ("ST=31;Flag=x;RF=1;CP=&&&&", {"flag": None, "extra": (("RF", "1"),)}),
        ("QN=1;QN=2;CP=&&&&", {"qn": "1", "extra": (("QN", "2"),)}),
        (HEAD + "CP=&& &&", {"groups": ()}),
        (HEAD + "CP=&&A=1;&&", {"groups": ((Pair("A", None, "1"),),)}),
        (HEAD + "CP=&&A=1; LA-Rtd=50.1&&", {"groups": ((Pair("A", None, "1"),), (Pair("LA", "Rtd", "50.1"),))}),
        (HEAD + "CP=&&i12003-Info =0&&", {"groups": ((Pair("i12003", "Info", "0"),),)}),
        (HEAD + "CP=&&B=1,E=2&&", {"groups": ((Pair("B", None, "1"), Pair("E", None, "2")),)}),
        (HEAD + "CP=&&Flag=N;x;=3;a-Rtd=-1&&", {"groups": ((Pair("Flag", None, "N"),), (Pair("a", "Rtd", "-1"),))}),
        (
            HEAD + "CP=&&i11001-Info=//清洗;管路,=1//;P=2&&",
            {"groups": ((Pair("i11001", "Info", "//清洗;管路,=1//"),), (Pair("P", None, "2"),))},
        ),
        (HEAD + "CP=&&i1-Info=//open;b=2&&", {"groups": ((Pair("i1", "Info", "//open"),), (Pair("b", None, "2"),))}),
        ("no fields at all", {"qn": None, "groups": ()}),
    ],
)
def test_tolerances(text: str, expected: dict[str, object]) -> None:
    segment = parse(text.encode())
    assert {name: getattr(segment, name) for name in expected} == expected


def test_older_loggers_send_gbk() -> None:
    segment = parse("CN=3020;CP=&&i11001-Info=//清洗管路//&&".encode("gbk"))
    assert segment.groups == ((Pair("i11001", "Info", "//清洗管路//"),),)


def test_build_sets_the_parts() -> None:
    segment = build("9014", qn="1", st="91", pw="2", mn="3", flag=4)
    assert segment.encode() == b"QN=1;ST=91;CN=9014;PW=2;MN=3;Flag=4;CP=&&&&"


@pytest.mark.parametrize("unit", ["=//", "a=//;", "=//x//,", ";", "=,", "-"])
def test_hostile_segments_take_linear_time(unit: str) -> None:
    text = f"CP=&&{unit * (9000 // len(unit))}&&".encode()
    started = time.perf_counter()
    for _ in range(10):
        parse(text)
    assert time.perf_counter() - started < 2


def test_every_packet_of_the_standard_has_its_fields() -> None:
    for packet in vectors.read("hj212_2017_appendix_c.tsv"):
        segment = parse(packet.frame[6:-4])
        assert segment.mn == "010000A8900016F000169DC0", packet
        assert len(segment.cn or "") == 4
        assert segment.flag in (4, 5, 6, 7), packet
        assert len(segment.qn or "") == 17


@given(
    st.text(st.characters(codec="utf-8", exclude_characters=";,="), max_size=8),
    st.text(st.characters(codec="utf-8", exclude_characters=";,="), max_size=8),
    st.text(st.sampled_from("a-Rtd=1;&N,"), max_size=20),
)
def test_a_well_behaved_head_is_read_as_leniently_as_any(pw: str, mn: str, body: str) -> None:
    text = f"QN=20160801085857223;ST=22;CN=2011;PW={pw};MN={mn};Flag=5;CP=&&{body}&&"
    assert parse(text.encode()) == parse(b" " + text.encode())
