"""The two routes on parks that the gateway answers itself: the list of those that a key sees, and the registry."""

import json
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import Response

from services.gateway.admission import ParkReader, ParkWriter
from services.gateway.auth import Principal
from services.gateway.proxy import request_headers, send
from services.gateway.routing import API, Service
from services.gateway.scopes import Scope
from services.gateway.state import gateway_of
from shared.park_file import ParkFile
from shared.problems import MEDIA_TYPE, Problem, ProblemDocument, Unprocessable, responses

router = APIRouter(prefix=API, tags=["parks"])
# Ingest first: the others ask it about stations.
REGISTRY_ORDER = (Service.INGEST, Service.ALERTS, Service.MODEL)


class ParkList(BaseModel):
    """The parks that the key sees, as ingest describes each."""

    items: list[dict[str, Any]]
    next: Annotated[None, Field(description="the list is always whole")] = None


class RegistryResult(BaseModel):
    """What each service said to the park file."""

    park_id: str
    services: dict[Service, dict[str, Any]]


@router.get("/parks", openapi_extra={"x-fenceline-scope": Scope.PARKS_READ})
async def parks(request: Request, who: ParkReader) -> ParkList:
    """The parks that this key may see."""
    client = gateway_of(request).services[Service.INGEST]
    seen: list[dict[str, Any]] = []
    # Ingest's cursors are not handed out: one could name a park that the key must not know of.
    cursor: str | None = None
    while True:
        outgoing = client.build_request("GET", "/parks", params={"cursor": cursor} if cursor else None)
        answer = await send(client, Service.INGEST, outgoing)
        content = await answer.aread()
        await answer.aclose()
        answer.raise_for_status()
        page = json.loads(content)
        seen += [park for park in page["items"] if who.sees(park["id"])]
        following = page.get("next")
        if not following or following == cursor:
            return ParkList(items=seen)
        cursor = following


@router.put(
    "/parks/{park_id}/registry",
    response_model=RegistryResult,
    responses=responses(Unprocessable),
    openapi_extra={
        "x-fenceline-scope": Scope.PARKS_WRITE,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ParkFile"}}},
        },
    },
)
async def put_registry(park_id: str, request: Request, who: ParkWriter) -> Response:
    """Register a park from its park file: stations, rules, risk sources, receptors. Repeat it as often as you like.

    Ingest, alerts and model take the file in this order, each the part that it owns. The problem of the first that
    fails is answered, with `done` naming those that have it already; sending the file again mends that.
    """
    body = await request.body()
    _check(park_id, body)
    done: dict[str, Any] = {}
    for service in REGISTRY_ORDER:
        try:
            status, said = await _put(request, who, service, f"/parks/{park_id}/registry", body)
        except Problem as problem:
            problem.extensions |= {"service": service, "done": list(done)}
            raise
        if status >= httpx.codes.BAD_REQUEST:
            problem_of = {**said, "service": service, "done": list(done)}
            return JSONResponse(problem_of, status, media_type=MEDIA_TYPE)
        done[service] = said
    return JSONResponse({"park_id": park_id, "services": done})


def _check(park_id: str, body: bytes) -> None:
    try:
        park_file = ParkFile.model_validate_json(body)
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors(include_context=False)]
        raise RequestValidationError(faults) from error
    if park_file.park.id != park_id:
        raise Unprocessable(f"The file describes the park {park_file.park.id!r}, the address says {park_id!r}.")


async def _put(
    request: Request, who: Principal, service: Service, path: str, body: bytes
) -> tuple[int, dict[str, Any]]:
    client = gateway_of(request).services[service]
    headers = request_headers(request, who) | {"content-type": "application/json"}
    outgoing = client.build_request("PUT", path, content=body, headers=headers, timeout=60.0)
    answer = await send(client, service, outgoing)
    content = await answer.aread()
    await answer.aclose()
    said = json.loads(content) if content else {}
    if answer.status_code >= httpx.codes.BAD_REQUEST and "status" not in said:
        said = ProblemDocument(
            type="about:blank", title="Refused", status=answer.status_code, detail=f"The service {service} refused."
        ).model_dump(exclude_none=True)
    return answer.status_code, said
