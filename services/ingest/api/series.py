"""Questions about observations over HTTP."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from services.ingest import schemas
from services.ingest.api.answering import answer
from services.ingest.questions import series
from services.ingest.questions.as_sent import NOT_SENT
from services.ingest.questions.asking import asking
from services.ingest.questions.latest import latest as latest_values
from services.ingest.questions.latest import read_cursor
from services.ingest.questions.meteorology import meteorology as weather
from services.ingest.questions.position import Position, Resolution
from services.ingest.registry import questions
from services.ingest.state import Ingest
from shared.park_file import Cadence
from shared.problems import BadRequest, NotFound, Unavailable, responses
from shared.time import EPOCH, UtcDatetime, utc_now

router = APIRouter(tags=["ingest"])
MAX_POINTS = 50_000
MAX_LATEST = 10_000
MAX_SPAN = timedelta(days=20 * 366)
DEFAULT_SPAN: dict[Resolution | Literal["auto"], timedelta] = {
    "auto": timedelta(days=1),
    "raw": timedelta(hours=1),
    "minute": timedelta(days=1),
    "hour": timedelta(days=30),
    "day": timedelta(days=365),
}


@router.get(
    "/parks/{park_id}/latest", response_model=schemas.LatestPage, responses=responses(BadRequest, NotFound, Unavailable)
)
async def latest(
    park_id: str,
    ingest: Ingest,
    cadence: Cadence = "realtime",
    limit: Annotated[int, Query(ge=1, le=MAX_LATEST)] = MAX_LATEST,
    cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
) -> Response:
    """The latest observation of every datastream of one cadence."""
    after = read_cursor(cursor)
    snapshot = ingest.registry.snapshot
    if park_id in snapshot.parks and ingest.newest.is_current:
        return answer(ingest.newest.page(snapshot, park_id, cadence, limit, after))
    async with asking(ingest) as connection:
        if park_id not in snapshot.parks:  # another replica may just have taken it in
            await questions.park(connection, park_id)
        return answer(await latest_values(connection, park_id, cadence, limit, after))


@router.get(
    "/parks/{park_id}/observations",
    response_model=schemas.SeriesPage,
    responses=responses(BadRequest, NotFound, Unavailable),
)
async def observations(
    park_id: str,
    ingest: Ingest,
    datastream_id: Annotated[list[int], Query(min_length=1, max_length=200)],
    start: Annotated[UtcDatetime | None, Query(description="default: a span that suits the resolution")] = None,
    end: Annotated[UtcDatetime | None, Query(description="default: now")] = None,
    resolution: Annotated[
        Resolution | Literal["auto"],
        Query(description="`auto`: the finest that has at most `limit` points in all, over the span"),
    ] = "raw",
    limit: Annotated[int, Query(ge=1, le=MAX_POINTS, description="points in one page, of all datastreams")] = 10_000,
    cursor: Annotated[
        str | None, Query(description="`next` of the page before; it says resolution, start and end as well")
    ] = None,
    as_sent: Annotated[bool, Query(description="of `raw`: value and unit as they were sent too")] = False,
) -> Response:
    """Observations of some datastreams, from `start` on and before `end`."""
    until = end or utc_now()
    since = start or until - DEFAULT_SPAN[resolution]
    if since >= until:
        raise BadRequest("`start` has to lie before `end`.")
    if since < EPOCH or until - since > MAX_SPAN:
        raise BadRequest("`start` has to lie after 1970 and at most 20 years before `end`.")
    async with asking(ingest) as connection:
        question = await series.asked(connection, park_id, datastream_id)
        if cursor is not None:
            position = Position.read(cursor)
        else:
            if resolution == "auto":
                resolution = await series.fitting(connection, question, since, until, limit)
            position = Position.begin(resolution, since, until)
        if as_sent and position.resolution != "raw":
            raise BadRequest(NOT_SENT)
        page = await series.observations(connection, question, position, limit, ingest.valid_share, sent=as_sent)
    return answer(page)


@router.get("/parks/{park_id}/meteorology", responses=responses(NotFound, Unavailable))
async def meteorology(
    park_id: str,
    ingest: Ingest,
    at: UtcDatetime | None = None,
    window_s: Annotated[float, Query(gt=0, le=86_400)] = 600.0,
) -> schemas.Meteorology:
    """The weather of a park over a window of time: wind as a vector mean, with its spread."""
    moment: datetime = at or utc_now()
    async with asking(ingest) as connection:
        await questions.park(connection, park_id)
        return await weather(connection, park_id, moment, timedelta(seconds=window_s))
