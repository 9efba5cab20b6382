"""What is handed to the writer, and what it makes of many such handings before it asks the database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.ingest.meaning.normalise import Observation
from services.ingest.stations.verdicts import Verdict

_BYTES_A_ROW = 200
"""A raw frame of so many bytes weighs as much as an observation."""
_WRONG_LENGTH = frozenset({Verdict.BAD_LENGTH, Verdict.TRUNCATED})
_NOT_REFUSED = frozenset({Verdict.ACCEPTED, Verdict.ANSWER, Verdict.BAD_CRC, *_WRONG_LENGTH})
_NO_FRAME = frozenset({Verdict.BAD_CRC, Verdict.BAD_LENGTH, Verdict.NO_CP, Verdict.JUNK, Verdict.TRUNCATED})


class RowStatus(StrEnum):
    """What became of one observation."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICTING = "conflicting"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RawFrame:
    """Bytes of a station as they came, with the verdict. ``known`` tells whether a park has the MN."""

    received_at: datetime
    mn: str | None
    known: bool
    remote: str
    verdict: Verdict
    detail: str | None
    frame: bytes
    unmapped: int = 0


@dataclass(frozen=True, slots=True)
class Submission:
    """Rows and frames that are stored in one transaction, or not at all. ``source`` names who sent them."""

    source: str
    rows: Sequence[Observation] = ()
    frames: Sequence[RawFrame] = ()

    @property
    def weight(self) -> int:
        """Its share of the bounded queue, in rows."""
        return len(self.rows) + sum(1 + len(frame.frame) // _BYTES_A_ROW for frame in self.frames) or 1


@dataclass(slots=True)
class Tally:
    """What the frames of one device add to its counters."""

    frames: int = 0
    accepted: int = 0
    crc_errors: int = 0
    bad_length: int = 0
    refused: int = 0
    resync_bytes: int = 0
    unmapped: int = 0
    remote: str = ""
    last_seen: datetime | None = None

    def add(self, frame: RawFrame) -> None:
        """Count one frame. Only a frame that holds together tells that the device lives."""
        self.frames += 1
        self.accepted += frame.verdict in (Verdict.ACCEPTED, Verdict.ANSWER)
        self.crc_errors += frame.verdict is Verdict.BAD_CRC
        self.bad_length += frame.verdict in _WRONG_LENGTH
        self.refused += frame.verdict not in _NOT_REFUSED
        self.resync_bytes += len(frame.frame) if frame.verdict in _NO_FRAME else 0
        self.unmapped += frame.unmapped
        self.remote = frame.remote
        if frame.verdict not in _NO_FRAME:
            self.last_seen = frame.received_at if self.last_seen is None else max(self.last_seen, frame.received_at)


@dataclass(slots=True)
class Batch:
    """Several submissions as one: all rows in the order in which they came, each with its submission."""

    submissions: Sequence[Submission]
    rows: list[Observation] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    frames: list[RawFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        for submission in self.submissions:
            self.rows += submission.rows
            self.sources += [submission.source] * len(submission.rows)
            self.frames += submission.frames

    def split(self, statuses: Sequence[RowStatus]) -> list[list[RowStatus]]:
        """The statuses of all rows, cut into those of each submission."""
        parts, start = [], 0
        for submission in self.submissions:
            parts.append(list(statuses[start : start + len(submission.rows)]))
            start += len(submission.rows)
        return parts

    def tallies(self) -> tuple[dict[str, Tally], dict[str, Tally]]:
        """Counts by MN: of known devices and of unknown ones."""
        known: dict[str, Tally] = {}
        unknown: dict[str, Tally] = {}
        for frame in self.frames:
            if frame.mn is None or (not frame.known and frame.verdict is not Verdict.UNKNOWN_MN):
                continue
            (known if frame.known else unknown).setdefault(frame.mn, Tally()).add(frame)
        return known, unknown
