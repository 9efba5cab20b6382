"""Facts that the evaluation had to set aside, over HTTP: list, look, replay. Not of one park: who operates the system
looks here when `fenceline_alerts_refused_facts` rises."""

from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from services.alerts.api.cursors import moment
from services.alerts.api.state import Resources
from services.alerts.store import refused as store
from shared import cursors
from shared.problems import BadRequest, Conflict, Gone, NotFound, Unavailable, Unprocessable, responses
from shared.time import UtcDatetime, iso
from shared.web import actor

router = APIRouter(prefix="/refused-facts", tags=["operation"])
_SHOWN_BYTES = 65_536
Stream = Annotated[str, Path(max_length=100)]
Position = Annotated[int, Path(ge=1, lt=2**63)]


class RefusedFact(BaseModel):
    """A fact that could not be used; those behind it were."""

    stream: str
    position: int
    reason: str
    refused_at: UtcDatetime
    payload_bytes: int
    replayed_at: UtcDatetime | None
    replayed_by: str | None


class RefusedFactWithPayload(RefusedFact):
    """With what it held."""

    payload: str = Field(description=f"its first {_SHOWN_BYTES} bytes; what is not UTF-8 is replaced")


class RefusedFactPage(BaseModel):
    """Facts that were set aside, the first first."""

    items: list[RefusedFact]
    next: str | None


@router.get("", responses=responses(BadRequest))
async def list_refused_facts(
    resources: Resources,
    waiting: Annotated[bool, Query(description="only those that were not replayed")] = True,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
) -> RefusedFactPage:
    """The facts that were set aside, with the reason."""
    after = cursors.read(cursor, _place) if cursor is not None else None
    async with resources.database.connect() as connection:
        found = await store.page(connection, waiting=waiting, limit=limit + 1, after=after)
    shown = [RefusedFact.model_validate(row) for row in found[:limit]]
    return RefusedFactPage(items=shown, next=_cursor(shown[-1]) if len(found) > limit else None)


@router.get("/{stream}/{position}", responses=responses(NotFound))
async def show_refused_fact(stream: Stream, position: Position, resources: Resources) -> RefusedFactWithPayload:
    """One of them, with what it held."""
    async with resources.database.connect() as connection:
        row = await store.one(connection, stream, position, _SHOWN_BYTES)
    if row is None:
        raise _not_found(stream, position)
    return RefusedFactWithPayload.model_validate(_readable(row))


@router.post(
    "/{stream}/{position}/replay",
    status_code=202,
    responses=responses(NotFound, Conflict, Gone, Unprocessable, Unavailable),
)
async def replay_refused_fact(
    stream: Stream, position: Position, request: Request, resources: Resources
) -> RefusedFact:
    """Have ingest announce the fact again, once what made it unusable is mended.

    Its readings are then taken as late ones: those too old to raise an alarm are journalled. Should it be refused
    again, it is listed again, under its new position.
    """
    async with resources.database.begin() as connection:
        marked = await store.mark_replayed(connection, stream, position, actor(request))
        row = await store.one(connection, stream, position, 0)
        if row is None:
            raise _not_found(stream, position)
        if marked is None:
            raise Conflict(f"It was replayed at {iso(row['replayed_at'])} by {row['replayed_by']}.")
        await _ask_ingest(resources.ingest, stream, position)
    return RefusedFact.model_validate(row)


async def _ask_ingest(ingest: httpx.AsyncClient, stream: str, position: int) -> None:
    try:
        answer = await ingest.post(f"/facts/{stream}/{position}/repeat")
    except httpx.TransportError as error:
        raise Unavailable("ingest does not answer; nothing was replayed. Try again.") from error
    if answer.status_code == httpx.codes.GONE:
        raise Gone("ingest keeps this fact no longer. Its readings are stored; send what is missing again.")
    if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
        raise Unprocessable("ingest cannot read this fact either. Its readings are stored; send them again.")
    if answer.is_error:
        raise Unavailable(f"ingest answered {answer.status_code}; nothing was replayed. Try again.")


def _readable(row: Any) -> dict[str, Any]:
    return dict(row) | {"payload": bytes(row["payload"]).decode(errors="replace")}


def _cursor(last: RefusedFact) -> str:
    return cursors.write(last.refused_at.isoformat(), last.position, last.stream)


def _place(parts: list[str]) -> store.Place:
    refused_at, position, stream = parts
    return store.Place(moment(refused_at), stream, cursors.count(position))


def _not_found(stream: str, position: int) -> NotFound:
    return NotFound(f"No fact {position} of {stream!r} was set aside.")
