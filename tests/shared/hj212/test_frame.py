import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.hj212.crc import CrcMode, crc16
from shared.hj212.frame import (
    JUNK_LIMIT,
    DecodedFrame,
    FrameDecoder,
    Refusal,
    RefusedFrame,
    encode,
)
from tests.shared.hj212 import vectors

GOOD = b"QN=20160801085857223;ST=22;CN=2011;PW=123456;MN=A1;Flag=5;CP=&&DataTime=20160801085857;a21022-Rtd=1.5&&"
OTHER = b"ST=22;CN=2011;PW=123456;MN=B2;CP=&&DataTime=20160801085857;a21022-Rtd=2.5&&"

bodies = st.text(st.characters(codec="utf-8", exclude_characters="#", exclude_categories=["Cs"]), max_size=80).map(
    lambda text: b"QN=1;CP=&&" + text.encode() + b"&&"
)
pieces = st.one_of(
    bodies.map(encode),
    bodies.map(lambda body: encode(body)[:-2]),
    bodies.map(lambda body: encode(body, CrcMode.MODBUS)),
    bodies.map(lambda body: encode(body)[:-7]),
    st.sampled_from([b"#", b"##", b"##01", b"##0012", b"##9999", b"&&", b"CP=&&", b"\r\n", b"####0001"]),
    st.binary(max_size=40),
)
streams = st.lists(pieces, max_size=12).map(b"".join)


def decode(data: bytes, cuts: list[int] | None = None, decoder: FrameDecoder | None = None) -> list[object]:
    decoder = decoder or FrameDecoder()
    found: list[object] = []
    edges = [0, *sorted(cuts or []), len(data)]
    for start, end in pairwise(edges):
        found += decoder.feed(data[start:end])
    return found + list(decoder.close())


@given(st.data())
def test_any_cut_gives_the_same_frames(data: st.DataObject) -> None:
    stream = data.draw(streams)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=20))
    assert decode(stream, cuts) == decode(stream)


@given(streams)
def test_one_byte_at_a_time_gives_the_same_frames(stream: bytes) -> None:
    assert decode(stream, list(range(len(stream)))) == decode(stream)


@given(streams, st.integers(1, 50))
def test_the_buffer_limit_does_not_change_what_is_found(stream: bytes, limit: int) -> None:
    assert decode(stream, decoder=FrameDecoder(buffer_limit=limit)) == decode(stream)


@given(st.lists(bodies, max_size=8))
def test_decoding_is_the_inverse_of_encoding(segments: list[bytes]) -> None:
    found = decode(b"".join(map(encode, segments)))
    assert [frame.segment for frame in found if isinstance(frame, DecodedFrame)] == segments
    assert len(found) == len(segments)


@given(st.lists(bodies, min_size=1, max_size=6), st.data())
def test_frames_survive_without_line_ends(segments: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(encode(segment)[:-2] for segment in segments)
    found = decode(stream, data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    assert [frame.segment for frame in found if isinstance(frame, DecodedFrame)] == segments


@given(st.binary(max_size=2000))
def test_no_input_raises(stream: bytes) -> None:
    decode(stream)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (encode(GOOD, CrcMode.MODBUS), Refusal.BAD_CRC),
        (encode(GOOD).replace(b"##0", b"##8", 1), Refusal.BAD_LENGTH),  # far too long: must not swallow the next
        (b"##%04d" % (len(GOOD) - 1) + encode(GOOD)[6:], Refusal.BAD_LENGTH),
        (encode(GOOD)[:60], Refusal.BAD_LENGTH),  # half a frame
        (encode(b"no body here"), Refusal.NO_CP),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Refusal.JUNK),
        (encode(GOOD)[:-6] + b"zzzz\r\n", Refusal.BAD_CRC),
    ],
)
def test_a_broken_frame_does_no_harm_to_its_neighbours(broken: bytes, reason: Refusal) -> None:
    found = decode(encode(GOOD) + broken + encode(OTHER) + encode(GOOD))
    frames = [frame.segment for frame in found if isinstance(frame, DecodedFrame)]
    refusals = [frame for frame in found if isinstance(frame, RefusedFrame)]
    assert frames == [GOOD, OTHER, GOOD]
    assert refusals[0].reason is reason
    assert refusals[0].raw in broken


def test_neighbours_of_a_frame_that_claims_to_be_long_come_at_once() -> None:
    decoder = FrameDecoder()
    decoder.feed(b"##9000" + GOOD)
    found = decoder.feed(encode(OTHER))
    assert [type(frame) for frame in found] == [RefusedFrame, DecodedFrame]


