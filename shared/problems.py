"""Errors over HTTP as problem documents (RFC 9457): what was wrong, where, and how to mend it."""

from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.outages import DATABASE_OUTAGES, is_database_outage
from shared.telemetry import current_trace_id, get_logger

log = get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "https://fenceline.example/problems/"


class ProblemDocument(BaseModel):
    """The body of every answer with a status of 400 or above."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=[TYPE_PREFIX + "not-found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no station 'bohai-demo.s99'."])
    instance: str | None = Field(default=None, description="the path that was asked")
    trace_id: str | None = Field(default=None, description="the trace under which the logs tell more")


class Problem(Exception):
    """Base of every error that a caller may see; a subclass names its status, type and title.

    Raise it with a `detail` that says what, where and how to mend it. `extensions` become members of the document.
    """

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, *, headers: dict[str, str] | None = None, **extensions: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = headers
        self.extensions = extensions


class BadRequest(Problem):
    """The request cannot be understood."""

    status, slug, title = 400, "bad-request", "Bad request"


class Unauthorized(Problem):
    """No credentials, or wrong ones."""

    status, slug, title = 401, "unauthorized", "Credentials missing or wrong"


class Forbidden(Problem):
    """Known, but not allowed to do this."""

    status, slug, title = 403, "forbidden", "Not allowed"


class NotFound(Problem):
    """Not there, or not to be seen by this caller."""

    status, slug, title = 404, "not-found", "Not found"


class Conflict(Problem):
    """The state does not allow it."""

    status, slug, title = 409, "conflict", "Not possible in this state"


class Gone(Problem):
    """It was there, and is kept no longer."""

    status, slug, title = 410, "gone", "No longer kept"


class TooLarge(Problem):
    """The body is over the limit."""

    status, slug, title = 413, "too-large", "Body too large"


class UnsupportedMediaType(Problem):
    """The body has a form that is not known here."""

    status, slug, title = 415, "unsupported-media-type", "Form of the body not known"


class Unprocessable(Problem):
    """Understood, but a value is outside what is allowed."""

    status, slug, title = 422, "unprocessable", "A value is not allowed"


class TooManyRequests(Problem):
    """The caller is over its limit."""

    status, slug, title = 429, "too-many-requests", "Too many requests"


class Unavailable(Problem):
    """Something that is needed is down; the caller may try again."""

    status, slug, title = 503, "unavailable", "Temporarily unavailable"

    def __init__(self, detail: str, *, retry_after_s: int = 2, **extensions: Any) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)}, **extensions)


def problem_response(
    request: Request,
    status: int,
    slug: str,
    title: str,
    detail: str,
    headers: dict[str, str] | None = None,
    **extensions: Any,
) -> JSONResponse:
    """The answer that carries one problem document."""
    document = {
        "type": TYPE_PREFIX + slug,
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        "trace_id": current_trace_id(),
        **extensions,
    }
    return JSONResponse(document, status, headers, media_type=MEDIA_TYPE)


async def _on_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return problem_response(
        request, error.status, error.slug, error.title, error.detail, error.headers, **error.extensions
    )


async def _on_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = [
        {"where": "/".join(str(part) for part in fault["loc"]), "what": fault["msg"], "kind": fault["type"]}
        for fault in error.errors()[:50]
    ]
    detail = "; ".join(f"{fault['where']}: {fault['what']}" for fault in faults[:3])
    return problem_response(
        request,
        422,
        Unprocessable.slug,
        Unprocessable.title,
        detail or "The request is not valid.",
        errors=faults,
    )


async def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    slug = status.phrase.lower().replace(" ", "-")
    headers = dict(error.headers) if error.headers else None
    return problem_response(request, status.value, slug, status.phrase, str(error.detail), headers)


async def _on_disconnect(_request: Request, _error: Exception) -> Response:
    """The caller went away while it sent; nobody reads this answer, and it is no fault of ours to log."""
    return Response(status_code=499)


async def _on_outage(request: Request, error: Exception) -> JSONResponse:
    """The database does not answer, and is thought to come back."""
    if not is_database_outage(error):
        return await _on_unexpected(request, error)
    log.warning("database_unavailable", path=request.url.path, error=" ".join(str(error).split())[:200])
    return await _on_problem(request, Unavailable("The database does not answer at the moment; try again."))


async def _on_unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("unexpected_error", path=request.url.path, method=request.method, exc_info=error)
    detail = "The service met an error that it did not expect; its log has it under this trace_id."
    return problem_response(request, 500, Problem.slug, Problem.title, detail)


def add_problem_handlers(app: FastAPI) -> None:
    """Make every error of `app` a problem document."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    for outage in DATABASE_OUTAGES:
        app.add_exception_handler(outage, _on_outage)
    app.add_exception_handler(Exception, _on_unexpected)


def responses(*problems: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route: which problems it may answer with, for the OpenAPI document."""
    return {
        problem.status: {
            "description": problem.title,
            "content": {MEDIA_TYPE: {"schema": ProblemDocument.model_json_schema()}},
        }
        for problem in problems
    }
