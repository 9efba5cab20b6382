"""How complete a month of a park is, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.ingest import schemas
from services.ingest.questions import completeness as question
from services.ingest.questions.asking import asking
from services.ingest.state import Ingest
from shared.problems import BadRequest, NotFound, Unavailable, responses
from shared.time import utc_now

router = APIRouter(tags=["ingest"])


@router.get("/parks/{park_id}/completeness", responses=responses(BadRequest, NotFound, Unavailable))
async def completeness(
    park_id: str,
    ingest: Ingest,
    month: Annotated[
        str | None, Query(pattern=r"^\d{4}-\d{2}$", description="such as 2026-03; default: the present one")
    ] = None,
    station_id: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500, description="stations in one page")] = 100,
    cursor: Annotated[str | None, Query(max_length=200, description="`next` of the page before")] = None,
) -> schemas.CompletenessPage:
    """How much of what should have come in a month came, and how much of it was valid."""
    async with asking(ingest) as connection:
        return await question.completeness(
            connection,
            park_id,
            month,
            utc_now(),
            station_id=station_id,
            valid_share=ingest.valid_share,
            limit=limit,
            cursor=cursor,
        )
