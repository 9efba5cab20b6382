"""Uploads in the database: how far each has come, and which of its lines were refused."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.schemas import uploads as schemas
from services.ingest.writing.batch import RowStatus
from shared.outages import DATABASE_OUTAGES
from shared.problems import Conflict, NotFound, TooManyRequests, Unavailable
from shared.telemetry import get_logger

log = get_logger(__name__)
MAX_REFUSALS = 1000
"""Refused lines that are kept of one upload; the others are counted."""
MAX_UPLOADS = 10_000
"""Of one park; they are forgotten after 30 days (table `retention`)."""
INTERRUPTED_S = 120
"""After so long without progress an upload is taken for interrupted: its process has ended."""

_BEGIN = text(
    """
    INSERT INTO upload (park_id, id, attempt, caller, state)
    SELECT :park, :id, :attempt, :caller, 'running'
    WHERE (SELECT count(*) FROM upload WHERE park_id = :park) < :most
       OR EXISTS (SELECT FROM upload WHERE park_id = :park AND id = :id)
    ON CONFLICT (park_id, id) DO UPDATE SET attempt = excluded.attempt, caller = excluded.caller, state = 'running',
        detail = NULL, begun_at = now(), updated_at = now(), bytes = 0, lines = 0, accepted = 0, duplicate = 0,
        conflicting = 0, refused = 0
        WHERE upload.state <> 'running' OR upload.updated_at < now() - make_interval(secs => :interrupted)
    RETURNING true
    """
)
_KNOWN = text("SELECT true FROM upload WHERE park_id = :park AND id = :id")
_FORGET = text("DELETE FROM upload_refusal WHERE park_id = :park AND upload_id = :id")
_NOTE = text(
    """
    UPDATE upload SET state = :state, detail = :detail, updated_at = now(), bytes = :bytes, lines = :lines,
        accepted = :accepted, duplicate = :duplicate, conflicting = :conflicting, refused = :refused
    WHERE park_id = :park AND id = :id AND attempt = :attempt
    RETURNING true
    """
)
_REFUSE = text(
    """
    INSERT INTO upload_refusal (park_id, upload_id, line, detail)
    SELECT :park, :id, line, detail FROM unnest(CAST(:lines AS bigint[]), CAST(:details AS text[])) AS r (line, detail)
    ON CONFLICT DO NOTHING
    """
)
_COLUMNS = f"""
    id, CASE WHEN state = 'running' AND updated_at < now() - interval '{INTERRUPTED_S} s' THEN 'interrupted' ELSE state
    END AS state, detail, begun_at, updated_at, bytes, lines, accepted, duplicate, conflicting, refused
