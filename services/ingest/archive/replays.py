"""Replays in the database: which frames are to be read again, how far that is, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.archive.frames import Place
from services.ingest.stations.verdicts import Verdict
from services.ingest.writing.frames import MAX_UNKNOWN_DEVICES
from shared.problems import Conflict, NotFound

REREADABLE = frozenset(Verdict) - {
    Verdict.ACCEPTED,
    Verdict.ANSWER,
    Verdict.BAD_LENGTH,
    Verdict.JUNK,
    Verdict.TRUNCATED,
}
"""Verdicts that another mapping, password or checksum may turn; the others lack bytes, or nothing at all."""
MAX_UNFINISHED = 1000
"""Of one park, so that nobody fills the table by asking."""

_COLUMNS = """
    id, park_id, mn, since, until, verdicts, unmapped, requested_by, requested_at, state, detail, read_at, read_number,
    finished_at, frames, read_frames, accepted, duplicate, conflicting, unmapped_readings
"""
# Rows are locked in the order in which the writer counts unknown devices, so that neither waits in a circle.
_OF_THE_REGISTERED = text(
    """
    WITH registered AS (
        SELECT u.mn, s.park_id FROM unknown_device u
        JOIN device d ON d.mn = u.mn JOIN station s ON s.id = d.station_id
        ORDER BY u.mn FOR UPDATE OF u
    ), gone AS (
        DELETE FROM unknown_device u USING registered r WHERE u.mn = r.mn
    )
    INSERT INTO replay (id, park_id, mn, verdicts, requested_by)
    SELECT gen_random_uuid(), park_id, mn, ARRAY['unknown_mn'], 'registration' FROM registered
    """
)
# Made-up MNs may have filled the list of unknown devices; whoever came after that has frames in the archive alone.
_OF_THE_UNLISTED = text(
    """
    INSERT INTO replay (id, park_id, mn, verdicts, requested_by)
    SELECT gen_random_uuid(), :park, mn, ARRAY['unknown_mn'], 'registration' FROM unnest(CAST(:mns AS text[])) AS mn
    WHERE (SELECT count(*) FROM unknown_device) >= :limit
      AND NOT EXISTS (SELECT FROM unknown_device u WHERE u.mn = mn.mn)
      AND EXISTS (SELECT FROM raw_frame f WHERE f.mn = mn.mn AND f.verdict = 'unknown_mn')
    """
)
_UNFINISHED_OF_PARK = text("SELECT count(*) FROM replay WHERE park_id = :park AND finished_at IS NULL")
_INSERT = text(
    f"""
    INSERT INTO replay (id, park_id, mn, since, until, verdicts, unmapped, requested_by)
    VALUES (:id, :park, :mn, :since, :until, :verdicts, :unmapped, :requested_by) RETURNING {_COLUMNS}
    """  # noqa: S608  (constants of this file)
)
_ONE = text(f"SELECT {_COLUMNS} FROM replay WHERE id = :id AND park_id = :park")  # noqa: S608
_PAGE = text(
    f"""
    SELECT {_COLUMNS} FROM replay
    WHERE park_id = :park AND (CAST(:mn AS text) IS NULL OR mn = :mn)
      AND (CAST(:at AS timestamptz) IS NULL OR (requested_at, id) < (:at, :id))
    ORDER BY requested_at DESC, id DESC LIMIT :limit
    """  # noqa: S608  (constants of this file)
)
_UNFINISHED = text("SELECT id FROM replay WHERE finished_at IS NULL LIMIT 10000")
# Each in turn a page, so that a long one holds up nobody.
_NEXT = text(
    f"""
    SELECT {_COLUMNS} FROM replay WHERE finished_at IS NULL ORDER BY touched_at LIMIT 1 FOR UPDATE SKIP LOCKED
    """  # noqa: S608  (constants of this file)
)
_PROGRESS = text(
    """
    UPDATE replay SET state = 'running', read_at = :read_at, read_number = :read_number, frames = frames + :frames,
        read_frames = read_frames + :read_frames, accepted = accepted + :accepted, duplicate = duplicate + :duplicate,
        conflicting = conflicting + :conflicting, unmapped_readings = unmapped_readings + :unmapped_readings,
        touched_at = clock_timestamp()
    WHERE id = :id
    """
)
_FINISH = text("UPDATE replay SET state = :state, detail = :detail, finished_at = clock_timestamp() WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Replay:
    """One reading again of a device's frames from ``start`` on and before ``end``.

    ``frames`` were tried and ``read_frames`` of them understood; ``accepted``, ``duplicate`` and ``conflicting`` count
    their observations, ``unmapped_readings`` those that still have no datastream.
    """

    id: UUID
    park_id: str
    mn: str
    start: datetime | None
    end: datetime | None
    verdicts: list[str]
    unmapped: bool
    requested_by: str
    requested_at: datetime
    state: str
    detail: str | None
    read_at: datetime | None
    read_number: int | None
    finished_at: datetime | None
    frames: int
    read_frames: int
    accepted: int
    duplicate: int
    conflicting: int
    unmapped_readings: int

    @property
    def place(self) -> Place | None:
        """The frame that was read last."""
        return None if self.read_at is None or self.read_number is None else Place(self.read_at, self.read_number)


@dataclass(slots=True)
class Progress:
    """What one page adds."""

    frames: int = 0
    read_frames: int = 0
    accepted: int = 0
    duplicate: int = 0
    conflicting: int = 0
    unmapped_readings: int = 0


async def begin_for_the_registered(connection: AsyncConnection) -> None:
    """Whoever was unknown and is registered now leaves the quarantine, and what it sent is to be read again."""
    await connection.execute(_OF_THE_REGISTERED)


async def begin_for_the_unlisted(connection: AsyncConnection, park_id: str, mns: Sequence[str]) -> None:
    """The same for devices, just registered, that the list of unknown ones had no room for."""
    await connection.execute(_OF_THE_UNLISTED, {"park": park_id, "mns": list(mns), "limit": MAX_UNKNOWN_DEVICES})


async def begin(
    connection: AsyncConnection,
    park_id: str,
    mn: str,
    *,
    start: datetime | None,
    end: datetime | None,
    verdicts: Sequence[str],
    unmapped: bool,
    requested_by: str,
) -> Replay:
    """Ask for a replay. Raises Conflict while too many of the park wait."""
    waiting = (await connection.execute(_UNFINISHED_OF_PARK, {"park": park_id})).scalar_one()
    if waiting >= MAX_UNFINISHED:
        raise Conflict(f"{waiting} replays of this park are not finished yet. Ask again once some are.")
    given = {
        "id": uuid4(),
        "park": park_id,
        "mn": mn,
        "since": start,
        "until": end,
        "verdicts": list(verdicts),
        "unmapped": unmapped,
        "requested_by": requested_by,
    }
    return _replay((await connection.execute(_INSERT, given)).one())


async def one(connection: AsyncConnection, park_id: str, replay_id: UUID) -> Replay:
    """A replay of a park; raises NotFound."""
    row = (await connection.execute(_ONE, {"park": park_id, "id": replay_id})).first()
    if row is None:
        raise NotFound(f"There is no replay '{replay_id}'.")
    return _replay(row)


async def page(
    connection: AsyncConnection, park_id: str, mn: str | None, before: tuple[datetime, UUID] | None, limit: int
) -> list[Replay]:
    """Replays of a park, or of one device of it, the latest first."""
    at, last = before or (None, None)
    given = {"park": park_id, "mn": mn, "at": at, "id": last, "limit": limit}
    return [_replay(row) for row in await connection.execute(_PAGE, given)]


async def unfinished(connection: AsyncConnection) -> set[UUID]:
    """Replays that wait or are under way."""
    return set((await connection.execute(_UNFINISHED)).scalars())


async def take(connection: AsyncConnection) -> Replay | None:
    """The replay whose turn it is, locked until the transaction ends; None where no one else's is left to do."""
    row = (await connection.execute(_NEXT)).first()
    return None if row is None else _replay(row)


async def advance(connection: AsyncConnection, replay: Replay, to: Place, progress: Progress) -> None:
    """Note what a page gave, and where it ended."""
    counts = {name: getattr(progress, name) for name in Progress.__slots__}
    await connection.execute(_PROGRESS, {"id": replay.id, "read_at": to.at, "read_number": to.number, **counts})


async def finish(connection: AsyncConnection, replay: Replay, failure: str | None = None) -> None:
    """It is done, or cannot be."""
    state = "succeeded" if failure is None else "failed"
    await connection.execute(_FINISH, {"id": replay.id, "state": state, "detail": failure})


def _replay(row: Any) -> Replay:
    return Replay(*row)
