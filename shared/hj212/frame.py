"""Frames of HJ 212 out of a byte stream, and back.

A frame is ``##``, the length of the data segment as four digits, the segment, four hexadecimal digits of
checksum, CR LF (HJ 212-2017 Table 2). Streams of the field hold junk, half frames, wrong lengths and checksums, and
frames without CR LF. What the decoder returns depends on the bytes alone and never on how they were cut into pieces.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shared.hj212.crc import CrcMode, crc16, matching_mode, parse_crc

HEADER_BYTES = 6
CRC_BYTES = 4
MAX_LENGTH = 9999
JUNK_LIMIT = 1024
"""Junk is reported in pieces of at most this many bytes, so that it cannot pile up in memory."""

_HEADER = re.compile(rb"##[0-9]{4}")
_BROKEN_HEADER_AT_END = re.compile(rb"(?:##[0-9]{0,3}|#)\Z")
_BODY_START = b"CP=&&"
_BODY_END = b"&&"
_ENCRYPTED = b"{0"
_WHITESPACE = b"\r\n \t\x00"


class Refusal(StrEnum):
    """Why bytes of the stream were not taken as a frame."""

    BAD_LENGTH = "bad_length"
    BAD_CRC = "bad_crc"
    NO_CP = "no_cp"
    JUNK = "junk"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A frame whose length and checksum hold. ``raw`` is without the closing CR LF, ``segment`` is never encrypted."""

    raw: bytes
    segment: bytes
    crc_mode: CrcMode


@dataclass(frozen=True, slots=True)
class RefusedFrame:
    """Bytes that are no good frame: why, and which checksum algorithm would have accepted them, if one would."""

    raw: bytes
    reason: Refusal
    would_match: CrcMode | None = None


class BodyCipher(Protocol):
    """How a device encrypts what stands between ``CP=&&`` and ``&&`` (edition of 2025)."""

    def encrypt(self, body: bytes) -> bytes:
        """The body as it is sent."""

    def decrypt(self, body: bytes) -> bytes:
        """The body as it is meant; a plain one is returned as it is."""


def encode(segment: bytes, mode: CrcMode = CrcMode.HJ212, cipher: BodyCipher | None = None) -> bytes:
    """The frame of one data segment, with CR LF. Raises ValueError above 9999 bytes (the length field ends there)."""
    sent = segment if cipher is None else _with_body(segment, cipher.encrypt)
    if len(sent) > MAX_LENGTH:
        raise ValueError(f"a data segment of {len(sent)} bytes does not fit a frame, the limit is {MAX_LENGTH}")
    return b"##%04d%s%04X\r\n" % (len(sent), sent, crc16(segment, mode))


def _with_body(segment: bytes, change: Callable[[bytes], bytes]) -> bytes:
    start, end = segment.find(_BODY_START) + len(_BODY_START), len(segment) - len(_BODY_END)
    if start < len(_BODY_START) or end < start or not segment.endswith(_BODY_END):
        return segment
    return segment[:start] + change(segment[start:end]) + segment[end:]


def no_cipher(_segment: bytes) -> BodyCipher | None:
    """No device encrypts."""
    return None


def standard_crc(_segment: bytes) -> CrcMode:
    """Every device follows the standard."""
    return CrcMode.HJ212


def _agrees(received: int, mode: CrcMode, plain: bytes, segment: bytes) -> bool:
    return crc16(plain, mode) == received or (plain is not segment and crc16(segment, mode) == received)


