"""Uploads of history over HTTP: a resource whose body is stored while it comes in."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request

from services.ingest.api.observations import CSV_EXAMPLE, NOT_TAKEN, Zone
from services.ingest.intake.bodies import CSV, form_and_charset
from services.ingest.intake.uploads import Table
from services.ingest.schemas import uploads as schemas
from services.ingest.state import Ingest, State
from shared.problems import NotFound, UnsupportedMediaType, responses
from shared.web import actor

router = APIRouter(tags=["ingest"])
_ID = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
UploadId = Annotated[str, Path(pattern=_ID, description="chosen by the sender")]
_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {CSV: {"schema": {"type": "string"}, "example": CSV_EXAMPLE}}}
}


@router.put(
    "/parks/{park_id}/uploads/{upload_id}",
    responses=NOT_TAKEN,
    openapi_extra=_BODY,
)
async def put_upload(
    park_id: str, upload_id: UploadId, ingest: Ingest, request: Request, timezone: Zone = None
) -> schemas.Upload:
    """Store a CSV table of any length while it comes in, compressed with gzip or zstd or not.

    The answer comes when all of it is committed; until then GET tells the progress. What broke off is sent again under
    the same id: rows that are stored already are duplicates.
    """
    _check(ingest, park_id)
    form, charset = form_and_charset(request.headers.get("content-type", CSV))
    if form != CSV:
        raise UnsupportedMediaType(f"An upload is {CSV}; send other forms to /parks/{park_id}/observations.")
    table = Table(
        park_id,
        upload_id,
        actor(request),
        request.headers.get("content-encoding", ""),
        charset,
        None if timezone is None else ZoneInfo(timezone),
        request.stream(),
    )
    await ingest.uploads.receive(table)
    return await ingest.uploads.store.find(park_id, upload_id)


@router.get("/parks/{park_id}/uploads", responses=responses(NotFound))
async def uploads(
    park_id: str,
    ingest: Ingest,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(pattern=_ID, description="`next` of the page before")] = None,
) -> schemas.UploadPage:
    """The uploads of a park."""
    _check(ingest, park_id)
    return await ingest.uploads.store.page(park_id, cursor, limit)


@router.get("/parks/{park_id}/uploads/{upload_id}", responses=responses(NotFound))
async def upload(park_id: str, upload_id: UploadId, ingest: Ingest) -> schemas.Upload:
    """How far an upload has come."""
    _check(ingest, park_id)
    return await ingest.uploads.store.find(park_id, upload_id)


@router.get("/parks/{park_id}/uploads/{upload_id}/refusals", responses=responses(NotFound))
async def refusals(
    park_id: str,
    upload_id: UploadId,
    ingest: Ingest,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[int, Query(ge=0, lt=2**63, description="`next` of the page before")] = 0,
) -> schemas.UploadRefusalPage:
    """The first thousand lines of an upload that were refused, with the reasons."""
    _check(ingest, park_id)
    await ingest.uploads.store.find(park_id, upload_id)
    return await ingest.uploads.store.refusals(park_id, upload_id, cursor, limit)


def _check(ingest: State, park_id: str) -> None:
    if park_id not in ingest.registry.snapshot.parks:
        raise NotFound(f"There is no park '{park_id}'.")
