"""Corrections and conflicts over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from services.ingest import schemas
from services.ingest.corrections import questions as journal
from services.ingest.corrections import store
from services.ingest.questions.asking import asking
from services.ingest.registry import questions
from services.ingest.state import Ingest
from shared.problems import NotFound, Unavailable, Unprocessable, responses
from shared.time import UtcDatetime
from shared.web import actor

router = APIRouter(tags=["ingest"])
MAX_PAGE = 1000


async def _asked(
    park_id: str,
    datastream_id: Annotated[list[int], Query(max_length=200, description="none: all of the park")] = [],  # noqa: B006  (FastAPI copies it)
    start: UtcDatetime | None = None,
    end: UtcDatetime | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: Annotated[str | None, Query(pattern=r"^\d{1,18}$", description="`next` of the page before")] = None,
) -> journal.Asked:
    return journal.Asked(park_id, datastream_id, start, end, limit, cursor)


Asked = Annotated[journal.Asked, Depends(_asked)]


@router.post("/parks/{park_id}/corrections", responses=responses(NotFound, Unprocessable))
async def correct(
    park_id: str, correction: schemas.CorrectionRequest, ingest: Ingest, request: Request
) -> schemas.CorrectionResult:
    """Correct stored observations: all that is named or nothing. What was sent stays readable; roll-ups follow.

    No alarm is raised or ended by it.
    """
    async with ingest.engine.begin() as connection:
        result = await store.correct(connection, park_id, correction, actor(request))
    ingest.relay.wake()
    return result


@router.get("/parks/{park_id}/corrections", responses=responses(NotFound, Unavailable))
async def corrections(ingest: Ingest, asked: Asked) -> schemas.CorrectionPage:
    """Who corrected which observations and why, with their content before and after; latest first."""
    async with asking(ingest) as connection:
        await questions.park(connection, asked.park_id)
        return await journal.corrections(connection, asked)


@router.get("/parks/{park_id}/conflicts", responses=responses(NotFound, Unavailable))
async def conflicts(ingest: Ingest, asked: Asked) -> schemas.ConflictPage:
    """Readings that contradicted what was stored for the same time; latest first."""
    async with asking(ingest) as connection:
        await questions.park(connection, asked.park_id)
        return await journal.conflicts(connection, asked)
