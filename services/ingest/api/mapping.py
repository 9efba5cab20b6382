"""The mapping of a park over HTTP: out as CSV, YAML or JSON, and in again."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.ingest.questions.asking import asking
from services.ingest.registry import mapping, mapping_store, questions
from services.ingest.registry import store as registry_store
from services.ingest.schemas import RegistryTaken
from services.ingest.state import Ingest
from shared.problems import Conflict, NotFound, Unavailable, Unprocessable, UnsupportedMediaType, responses

router = APIRouter(tags=["ingest"])
_READ: dict[str, Callable[[bytes], mapping.ParkMapping]] = {
    "text/csv": mapping.read_csv,
    "application/yaml": mapping.read_yaml,
    "application/x-yaml": mapping.read_yaml,
    "text/yaml": mapping.read_yaml,
    "application/json": mapping.read_json,
}
_BODIES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/yaml": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
        },
    }
}


@router.get("/parks/{park_id}/mapping", response_class=Response, responses=responses(NotFound, Unavailable))
async def get_mapping(
    park_id: str,
    ingest: Ingest,
    format: Literal["csv", "yaml", "json"] = "yaml",  # noqa: A002  (the name in the address)
    station: Annotated[list[str] | None, Query(max_length=1000, description="codes; all by default")] = None,
) -> Response:
    """Devices, and which factor code becomes which datastream, as a file that `PUT` takes back; holds passwords."""
    async with asking(ingest) as connection:
        await questions.park(connection, park_id)
        found = await mapping_store.read_mapping(connection, park_id, station)
    headers = {"Content-Disposition": f'attachment; filename="{park_id}-mapping.{format}"', "Cache-Control": "no-store"}
    if format == "csv":
        return StreamingResponse(mapping.write_csv(found), media_type="text/csv; charset=utf-8", headers=headers)
    if format == "yaml":
        text = await asyncio.to_thread(mapping.write_yaml, found)
        return Response(text, media_type="application/yaml", headers=headers)
    return Response(found.model_dump_json(), media_type="application/json", headers=headers)


@router.put(
    "/parks/{park_id}/mapping",
    responses=responses(NotFound, Conflict, Unprocessable, UnsupportedMediaType),
    openapi_extra=_BODIES,
)
async def put_mapping(park_id: str, ingest: Ingest, request: Request) -> RegistryTaken:
    """Give the stations that the file names exactly this mapping; the others keep theirs. All of it, or nothing.

    Takes what `GET` gives, as CSV, YAML or JSON. Doing it twice changes nothing.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    read = _READ.get(kind)
    if read is None:
        raise UnsupportedMediaType(
            f"A mapping is sent as {', '.join(_READ)}; the Content-Type says {kind or 'nothing'}."
        )
    try:
        # In a thread: a large file takes a second or two, and stations wait for their answers.
        wanted = await asyncio.to_thread(read, await request.body())
    except mapping.MappingError as error:
        raise Unprocessable(str(error), errors=[fault.model_dump() for fault in error.faults]) from error
    async with ingest.engine.begin() as connection:
        await questions.park(connection, park_id)
        await mapping_store.put_mapping(connection, park_id, wanted)
        stations, datastreams = await registry_store.counts(connection, park_id)
    ingest.relay.wake()
    ingest.replays.wake()
    await ingest.registry.load()
    return RegistryTaken(stations=stations, datastreams=datastreams)