"""
_ONE = text(f"SELECT {_COLUMNS} FROM upload WHERE park_id = :park AND id = :id")  # noqa: S608  (constants)
_ALL = text(
    f"SELECT {_COLUMNS} FROM upload WHERE park_id = :park AND id > :after ORDER BY id LIMIT :limit"  # noqa: S608
)
_REFUSALS = text(
    """
    SELECT line, detail FROM upload_refusal WHERE park_id = :park AND upload_id = :id AND line > :after
    ORDER BY line LIMIT :limit
    """
)


@dataclass(slots=True)
class Progress:
    """How far an upload has come. ``lines`` counts the header and blank lines too, as an editor does."""

    park_id: str
    upload_id: str
    attempt: UUID
    bytes: int = 0
    lines: int = 0
    counts: Counter[RowStatus] = field(default_factory=Counter)
    new_refusals: dict[int, str] = field(default_factory=dict)
    _kept: int = 0

    def refuse(self, reasons: dict[int, str]) -> None:
        """Count lines that were refused; the first of them are kept with their reasons."""
        self.counts[RowStatus.REFUSED] += len(reasons)
        for line, reason in list(reasons.items())[: MAX_REFUSALS - self._kept]:
            self.new_refusals[line] = _storable(reason)[:500]
            self._kept += 1


class UploadStore:
    """The tables `upload` and `upload_refusal`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def begin(self, park_id: str, upload_id: str, attempt: UUID, caller: str) -> Progress:
        """A new upload, or an old one again from its start. Raises Conflict, TooManyRequests, Unavailable."""
        mine = {"park": park_id, "id": upload_id}
        given = {"attempt": attempt, "caller": caller, "most": MAX_UPLOADS, "interrupted": float(INTERRUPTED_S)}
        try:
            async with self._engine.begin() as connection:
                if (await connection.execute(_BEGIN, mine | given)).first() is None:
                    if (await connection.execute(_KNOWN, mine)).first() is None:
                        raise TooManyRequests("The park has too many uploads.", headers={"Retry-After": "3600"})
                    raise Conflict(f"The upload '{upload_id}' is under way.")
                await connection.execute(_FORGET, mine)
        except DATABASE_OUTAGES as error:
            raise Unavailable("The database is down; nothing of the table was stored.") from error
        return Progress(park_id, upload_id, attempt)

    async def note(self, progress: Progress, state: str = "running", detail: str | None = None) -> None:
        """Write down how far an upload has come. Raises Conflict when it was begun anew elsewhere, Unavailable."""
        mine = {"park": progress.park_id, "id": progress.upload_id}
        counts = {status.value: progress.counts[status] for status in RowStatus}
        told: dict[str, Any] = {"state": state, "bytes": progress.bytes, "lines": progress.lines}
        told["detail"] = None if detail is None else _storable(detail)
        refusals = progress.new_refusals
        try:
            async with self._engine.begin() as connection:
                noted = await connection.execute(_NOTE, {**mine, **counts, **told, "attempt": progress.attempt})
                if noted.first() is None:
                    raise Conflict(f"The upload '{progress.upload_id}' was begun anew by another request.")
                if refusals:
                    await connection.execute(
                        _REFUSE, {**mine, "lines": list(refusals), "details": list(refusals.values())}
                    )
        except DATABASE_OUTAGES as error:
            raise Unavailable("The database is down; send the table again later.") from error
        progress.new_refusals = {}

    async def end(self, progress: Progress, state: str, detail: str | None) -> None:
        """Write down how an upload ended; that this fails is not the sender's concern."""
        try:
            await self.note(progress, state, detail)
        except (Conflict, Unavailable) as error:
            log.warning("upload_end_not_noted", upload=progress.upload_id, error=str(error))

    async def find(self, park_id: str, upload_id: str) -> schemas.Upload:
        """One upload; raises NotFound."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(_ONE, {"park": park_id, "id": upload_id})).first()
        if row is None:
            raise NotFound(f"Park '{park_id}' has no upload '{upload_id}'.")
        return schemas.Upload.model_validate(row, from_attributes=True)

    async def page(self, park_id: str, after: str | None, limit: int) -> schemas.UploadPage:
        """The uploads of a park by id."""
        async with self._engine.connect() as connection:
            found = await connection.execute(_ALL, {"park": park_id, "after": after or "", "limit": limit + 1})
            items = [schemas.Upload.model_validate(row, from_attributes=True) for row in found]
        return schemas.UploadPage(items=items[:limit], next=items[limit - 1].id if len(items) > limit else None)

    async def refusals(self, park_id: str, upload_id: str, after: int, limit: int) -> schemas.UploadRefusalPage:
        """The refused lines of an upload that were kept."""
        given = {"park": park_id, "id": upload_id, "after": after, "limit": limit + 1}
        async with self._engine.connect() as connection:
            found = await connection.execute(_REFUSALS, given)
            items = [schemas.UploadRefusal(line=row.line, detail=row.detail) for row in found]
        more = len(items) > limit
        return schemas.UploadRefusalPage(items=items[:limit], next=str(items[limit - 1].line) if more else None)


def _storable(text: str) -> str:
    """What quotes the sender may hold a NUL, which no text of the database can."""
    return text.replace("\x00", "")
