"""What is handed to the writer, and what it makes of many such handings before it asks the database."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from services.ingest.meaning.normalise import Observation
from services.ingest.meaning.reports import DeviceReport
from services.ingest.stations.verdicts import Verdict
from services.ingest.writing.columns import Columns

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


STATUSES = tuple(RowStatus)
"""A status by its code."""
ACCEPTED, DUPLICATE, CONFLICTING = (
    STATUSES.index(status) for status in (RowStatus.ACCEPTED, RowStatus.DUPLICATE, RowStatus.CONFLICTING)
)
StatusCodes = NDArray[np.uint8]
"""What became of each of many observations: positions in `STATUSES`."""
NO_CODES: StatusCodes = np.empty(0, np.uint8)


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
class KeyedAnswer:
    """What is answered to a request under its `Idempotency-Key`: ``body``, given what became of its observations."""

    park_id: str
    caller: str
    key: str
    fingerprint: bytes
    body: Callable[[StatusCodes], bytes]


@dataclass(frozen=True, slots=True)
class Submission:
    """Observations, frames and reports that are stored in one transaction, or not at all.

    ``source`` names who sent them and ``parks`` whom they concern. Who has few observations gives ``rows``, who has
    thousands gives ``columns``; not both. What is ``ordered`` is committed after all that its source has handed in.
    ``answer`` is kept with it.
    """

    source: str
    rows: Sequence[Observation] = ()
    frames: Sequence[RawFrame] = ()
    columns: Columns | None = None
    parks: frozenset[str] = frozenset()
    ordered: bool = True
    reports: Sequence[DeviceReport] = ()
    answer: KeyedAnswer | None = None

    def __len__(self) -> int:
        return len(self.rows) if self.columns is None else len(self.columns)

    def __bool__(self) -> bool:
        return True

    @property
    def shards(self) -> set[int]:
        """The shards that its observations go to."""
        if self.columns is None:
            return {row.shard for row in self.rows}
        return set(np.unique(self.columns.shard).tolist())

    @property
    def weight(self) -> int:
        """Its share of the bounded queue, in rows."""
        frames = sum(1 + len(frame.frame) // _BYTES_A_ROW for frame in self.frames)
        return len(self) + frames + len(self.reports) or 1


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
        """Count one frame. Only one that holds together tells that the device lives, and not under a wrong password."""
        self.frames += 1
        self.accepted += frame.verdict in (Verdict.ACCEPTED, Verdict.ANSWER)
        self.crc_errors += frame.verdict is Verdict.BAD_CRC
        self.bad_length += frame.verdict in _WRONG_LENGTH
        self.refused += frame.verdict not in _NOT_REFUSED
        self.resync_bytes += len(frame.frame) if frame.verdict in _NO_FRAME else 0
        self.unmapped += frame.unmapped
        self.remote = frame.remote
        if frame.verdict not in _NO_FRAME and frame.verdict is not Verdict.WRONG_PASSWORD:
            self.last_seen = frame.received_at if self.last_seen is None else max(self.last_seen, frame.received_at)


@dataclass(slots=True)
class Batch:
    """Several submissions as one: all observations in the order in which they came."""

    submissions: Sequence[Submission]
    columns: Columns = field(init=False)
    frames: list[RawFrame] = field(default_factory=list)
    reports: list[DeviceReport] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.columns = _columns_of(self.submissions)
        for submission in self.submissions:
            self.frames += submission.frames
            self.reports += submission.reports

    def split(self, codes: StatusCodes) -> list[StatusCodes]:
        """The statuses of all observations, cut into those of each submission."""
        ends = np.cumsum([len(submission) for submission in self.submissions])
        return np.split(codes, ends[:-1])

    def source_of(self, index: int) -> str:
        """Who sent an observation."""
        ends = np.cumsum([len(submission) for submission in self.submissions])
        return self.submissions[int(np.searchsorted(ends, index, side="right"))].source

    def parks_by_shard(self) -> dict[int, set[str]]:
        """Whom the observations of each shard concern; nobody where one of the senders does not tell."""
        parks: dict[int, set[str]] = {}
        untold: set[int] = set()
        for submission in self.submissions:
            for shard in submission.shards:
                parks.setdefault(shard, set()).update(submission.parks)
                if not submission.parks:
                    untold.add(shard)
        return parks | {shard: set() for shard in untold}

    def tallies(self) -> tuple[dict[str, Tally], dict[str, Tally]]:
        """Counts by MN: of known devices and of unknown ones."""
        known: dict[str, Tally] = {}
        unknown: dict[str, Tally] = {}
        for frame in self.frames:
            if frame.mn is None or (not frame.known and frame.verdict is not Verdict.UNKNOWN_MN):
                continue
            (known if frame.known else unknown).setdefault(frame.mn, Tally()).add(frame)
        return known, unknown


def _columns_of(submissions: Sequence[Submission]) -> Columns:
    """Small submissions are put into columns together, not one by one."""
    parts: list[Columns] = []
    for large, group in groupby(submissions, key=lambda submission: submission.columns is not None):
        if large:
            parts += [submission.columns for submission in group if submission.columns is not None]
        else:
            parts.append(Columns.of([row for submission in group for row in submission.rows]))
    return parts[0] if len(parts) == 1 else Columns.joined(parts)