def test_tells_which_algorithm_would_have_matched() -> None:
    (refused,) = decode(encode(GOOD, CrcMode.MODBUS_SWAPPED))
    assert refused == RefusedFrame(encode(GOOD, CrcMode.MODBUS_SWAPPED)[:-2], Refusal.BAD_CRC, CrcMode.MODBUS_SWAPPED)


def test_a_device_may_have_its_own_checksum() -> None:
    decoder = FrameDecoder(crc_mode_of=lambda segment: CrcMode.ARC if b"MN=B2" in segment else CrcMode.HJ212)
    found = decoder.feed(encode(OTHER, CrcMode.ARC) + encode(GOOD, CrcMode.ARC) + encode(OTHER))
    assert [type(frame) for frame in found] == [DecodedFrame, RefusedFrame, RefusedFrame]


def test_checking_can_be_switched_off_for_a_device() -> None:
    decoder = FrameDecoder(crc_mode_of=lambda _: CrcMode.OFF)
    assert isinstance(decoder.feed(encode(GOOD)[:-6] + b"zzzz\r\n")[0], DecodedFrame)


def test_the_length_counts_bytes() -> None:
    segment = "QN=1;CN=3020;CP=&&i11001-Info=//清洗管路//&&".encode()
    assert encode(segment).startswith(b"##%04d" % len(segment))
    assert decode(encode(segment)) == [DecodedFrame(encode(segment)[:-2], segment, CrcMode.HJ212)]


def test_lower_case_checksums_are_accepted() -> None:
    frame = b"##%04d%s%04x\r\n" % (len(OTHER), OTHER, crc16(OTHER, CrcMode.HJ212))
    assert [type(found) for found in decode(frame)] == [DecodedFrame]


def test_a_frame_above_the_limit_is_refused() -> None:
    found = decode(encode(GOOD) + encode(OTHER), decoder=FrameDecoder(max_length=len(OTHER)))
    assert [frame.segment for frame in found if isinstance(frame, DecodedFrame)] == [OTHER]
    assert isinstance(found[0], RefusedFrame)
    assert found[0].reason is Refusal.BAD_LENGTH


def test_encoding_refuses_what_the_length_field_cannot_say() -> None:
    with pytest.raises(ValueError, match="10000 bytes"):
        encode(b"x" * 10_000)


def test_what_is_left_at_the_end_is_told() -> None:
    assert decode(encode(GOOD)[:50]) == [RefusedFrame(encode(GOOD)[:50], Refusal.TRUNCATED)]


def test_white_space_between_frames_is_no_junk() -> None:
    decoder = FrameDecoder()
    found = decode(b"\r\n" + encode(GOOD) + b"\r\n \r\n" + encode(OTHER), decoder=decoder)
    assert [type(frame) for frame in found] == [DecodedFrame, DecodedFrame]
    assert decoder.resync_bytes == 0


@pytest.mark.parametrize(
    "unit", [b"#", b"##9999", b"##0600CP=&&", b"##", b"##0001", b"&&1C80\r\n", b"##0999QN=1;CP=&&"]
)
def test_hostile_streams_take_linear_time_and_bounded_memory(unit: bytes) -> None:
    def seconds(size: int) -> float:
        decoder = FrameDecoder()
        data = (unit * (size // len(unit) + 1))[:size]
        started = time.perf_counter()
        most = 0
        for start in range(0, size, 4096):
            decoder.feed(data[start : start + 4096])
            most = max(most, decoder.held)
        assert most <= 4096 + 10_009 + JUNK_LIMIT
        return time.perf_counter() - started

    # A quadratic decoder needs minutes for this.
    assert seconds(1_000_000) < 10


@pytest.mark.parametrize("name", ["hj212_field_packets.tsv", "hj212_2017_appendix_c.tsv"])
def test_packets_of_the_standard_and_of_the_field(name: str) -> None:
    packets = vectors.read(name)
    found = decode(b"".join(packet.frame + b"\r\n" for packet in packets))
    good = [frame.raw for frame in found if isinstance(frame, DecodedFrame)]
    bad = [frame.raw for frame in found if isinstance(frame, RefusedFrame)]
    expected = [packet for packet in packets if packet.valid or name.endswith("appendix_c.tsv")]
    assert good == [packet.frame for packet in expected]
    assert bad == [packet.frame for packet in packets if packet not in expected]


def test_field_packets_with_another_checksum_are_named() -> None:
    packets = [packet for packet in vectors.read("hj212_field_packets.tsv") if "byte-swapped" in packet.verdict]
    assert packets
    for packet in packets:
        (refused,) = decode(packet.frame)
        assert isinstance(refused, RefusedFrame)
        assert refused.would_match is CrcMode.MODBUS_SWAPPED
