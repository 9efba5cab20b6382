"""The change feed over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.ingest import schemas
from services.ingest.questions import changes
from services.ingest.questions.asking import asking
from services.ingest.registry import questions
from services.ingest.state import Ingest
from shared.problems import BadRequest, Gone, NotFound, Unavailable, responses

router = APIRouter(tags=["ingest"])


@router.get("/parks/{park_id}/observations/changes", responses=responses(BadRequest, NotFound, Gone, Unavailable))
async def observation_changes(
    park_id: str,
    ingest: Ingest,
    cursor: Annotated[str | None, Query(max_length=20_000, description="`next` of the page before")] = None,
    since: Annotated[changes.Since, Query(description="where to begin without a cursor")] = "oldest",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> schemas.ChangePage:
    """Everything stored or corrected since a cursor, in the order in which it was committed: late readings too.

    Ask again with `next`, at once while `more`, else every few seconds. Nothing is missed, in whatever order and from
    however many writers it came. What is older than the feed is answered with 410, which tells how to go on.
    """
    async with asking(ingest) as connection:
        await questions.park(connection, park_id)
    async with asking(ingest) as connection:
        return await changes.changes(connection, park_id, cursor, since, limit)
