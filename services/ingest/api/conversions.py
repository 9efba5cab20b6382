"""Over HTTP: in which unit values were sent, and how they were converted."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.ingest import schemas
from services.ingest.questions.asking import asking
from services.ingest.questions.conversions import conversions
from services.ingest.registry import questions
from services.ingest.state import Ingest
from shared.problems import NotFound, Unavailable, responses

router = APIRouter(tags=["ingest"])


@router.get("/parks/{park_id}/conversions", responses=responses(NotFound, Unavailable))
async def get_conversions(
    park_id: str,
    ingest: Ingest,
    datastream_id: Annotated[list[int], Query(min_length=1, max_length=200)],
    cursor: Annotated[str | None, Query(pattern=r"^\d{1,18}$", description="`next` of the page before")] = None,
) -> schemas.ConversionPage:
    """The units in which the devices of some datastreams send, and have sent, and what became of their values."""
    async with asking(ingest) as connection:
        await questions.park(connection, park_id)
        return await conversions(connection, park_id, datastream_id, cursor)
