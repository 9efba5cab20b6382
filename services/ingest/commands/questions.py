"""Questions about commands and gaps of one device."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import schemas
from services.ingest.commands.lifecycle import State
from shared.problems import BadRequest, NotFound

_COMMANDS = text(
    """
    SELECT id, mn, cn, request, origin, requested_by, requested_at, state, attempts, qn, sent_at, expires_at,
           finished_at, qn_rtn, exe_rtn, records, answer, detail
    FROM command
    WHERE park_id = :park AND mn = :mn AND id < :before AND (CAST(:state AS text) IS NULL OR state = :state)
      AND (CAST(:id AS bigint) IS NULL OR id = :id)
    ORDER BY id DESC LIMIT :limit
    """
)
_GAPS = text(
    """
    SELECT id, mn, cadence, begins AS begin, ends AS end, interval_s, found_at, state, tries, try_at, command_id
    FROM gap WHERE park_id = :park AND mn = :mn AND id < :before ORDER BY id DESC LIMIT :limit
    """
)
_NEWEST = 2**62


async def commands(
    connection: AsyncConnection, park_id: str, mn: str, state: State | None, limit: int, cursor: str | None
) -> schemas.CommandPage:
    """A page of the commands of a device, latest first."""
    values = {
        "park": park_id,
        "mn": mn,
        "state": None if state is None else state.value,
        "id": None,
        "before": _before(cursor),
        "limit": limit,
    }
    rows = (await connection.execute(_COMMANDS, values)).mappings()
    items = [schemas.Command.model_validate(dict(row)) for row in rows]
    return schemas.CommandPage(items=items, next=str(items[-1].id) if len(items) == limit else None)


async def command(connection: AsyncConnection, park_id: str, mn: str, command_id: int) -> schemas.Command:
    """One command of a device; raises NotFound."""
    values = {"park": park_id, "mn": mn, "state": None, "id": command_id, "before": _NEWEST, "limit": 1}
    row = (await connection.execute(_COMMANDS, values)).mappings().first()
    if row is None:
        raise NotFound(f"The device '{mn}' has no command {command_id}.")
    return schemas.Command.model_validate(dict(row))


async def gaps(connection: AsyncConnection, park_id: str, mn: str, limit: int, cursor: str | None) -> schemas.GapPage:
    """A page of the gaps of a device, latest found first."""
    values = {"park": park_id, "mn": mn, "before": _before(cursor), "limit": limit}
    rows = (await connection.execute(_GAPS, values)).mappings()
    items = [schemas.Gap.model_validate(dict(row)) for row in rows]
    return schemas.GapPage(items=items, next=str(items[-1].id) if len(items) == limit else None)


def _before(cursor: str | None) -> int:
    if cursor is None:
        return _NEWEST
    if not (cursor.isascii() and cursor.isdigit() and int(cursor[:19]) <= _NEWEST):
        raise BadRequest("The cursor is not one of ours; pass on `next` of the page before, unchanged.")
    return int(cursor[:19])
