"""Packets of the standard and of the field, from the folder `shared/vectors` beside the project where it exists."""

from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "vectors"


@dataclass(frozen=True)
class Packet:
    """One packet without CR LF, and what the collection says of it."""

    frame: bytes
    source: str
    verdict: str

    @property
    def valid(self) -> bool:
        return "VALID-HJ212" in self.verdict and "INVALID" not in self.verdict


def read(name: str) -> list[Packet]:
    """The packets of one file; skips the test where the collection is absent."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"the packet collection {name} is not beside the project")
    packets = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("# "):
            frame, source, verdict = line.split("\t")
            packets.append(Packet(frame.encode(), source, verdict))
    return packets
