"""`python -m tests.fuzz [SECONDS]`: change what is in the corpus at random, and keep what reaches new lines.

What breaks a promise is written beside the corpus and ends the run with status 1: mend it, then move the file into
the corpus, where the tests try it again.
"""

import hashlib
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from tests.fuzz.seeds import seeds
from tests.fuzz.target import one_input

CORPUS = Path(__file__).parent / "corpus" / "hj212"
MOST_BYTES = 4096
_WATCHED = ("shared/hj212/", "services/ingest/stations/", "services/ingest/meaning/")
_TOKENS = (
    b"##", b"##0", b"##0099", b"&&", b"CP=&&", b";", b",", b"=", b"-Rtd=", b"-Flag=T", b"//", b"=//", b"\r\n", b"\x00",
    b"{0x", b"MN=A2;", b"MN=A4;", b"Flag=7;PNUM=2;PNO=1;", b"RF=1;", b"CN=1013;", b"DataTime=20260301115930", b"\xb5",
)  # fmt: skip
Arc = tuple[str, int, int]


class Coverage:
    """Which lines of the code under test follow which."""

    def __init__(self) -> None:
        self.arcs: set[Arc] = set()
        self._new: set[Arc] = set()

    def of(self, data: bytes) -> bool:
        """Run an input; whether it has gone where none has gone before."""
        self._new = set()
        sys.settrace(self._call)
        try:
            one_input(data)
        finally:
            sys.settrace(None)
        fresh = self._new - self.arcs
        self.arcs |= fresh
        return bool(fresh)

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:  # noqa: ARG002
        name = frame.f_code.co_filename
        if not any(part in name for part in _WATCHED):
            return None
        last = 0

        def line(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal last
            self._new.add((name, last, frame.f_lineno))
            last = frame.f_lineno
            return line

        return line


def changed(data: bytes, corpus: list[bytes], chance: random.Random) -> bytes:
    """The input with one to four changes."""
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randint(0, len(data)), chance.randint(1, 16)
        match chance.randrange(6):
            case 0:
                data = data[:at] + bytes((chance.randrange(256),)) + data[at + 1 :]
            case 1:
                data = data[:at] + data[at + length :]
            case 2:
                data = data[:at] + chance.choice(_TOKENS) + data[at:]
            case 3:
                data = data[:at] + data[max(0, at - length) : at] * chance.randint(1, 9) + data[at:]
            case 4:
                other = chance.choice(corpus)
                data = data[:at] + other[chance.randint(0, len(other)) :]
            case _:
                data = data[:at] + chance.choice(_TOKENS) + data[at + length :]
    return data[:MOST_BYTES]


def inputs(corpus: list[bytes], chance: random.Random, seconds: float) -> Iterator[bytes]:
    """What there is, then changes of it until the time is over."""
    yield from list(corpus)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield changed(chance.choice(corpus), corpus, chance)


def main(seconds: float) -> int:
    """Fuzz for so long; 1 when a promise was broken."""
    corpus = [path.read_bytes() for path in sorted(CORPUS.iterdir())] or list(seeds())
    coverage, chance, tried, begun_with = Coverage(), random.Random(), 0, len(corpus)
    for data in inputs(corpus, chance, seconds):
        tried += 1
        try:
            fresh = coverage.of(data)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is what was looked for)
            path = CORPUS.parent / f"broken-{_name(data)}"
            path.write_bytes(data)
            print(f"fuzz: {type(error).__name__}: {error}\nfuzz: the input is kept in {path}", file=sys.stderr)
            return 1
        if fresh and tried > begun_with:
            corpus.append(data)
        if fresh:
            (CORPUS / _name(data)).write_bytes(data)
    print(f"fuzz: {tried} inputs in {seconds:.0f} s, {len(corpus)} in the corpus, {len(coverage.arcs)} steps reached")
    return 0


def _name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


if __name__ == "__main__":
    try:
        given = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    except ValueError:
        print(f"fuzz: {sys.argv[1]!r} is no number of seconds", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(given))
