from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.hj212.frame import encode
from tests.fuzz.__main__ import CORPUS, Coverage
from tests.fuzz.seeds import seeds
from tests.fuzz.target import one_input

FILES = sorted(CORPUS.iterdir())


def test_there_is_a_corpus() -> None:
    assert len(FILES) >= 25
    assert sum(path.stat().st_size for path in FILES) < 300_000


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_input_of_the_corpus_breaks_a_promise(path: Path) -> None:
    one_input(path.read_bytes())


@given(st.binary(max_size=300), st.lists(st.sampled_from(list(seeds())), max_size=3), st.binary(max_size=50))
def test_nor_do_frames_among_junk(before: bytes, frames: list[bytes], after: bytes) -> None:
    one_input(before + b"".join(frame[1:] for frame in frames) + after)


def test_the_fuzzer_sees_where_an_input_goes() -> None:
    coverage = Coverage()
    plain = b"\x09" + encode(b"QN=1;CN=2011;MN=A1;Flag=5;CP=&&&&")
    assert coverage.of(plain)
    assert not coverage.of(plain)
    assert coverage.of(plain[:-8])