class FrameDecoder:
    """Turns pieces of a byte stream into frames and refusals, in the order of the stream.

    A candidate (``##`` and four digits) is refused as soon as another header stands inside its declared extent: no
    segment holds one. That frees neighbours of a frame with a wrong length at once and keeps the work linear, because
    each byte belongs to one candidate only.

    ``crc_mode_of`` tells for a segment how its checksum is verified (a device may be known to use another algorithm),
    ``cipher_of`` how its body is encrypted. The checksum of an encrypted one is that of the plain text; that of the
    text as sent is taken too, because few have met such frames so far.
    """

    def __init__(
        self,
        max_length: int = MAX_LENGTH,
        buffer_limit: int = 65536,
        crc_mode_of: Callable[[bytes], CrcMode] = standard_crc,
        cipher_of: Callable[[bytes], BodyCipher | None] = no_cipher,
    ) -> None:
        self._max_length = min(max_length, MAX_LENGTH)
        self._buffer_limit = max(buffer_limit, 1)
        self._crc_mode_of = crc_mode_of
        self._cipher_of = cipher_of
        self._buffer = bytearray()
        self._junk = bytearray()
        self._searched = 0
        self.resync_bytes = 0
        """Bytes skipped so far that belonged to no frame (white space between frames is not counted)."""

    @property
    def awaiting(self) -> int:
        """Bytes of a frame whose rest is awaited."""
        return len(self._buffer)

    @property
    def held(self) -> int:
        """All bytes that the decoder holds: of an unfinished frame and of junk not yet told."""
        return len(self._buffer) + len(self._junk)

    def feed(self, data: bytes) -> list[DecodedFrame | RefusedFrame]:
        """Take the next bytes of the stream; return what they complete."""
        found: list[DecodedFrame | RefusedFrame] = []
        for start in range(0, len(data), self._buffer_limit):
            self._buffer += data[start : start + self._buffer_limit]
            self._scan(found)
        return found

    def close(self) -> list[DecodedFrame | RefusedFrame]:
        """The stream has ended: return what was left over."""
        found: list[DecodedFrame | RefusedFrame] = []
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._searched = 0
        if _HEADER.match(rest):
            self._flush_junk(found)
            found.append(RefusedFrame(rest, Refusal.TRUNCATED))
        else:
            self._skip(rest, found)
            self._flush_junk(found)
        return found

    def _scan(self, found: list[DecodedFrame | RefusedFrame]) -> None:
        buffer, position = self._buffer, 0
        while True:
            header = _HEADER.search(buffer, position)
            if header is None:
                broken = _BROKEN_HEADER_AT_END.search(buffer, max(position, len(buffer) - HEADER_BYTES + 1))
                keep = broken.start() if broken else len(buffer)
                self._skip(buffer[position:keep], found)
                position = keep
                break
            start = header.start()
            if start > position:
                self._skip(buffer[position:start], found)
                position = start
            end = self._candidate(position, found)
            if end is None:
                break
            position = end
            self._searched = 0
        del buffer[:position]

    def _candidate(self, start: int, found: list[DecodedFrame | RefusedFrame]) -> int | None:
        """Judge the candidate at ``start``; the position to go on from, or None while bytes are missing."""
        buffer = self._buffer
        length = int(buffer[start + 2 : start + HEADER_BYTES])
        if length > self._max_length:
            self._refuse(bytes(buffer[start : start + HEADER_BYTES]), Refusal.BAD_LENGTH, None, found)
            return start + HEADER_BYTES
        end = start + HEADER_BYTES + length + CRC_BYTES
        inner = _HEADER.search(buffer, start + max(self._searched, HEADER_BYTES), end)
        if inner is not None:
            self._refuse(bytes(buffer[start : inner.start()]), Refusal.BAD_LENGTH, None, found)
            return inner.start()
        if len(buffer) < end:
            # The next search begins far enough back to see a header that lies across the cut.
            self._searched = max(HEADER_BYTES, len(buffer) - start - HEADER_BYTES + 1)
            return None
        raw = bytes(buffer[start:end])
        verdict = self._judge(raw)
        if isinstance(verdict, DecodedFrame):
            self._flush_junk(found)
            found.append(verdict)
            return end
        # A header may begin inside the refused bytes and end after them: leave its first bytes for the next search.
        broken = _BROKEN_HEADER_AT_END.search(raw, max(HEADER_BYTES, len(raw) - HEADER_BYTES + 1))
        if broken is not None:
            verdict = RefusedFrame(raw[: broken.start()], verdict.reason, verdict.would_match)
            end = start + broken.start()
        self._refuse(verdict.raw, verdict.reason, verdict.would_match, found)
        return end

    def _judge(self, raw: bytes) -> DecodedFrame | RefusedFrame:
        segment = raw[HEADER_BYTES:-CRC_BYTES]
        received = parse_crc(raw[-CRC_BYTES:])
        body = segment.find(_BODY_START)
        whole = body >= 0 and segment.endswith(_BODY_END) and len(segment) >= body + len(_BODY_START) + 2
        mode = self._crc_mode_of(segment)
        plain = self._decrypt(segment)
        if mode is CrcMode.OFF or (received is not None and _agrees(received, mode, plain, segment)):
            return DecodedFrame(raw, plain, mode) if whole else RefusedFrame(raw, Refusal.NO_CP, mode)
        if not whole:
            return RefusedFrame(raw, Refusal.BAD_LENGTH)
        return RefusedFrame(raw, Refusal.BAD_CRC, None if received is None else matching_mode(segment, received))

    def _decrypt(self, segment: bytes) -> bytes:
        cipher = self._cipher_of(segment) if _ENCRYPTED in segment else None
        return segment if cipher is None else _with_body(segment, cipher.decrypt)

    def _refuse(
        self, raw: bytes, reason: Refusal, would_match: CrcMode | None, found: list[DecodedFrame | RefusedFrame]
    ) -> None:
        self._flush_junk(found)
        self.resync_bytes += len(raw)
        found.append(RefusedFrame(raw, reason, would_match))

    def _skip(self, data: bytes | bytearray, found: list[DecodedFrame | RefusedFrame]) -> None:
        position = 0
        while position < len(data):
            taken = data[position : position + JUNK_LIMIT - len(self._junk)]
            self._junk += taken
            position += len(taken)
            if len(self._junk) >= JUNK_LIMIT:
                self._flush_junk(found)

    def _flush_junk(self, found: list[DecodedFrame | RefusedFrame]) -> None:
        if not self._junk:
            return
        junk = bytes(self._junk).strip(_WHITESPACE)
        self._junk.clear()
        if junk:
            self.resync_bytes += len(junk)
            found.append(RefusedFrame(junk, Refusal.JUNK))
