from hypothesis import given
from hypothesis import strategies as st

from shared.hj212.commands import data_time, parse_time
from shared.hj212.readings import Reading, _places, readings
from shared.hj212.segment import Segment, parse

keys = st.sampled_from(
    ["DataTime", "a-Rtd", "a-Flag", "b-Rtd", "b-Flag", "b-Min", "b-Avg", "b-Max", "wb-Rtd", "a-Cou", "Flag", "-", ""]
)
values = st.sampled_from(
    ["1.5", "-2", "N", "D", "", " ", " 3 ", "nan", "1e400", "1_0", "//x", "//", "//;a-Rtd=2//", "=", "٣", "0x1", "&"]
)
links = st.sampled_from([";", ",", "; ", ";;", ",,", ""])
noise = st.tuples(st.sampled_from(["", " ", "a", "-"]), keys, st.sampled_from(["=", "=", "=", "", " ="]), values, links)
bodies = st.lists(noise, max_size=9).map(lambda parts: "".join(map("".join, parts)))


def each_by_itself(body: str) -> list[Reading]:
    """The same readings by the lenient way alone: a value that no shape can stand for is put at the end."""
    return readings(parse(f"CP=&&{body};z-Info=//_//&&".encode()))


@given(bodies)
def test_readings_by_shape_are_those_of_the_lenient_way(body: str) -> None:
    segment = parse(f"CP=&&{body}&&".encode())
    if "//" not in body:  # such a body takes the lenient way anyhow, and may swallow what is put behind it
        assert readings(segment) == each_by_itself(body)


def test_endless_shapes_are_not_remembered() -> None:
    before = _places.cache_info().currsize
    body = "".join(f"a{number}-Rtd=1;" for number in range(300))
    assert len(readings(Segment(groups=None, body=body))) == 300
    assert _places.cache_info().currsize == before
    for number in range(3000):
        readings(Segment(groups=None, body=f"a{number}-Rtd=1"))
    assert _places.cache_info().currsize <= 1024


@given(bodies, bodies)
def test_a_remembered_shape_says_nothing_of_other_values(first: str, second: str) -> None:
    alone = readings(Segment(groups=None, body=second))
    readings(Segment(groups=None, body=first))
    assert readings(Segment(groups=None, body=second)) == alone


def test_no_number_is_read_that_no_instrument_writes() -> None:
    assert [reading.value for reading in readings(parse(b"CP=&&a-Rtd=1_000;b-Rtd=0x10;c-Rtd=-1.50E1&&"))] == [
        None,
        None,
        -15.0,
    ]


@given(bodies)
def test_the_time_of_the_data_is_that_of_the_lenient_way(body: str) -> None:
    told = body.replace("1.5", "20260301120000")
    segment = parse(f"CP=&&{told}&&".encode())
    assert data_time(segment) == parse_time(segment.value("DataTime"))
