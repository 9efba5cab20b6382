"""Compressed bodies, opened piece by piece: no piece of input gives more than `PIECE_BYTES` of output.

Deflate cannot expand more than 1032-fold and zstd not more than 32768-fold (a block of 128 KiB from 4 bytes), so the
input is cut into slices that stay below the bound whatever they hold.
"""

import zlib
from collections.abc import Iterator
from typing import Protocol

import zstandard

from shared.problems import BadRequest, TooLarge, UnsupportedMediaType

PIECE_BYTES = 16 * 1024 * 1024
MAX_WINDOW_BYTES = 8 * 1024 * 1024
"""What RFC 8878 asks every decoder to support, and what all but zstd's "ultra" levels use."""
ENCODINGS = ("identity", "gzip", "zstd")


class _Stream(Protocol):
    """One gzip member or zstd frame being opened."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class Opener:
    """Opens a body that comes in pieces."""

    def __init__(self, encoding: str) -> None:
        """Raises UnsupportedMediaType for an encoding that is none of ``ENCODINGS``."""
        self._encoding = {"": "identity", "x-gzip": "gzip"}.get(encoding.strip().lower(), encoding.strip().lower())
        if self._encoding not in ENCODINGS:
            raise UnsupportedMediaType(
                f"Content-Encoding '{encoding[:40]}' is not known; send one of {', '.join(ENCODINGS)}.",
                headers={"Accept-Encoding": "gzip, zstd"},
            )
        self._stream: _Stream | None = None
        self._slice = PIECE_BYTES // (1032 if self._encoding == "gzip" else 32_768)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What a piece of the body holds. Raises BadRequest where it is not in the encoding."""
        if self._encoding == "identity":
            yield data
            return
        for start in range(0, len(data), self._slice):
            rest = data[start : start + self._slice]
            while rest:
                stream = self._stream or self._begin()
                try:
                    opened = stream.decompress(rest)
                except (zlib.error, zstandard.ZstdError) as error:
                    raise BadRequest(f"The body is not {self._encoding}: {error}.") from error
                if opened:
                    yield opened
                # Several members one after the other are one body (RFC 1952, 2.2; RFC 8878, 3.1).
                rest = stream.unused_data if stream.eof else b""
                self._stream = None if stream.eof else stream

    def end(self) -> None:
        """The body has ended; raises BadRequest where it broke off."""
        if self._stream is not None:
            raise BadRequest(f"The body is not whole: its {self._encoding} breaks off.")

    def _begin(self) -> _Stream:
        if self._encoding == "gzip":
            self._stream = zlib.decompressobj(wbits=31)
        else:
            self._stream = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES).decompressobj()
        return self._stream


def opened(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """The whole of a body; raises TooLarge when it is more than ``max_bytes`` once opened."""
    opener = Opener(encoding)
    parts: list[bytes] = []
    total = 0
    for part in opener.feed(body):
        total += len(part)
        if total > max_bytes:
            raise TooLarge(f"The body has more than {max_bytes} bytes once opened; send it in parts.")
        parts.append(part)
    opener.end()
    return parts[0] if len(parts) == 1 else b"".join(parts)
