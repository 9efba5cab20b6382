"""Raw frames over HTTP: read, and read again after a mapping was mended."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.archive import frames, replays
from services.ingest.questions.asking import asking
from services.ingest.registry import questions
from services.ingest.schemas import archive as schemas
from services.ingest.state import Ingest
from services.ingest.stations.verdicts import Verdict
from shared import cursors
from shared.problems import BadRequest, Conflict, NotFound, Unavailable, responses
from shared.time import UtcDatetime, iso, utc_now
from shared.web import actor

router = APIRouter(tags=["ingest"])
Limit = Annotated[int, Query(ge=1, le=1000)]
Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the page before")]


@router.get("/parks/{park_id}/devices/{mn}/frames", responses=responses(BadRequest, NotFound, Unavailable))
async def device_frames(
    park_id: str,
    mn: str,
    ingest: Ingest,
    start: UtcDatetime | None = None,
    end: UtcDatetime | None = None,
    verdict: Annotated[list[Verdict] | None, Query(max_length=len(Verdict))] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> schemas.RawFramePage:
    """What a device sent, byte by byte, from `start` on and before `end`, the latest first; passwords are hidden."""
    async with asking(ingest) as connection:
        await questions.require_device(connection, park_id, mn)
        return await _page(connection, mn, start, end, verdict, limit, cursor)


@router.get("/devices/unknown/{mn}/frames", tags=["internal"], responses=responses(BadRequest, Unavailable))
async def quarantined_frames(
    mn: str, ingest: Ingest, limit: Limit = 100, cursor: Cursor = None
) -> schemas.RawFramePage:
    """What a device sent while no park had it, the latest first."""
    async with asking(ingest) as connection:
        return await _page(connection, mn, None, None, [Verdict.UNKNOWN_MN], limit, cursor)


@router.post(
    "/parks/{park_id}/devices/{mn}/replays", status_code=202, responses=responses(BadRequest, NotFound, Conflict)
)
async def replay(
    park_id: str, mn: str, wanted: schemas.ReplayRequest, ingest: Ingest, request: Request
) -> schemas.Replay:
    """Read a device's frames again with the registry as it is now, after a mapping or password was mended.

    What is stored already stays as it is, so it can be asked as often as you like. Frames are kept for 30 days.
    """
    async with ingest.engine.begin() as connection:
        await questions.require_device(connection, park_id, mn)
        begun = await replays.begin(
            connection,
            park_id,
            mn,
            start=wanted.start,
            end=wanted.end or utc_now(),
            verdicts=wanted.verdicts,
            unmapped=wanted.unmapped,
            requested_by=actor(request),
        )
    ingest.replays.wake()
    return schemas.Replay.model_validate(begun)


@router.get("/parks/{park_id}/replays", responses=responses(BadRequest, NotFound, Unavailable))
async def replays_of_park(
    park_id: str, ingest: Ingest, mn: str | None = None, limit: Limit = 100, cursor: Cursor = None
) -> schemas.ReplayPage:
    """Replays of a park, or of one device of it, the latest first; those that a registration began, too."""
    before = None if cursor is None else cursors.read(cursor, _replay_place)
    async with asking(ingest) as connection:
        await questions.park(connection, park_id)
        found = await replays.page(connection, park_id, mn, before, limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return schemas.ReplayPage(
        items=[schemas.Replay.model_validate(entry) for entry in found[:limit]],
        next=None if last is None else cursors.write(iso(last.requested_at), last.id),
    )


@router.get("/parks/{park_id}/replays/{replay_id}", responses=responses(NotFound, Unavailable))
async def one_replay(park_id: str, replay_id: UUID, ingest: Ingest) -> schemas.Replay:
    """How far a replay is."""
    async with asking(ingest) as connection:
        return schemas.Replay.model_validate(await replays.one(connection, park_id, replay_id))


async def _page(
    connection: AsyncConnection,
    mn: str,
    start: datetime | None,
    end: datetime | None,
    verdicts: list[Verdict] | None,
    limit: int,
    cursor: str | None,
) -> schemas.RawFramePage:
    if start is not None and end is not None and start >= end:
        raise BadRequest("`start` has to lie before `end`.")
    before = None if cursor is None else frames.Place.of(cursor)
    found = await frames.latest(
        connection, mn, since=start, until=end, verdicts=verdicts, before=before, limit=limit + 1
    )
    return schemas.RawFramePage(
        items=[
            schemas.RawFrame(
                received_at=frame.received_at,
                remote=frame.remote,
                verdict=Verdict(frame.verdict),
                detail=frame.detail,
                unmapped=frame.unmapped,
                bytes=len(frame.frame),
                frame=frame.readable(),
            )
            for frame in found[:limit]
        ],
        next=found[limit - 1].place.cursor() if len(found) > limit else None,
    )


def _replay_place(parts: list[str]) -> tuple[datetime, UUID]:
    time, replay_id = parts
    return datetime.fromisoformat(time), UUID(replay_id)
