"""CRC16 of HJ 212 and the other sixteen-bit checksums that stations are seen to send.

HJ 212-2017 Appendix A looks like CRC-16/MODBUS but is not: each step starts from ``(reg >> 8) ^ byte`` and so throws
the low byte of the register away. Only 256 results exist, which is why a frame is checked in other ways too.
"""

from enum import StrEnum

_POLYNOMIAL = 0xA001
HJ212_LOW_BYTES = frozenset({0x00, 0x01, 0x40, 0x41, 0x80, 0x81, 0xC0, 0xC1})


class CrcMode(StrEnum):
    """How the checksum of a device's frames is verified."""

    HJ212 = "hj212"
    MODBUS = "modbus"
    MODBUS_SWAPPED = "modbus_swapped"
    ARC = "arc"
    OFF = "off"


def _table() -> tuple[int, ...]:
    table = []
    for index in range(256):
        register = index
        for _ in range(8):
            register = (register >> 1) ^ _POLYNOMIAL if register & 1 else register >> 1
        table.append(register)
    return tuple(table)


_TABLE = _table()
_HIGH = bytes(entry >> 8 for entry in _TABLE)


def _advance_tables() -> dict[int, bytes]:
    """What a step makes of a byte, done 16, 32, 64, ... times: by the number of steps."""
    table, tables, steps = _HIGH, {}, 1
    while steps < _LONGEST:
        table, steps = table.translate(table), steps * 2
        if steps >= _SHORT:
            tables[steps] = table
    return tables


_SHORT = 16
_LONGEST = 8192
_AFTER = _advance_tables()


def crc16_hj212(data: bytes) -> int:
    """The checksum of HJ 212-2017 Appendix A, 0..0xFFFF.

    Only the high byte of the register survives a step, so a table of single bytes carries it up to the last one. That
    table is linear over GF(2): what the front part of the data does to the register can be added, byte by byte, to the
    bytes that follow. So long data are folded in halves before they are walked through.
    """
    if not data:
        return 0xFFFF
    folded = bytes((data[0] ^ 0xFF,)) + data[1:]
    size = len(folded)
    while size > _SHORT:
        half = min(1 << ((size - 1).bit_length() - 1), _LONGEST)
        front = int.from_bytes(folded[:-half].translate(_AFTER[half]), "big")
        folded = (front ^ int.from_bytes(folded[-half:], "big")).to_bytes(max(half, size - half), "big")
        size = len(folded)
    high, table = 0, _HIGH
    for byte in folded[:-1]:
        high = table[high ^ byte]
    return _TABLE[high ^ folded[-1]]


def _crc16_reflected(data: bytes, register: int) -> int:
    table = _TABLE
    for byte in data:
        register = (register >> 8) ^ table[(register ^ byte) & 0xFF]
    return register


def crc16_modbus(data: bytes) -> int:
    """CRC-16/MODBUS: polynomial 0x8005 reflected, start 0xFFFF."""
    return _crc16_reflected(data, 0xFFFF)


def crc16_arc(data: bytes) -> int:
    """CRC-16/ARC: polynomial 0x8005 reflected, start 0."""
    return _crc16_reflected(data, 0)


def crc16(data: bytes, mode: CrcMode) -> int:
    """The checksum of ``data`` by the algorithm that ``mode`` names; ``OFF`` has none and raises ValueError."""
    match mode:
        case CrcMode.HJ212:
            return crc16_hj212(data)
        case CrcMode.MODBUS:
            return crc16_modbus(data)
        case CrcMode.MODBUS_SWAPPED:
            value = crc16_modbus(data)
            return (value & 0xFF) << 8 | value >> 8
        case CrcMode.ARC:
            return crc16_arc(data)
        case CrcMode.OFF:
            raise ValueError("crc mode 'off' has no checksum")


def matching_mode(data: bytes, received: int) -> CrcMode | None:
    """The first algorithm that gives ``received`` for ``data``: tells an operator what a device really sends."""
    for mode in (CrcMode.HJ212, CrcMode.MODBUS, CrcMode.MODBUS_SWAPPED, CrcMode.ARC):
        if crc16(data, mode) == received:
            return mode
    return None


def parse_crc(digits: bytes) -> int | None:
    """Four hexadecimal digits of either case as a number; None when they are something else."""
    if len(digits) != 4 or digits.strip(b"0123456789abcdefABCDEF"):
        return None
    return int(digits, 16)
