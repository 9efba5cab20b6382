"""Who did what: the audit of a park, and of all parks at once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import StreamingResponse
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from services.gateway.admission import admission
from services.gateway.audit_files import AuditFormat, fields
from services.gateway.audit_store import AuditPlace, AuditQuestion, page, whole
from services.gateway.auth import Via
from services.gateway.key_directory import STORE_ERRORS
from services.gateway.routing import API
from services.gateway.scopes import Scope
from services.gateway.state import gateway_of
from shared.problems import BadRequest, responses
from shared.telemetry import get_logger
from shared.time import UtcDatetime

log = get_logger(__name__)
router = APIRouter(prefix=API, tags=["audit"])
LONGEST_S = 3600.0
_TEXT = r"^[^\x00]*$"  # PostgreSQL's text holds no NUL
_SCOPED = {"x-fenceline-scope": Scope.AUDIT_READ}
_ALL = _SCOPED | {"x-fenceline-parks": "*"}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "the entries, oldest first",
        "content": {form.media_type(): {"schema": {"type": "string"}} for form in AuditFormat},
    }
}
OfPark = Depends(admission(Scope.AUDIT_READ))
OfAll = Depends(admission(Scope.AUDIT_READ, all_parks=True))


class AuditItem(BaseModel):
    """One change that somebody made or tried to make."""

    id: int
    at: UtcDatetime
    actor: str = Field(description="the name of the key, or the member")
    organisation_id: str | None
    via: Via
    credential: str | None = Field(description="the prefix of the key, or the member of the token")
    method: str = Field(description="of HTTP; of the command line, its command")
    path: str
    park_id: str | None
    status: int = Field(description="what was answered; 500 also where the answer is not known")
    trace_id: str


class AuditPage(BaseModel):
    """Entries, newest first."""

    items: list[AuditItem]
    next: str | None = Field(description="the cursor of the next page; null at the end")


class Wanted(BaseModel):
    """Which entries."""

    start: UtcDatetime | None = Field(default=None, description="from this time on")
    end: UtcDatetime | None = Field(default=None, description="before this time")
    actor: str | None = Field(default=None, max_length=200, pattern=_TEXT, description="only of this name")
    path: str | None = Field(default=None, max_length=500, pattern=_TEXT, description="only of paths that begin so")

    def question(self, park_id: str | None) -> AuditQuestion:
        """For the store."""
        return AuditQuestion(park_id, self.start, self.end, self.actor, self.path)


class WantedPage(Wanted):
    """Which entries, and where in their list."""

    limit: int = Field(default=100, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=50, description="`next` of the page before")


class WantedFile(Wanted):
    """Which entries, and in which form."""

    format: AuditFormat = AuditFormat.CSV


@router.get("/parks/{park_id}/audit", dependencies=[OfPark], openapi_extra=_SCOPED, responses=responses(BadRequest))
async def of_park(park_id: str, request: Request, wanted: Annotated[WantedPage, Query()]) -> AuditPage:
    """Who changed what in the park, newest first; refused attempts too."""
    return await _page(request, wanted, park_id)


@router.get("/audit", dependencies=[OfAll], openapi_extra=_ALL, responses=responses(BadRequest))
async def of_all(request: Request, wanted: Annotated[WantedPage, Query()]) -> AuditPage:
    """Who changed what in any park, and the keys, organisations and members; newest first."""
    return await _page(request, wanted, None)


@router.get(
    "/parks/{park_id}/audit/export",
    dependencies=[OfPark],
    openapi_extra=_SCOPED,
    responses=_FILE,
    response_class=StreamingResponse,
)
async def export_of_park(park_id: str, request: Request, wanted: Annotated[WantedFile, Query()]) -> StreamingResponse:
    """The park's audit as one file."""
    return _file(request, wanted, park_id)


@router.get(
    "/audit/export", dependencies=[OfAll], openapi_extra=_ALL, responses=_FILE, response_class=StreamingResponse
)
async def export_of_all(request: Request, wanted: Annotated[WantedFile, Query()]) -> StreamingResponse:
    """The whole audit as one file."""
    return _file(request, wanted, None)


async def _page(request: Request, wanted: WantedPage, park_id: str | None) -> AuditPage:
    try:
        after = AuditPlace.parse(wanted.cursor) if wanted.cursor is not None else None
    except ValueError as error:
        raise BadRequest(f"cursor: {error}; pass on `next` of the page before, unchanged.") from error
    engine = gateway_of(request).engine
    found = await page(engine, wanted.question(park_id), after, wanted.limit + 1, newest_first=True)
    shown = found[: wanted.limit]
    following = str(AuditPlace(shown[-1].entry.at, shown[-1].id)) if len(found) > len(shown) else None
    return AuditPage(items=[AuditItem.model_validate(fields(recorded)) for recorded in shown], next=following)


def _file(request: Request, wanted: WantedFile, park_id: str | None) -> StreamingResponse:
    return _AuditFile(_encoded(request, wanted, park_id), wanted.format, park_id or "all-parks")


async def _encoded(request: Request, wanted: WantedFile, park_id: str | None) -> AsyncIterator[str]:
    yield wanted.format.begin()
    async for piece in whole(gateway_of(request).engine, wanted.question(park_id)):
        yield wanted.format.lines(piece)


class _AuditFile(StreamingResponse):
    """Sends the file piece by piece; without its end, where the rest of it cannot be read or is not taken."""

    def __init__(self, content: AsyncIterator[str], form: AuditFormat, name: str) -> None:
        headers = {"Content-Disposition": f'attachment; filename="audit-{name}.{form}"'}
        super().__init__(content, media_type=form.media_type(), headers=headers)

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(LONGEST_S):
                await super().__call__(scope, receive, send)
        except TimeoutError:
            log.warning("audit_export_broke_off", error=f"not taken within {LONGEST_S:g} s")

    async def stream_response(self, send: Send) -> None:
        """Send the file; the server breaks a connection whose body was not ended."""
        try:
            await super().stream_response(send)
        except STORE_ERRORS as error:
            log.warning("audit_export_broke_off", error=" ".join(str(error).split())[:200])
