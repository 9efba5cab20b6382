"""The archive of raw frames: those of one device, page by page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.stations.verdicts import Verdict
from shared import cursors
from shared.time import EPOCH, from_microseconds, to_microseconds

_PASSWORD = re.compile(r"((?:PW|NewSK)=)[^;,&]*")
_COLUMNS = "received_at, coalesce(number, 0) AS number, remote, verdict, detail, frame, unmapped"
# What was quarantined belonged to nobody; all else to the park that had the device when it came.
_OF_DEVICE = """
    mn = :mn AND received_at >= :since AND received_at < :until
    AND (verdict = 'unknown_mn' OR received_at >= (SELECT registered_at FROM device WHERE mn = :mn))
"""
# The time alone bounds what the index gives; the pair then tells frames of one microsecond apart.
_LATEST = text(
    f"""
    SELECT {_COLUMNS} FROM raw_frame
    WHERE {_OF_DEVICE} AND verdict = ANY(:verdicts)
      AND received_at <= :at AND (received_at, coalesce(number, 0)) < (:at, :number)
    ORDER BY received_at DESC, coalesce(number, 0) DESC LIMIT :limit
    """  # noqa: S608  (constants of this file)
)
_OLDEST = text(
    f"""
    SELECT {_COLUMNS} FROM raw_frame
    WHERE {_OF_DEVICE} AND (verdict = ANY(:verdicts) OR (:unmapped AND unmapped > 0))
      AND received_at >= :at AND (received_at, coalesce(number, 0)) > (:at, :number)
    ORDER BY received_at, coalesce(number, 0) LIMIT :limit
    """  # noqa: S608  (constants of this file)
)
_END = datetime(9999, 1, 1, tzinfo=UTC)


class Place(NamedTuple):
    """Where a page of the archive ended."""

    at: datetime
    number: int

    def cursor(self) -> str:
        """The place as a caller passes it back."""
        return cursors.write(to_microseconds(self.at), self.number)

    @classmethod
    def of(cls, cursor: str) -> "Place":
        """The inverse of ``cursor``. Raises BadRequest."""
        return cursors.read(cursor, cls._of)

    @classmethod
    def _of(cls, parts: list[str]) -> "Place":
        time, number = parts
        return cls(from_microseconds(int(time)), cursors.count(number))


@dataclass(frozen=True, slots=True)
class ArchivedFrame:
    """Bytes as they came and the verdict of then. ``unmapped`` counts readings without a datastream (None: unknown)."""

    received_at: datetime
    number: int
    remote: str
    verdict: str
    detail: str | None
    frame: bytes
    unmapped: int | None

    @property
    def place(self) -> Place:
        """Where it stands in the archive."""
        return Place(self.received_at, self.number)

    def readable(self) -> str:
        """The frame as text: bytes that are no UTF-8 as ``\\xNN``, the password as asterisks."""
        return _PASSWORD.sub(r"\1******", self.frame.decode("utf-8", "backslashreplace").replace("\x00", "\\x00"))


async def latest(
    connection: AsyncConnection,
    mn: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    verdicts: Sequence[str] | None = None,
    before: Place | None = None,
    limit: int,
) -> list[ArchivedFrame]:
    """Frames of a device from ``since`` on and before ``until``, the latest first; of one that no park has, its
    quarantined frames."""
    at, number = before or Place(_END, 0)
    wanted = [*Verdict] if verdicts is None else verdicts
    given = {"verdicts": [*map(str, wanted)], "at": at, "number": number, "limit": limit}
    rows = await connection.execute(_LATEST, _span(mn, since, until) | given)
    return [ArchivedFrame(*row) for row in rows]


async def oldest(
    connection: AsyncConnection,
    mn: str,
    *,
    since: datetime | None,
    until: datetime | None,
    verdicts: Sequence[str],
    unmapped: bool,
    after: Place | None,
    limit: int,
) -> list[ArchivedFrame]:
    """The next frames of a device to be read again, the oldest first.

    Those with one of ``verdicts``; with ``unmapped`` those too that held readings without a datastream.
    """
    at, number = after or Place(EPOCH, 0)
    given = {"verdicts": [*verdicts], "unmapped": unmapped, "at": at, "number": number, "limit": limit}
    rows = await connection.execute(_OLDEST, _span(mn, since, until) | given)
    return [ArchivedFrame(*row) for row in rows]


def _span(mn: str, since: datetime | None, until: datetime | None) -> dict[str, object]:
    return {"mn": mn, "since": since or EPOCH, "until": until or _END}
