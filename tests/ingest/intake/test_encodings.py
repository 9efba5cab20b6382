import contextlib
import gzip
from collections.abc import Callable
from itertools import pairwise

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.intake.encodings import PIECE_BYTES, Opener, opened
from shared.problems import BadRequest, TooLarge, UnsupportedMediaType

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor(level=3).compress,
    "identity": bytes,
}
TEXT = b"station,property,time,value\n" * 1000


@pytest.mark.parametrize("encoding", PACKERS)
@given(data=st.binary(max_size=3000) | st.just(TEXT), cuts=st.lists(st.integers(0, 3000), max_size=5))
def test_a_body_in_pieces_is_what_it_was(encoding: str, data: bytes, cuts: list[int]) -> None:
    packed = PACKERS[encoding](data)
    places = [0, *sorted(min(cut, len(packed)) for cut in cuts), len(packed)]
    opener = Opener(encoding)
    found = b"".join(b"".join(opener.feed(packed[a:b])) for a, b in pairwise(places))
    opener.end()
    assert found == data


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_several_members_are_one_body(encoding: str) -> None:
    pack = PACKERS[encoding]
    assert opened(pack(b"one") + pack(b"") + pack(b"two"), encoding, 100) == b"onetwo"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_is_refused_before_it_is_opened(encoding: str) -> None:
    bomb = PACKERS[encoding](b"\0" * 60_000_000)
    assert len(bomb) < 60_000
    largest = max(map(len, Opener(encoding).feed(bomb)))
    assert largest <= PIECE_BYTES
    with pytest.raises(TooLarge):
        opened(bomb, encoding, 1_000_000)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("cut", [1, 5, 12])
def test_a_body_that_breaks_off(encoding: str, cut: int) -> None:
    with pytest.raises(BadRequest, match="breaks off"):
        opened(PACKERS[encoding](TEXT)[:-cut], encoding, 100_000)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@given(junk=st.binary(max_size=200))
def test_junk_raises_nothing_else(encoding: str, junk: bytes) -> None:
    with contextlib.suppress(BadRequest, TooLarge):
        opened(junk, encoding, 1000)


def test_a_window_that_takes_too_much_memory() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(BadRequest, match="memory"):
        opened(packer.compress(b"x" * 1000) + packer.flush(), "zstd", 10_000)


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, zstd", "x" * 100])
def test_other_encodings(encoding: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="gzip, zstd"):
        Opener(encoding)
