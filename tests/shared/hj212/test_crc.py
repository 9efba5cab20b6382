import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.hj212.crc import HJ212_LOW_BYTES, CrcMode, crc16, crc16_hj212, crc16_modbus, matching_mode, parse_crc

_HEAD = "QN=20160801085857223;ST={};CN={};PW={};MN=010000A8900016F000169DC0;Flag=5;CP=&&{}&&"

# HJ 212-2017 Appendix A and the examples of its clauses, recomputed; MODBUS beside it where known.
CASES = [
    (b"123456789", 0x2F80, 0x4B37),
    (_HEAD.format(32, 1062, 100000, "RtdInterval=30").encode(), 0x1C80, 0x0759),
    (_HEAD.format(23, 2011, 123456, "DataTime=20160801085857; LA-Rtd=50.1").encode(), 0x1E00, 0x25FB),
    (_HEAD.format(32, 1000, 123456, "OverTime=5;ReCount=3").encode(), 0xCAC1, None),
    (
        b"QN=20160801085000001;ST=91;CN=9014;PW=123456;MN=010000A8900016F000169DC0;Flag=4;CP=&&&&",
        0xC241,
        None,
    ),
]


@pytest.mark.parametrize(("data", "standard", "modbus"), CASES)
def test_known_checksums(data: bytes, standard: int, modbus: int | None) -> None:
    assert crc16_hj212(data) == standard
    if modbus is not None:
        assert crc16_modbus(data) == modbus


def _bit_by_bit(data: bytes) -> int:
    """The algorithm as Appendix A words it."""
    register = 0xFFFF
    for byte in data:
        register = (register >> 8) ^ byte
        for _ in range(8):
            register = (register >> 1) ^ 0xA001 if register & 1 else register >> 1
    return register


@given(st.binary(max_size=300) | st.builds(bytes.__mul__, st.binary(min_size=1, max_size=40), st.integers(1, 600)))
def test_the_table_gives_what_the_bits_give(data: bytes) -> None:
    assert crc16_hj212(data) == _bit_by_bit(data)


@given(st.binary(min_size=1))
def test_the_low_byte_is_one_of_eight(data: bytes) -> None:
    assert crc16_hj212(data) & 0xFF in HJ212_LOW_BYTES


def test_arc_check_value() -> None:
    assert crc16(b"123456789", CrcMode.ARC) == 0xBB3D  # catalogue of CRC algorithms, check value


@pytest.mark.parametrize("mode", [mode for mode in CrcMode if mode is not CrcMode.OFF])
def test_names_the_algorithm_that_a_device_uses(mode: CrcMode) -> None:
    data = CASES[1][0]
    assert matching_mode(data, crc16(data, mode)) is mode


def test_no_algorithm_matches_a_stale_checksum() -> None:
    assert matching_mode(b"123456789", 0x1234) is None


def test_off_has_no_checksum() -> None:
    with pytest.raises(ValueError, match="no checksum"):
        crc16(b"", CrcMode.OFF)


@pytest.mark.parametrize(
    ("digits", "value"),
    [(b"1C80", 0x1C80), (b"1c80", 0x1C80), (b"1G80", None), (b"1C8", None), (b" 1C8", None), (b"+123", None)],
)
def test_reads_four_hexadecimal_digits(digits: bytes, value: int | None) -> None:
    assert parse_crc(digits) == value
