"""Parks, enterprises, stations, datastreams over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.ingest import schemas
from services.ingest.questions.asking import asking
from services.ingest.questions.latest import read_cursor
from services.ingest.registry import questions
from services.ingest.registry import store as registry_store
from services.ingest.state import Ingest
from shared.park_file import ParkFile
from shared.problems import (
    BadRequest,
    Conflict,
    NotFound,
    Unavailable,
    Unprocessable,
    responses,
)
from shared.time import UtcDatetime, iso

router = APIRouter(tags=["ingest"])
MAX_DATASTREAMS = 2000


@router.get("/parks", responses=responses(Unavailable))
async def parks(ingest: Ingest) -> schemas.ParkPage:
    """All parks."""
    async with asking(ingest) as connection:
        return schemas.ParkPage(items=await questions.parks(connection))


@router.get("/parks/{park_id}", responses=responses(NotFound, Unavailable))
async def park(park_id: str, ingest: Ingest) -> schemas.Park:
    """One park."""
    async with asking(ingest) as connection:
        return await questions.park(connection, park_id)


@router.put("/parks/{park_id}/registry", responses=responses(Conflict, Unprocessable))
async def put_registry(park_id: str, file: ParkFile, ingest: Ingest) -> schemas.RegistryTaken:
    """Take over a park file: park, enterprises, stations, devices, datastreams. Doing it twice changes nothing."""
    if file.park.id != park_id:
        raise Unprocessable(f"The path names the park '{park_id}' and the body '{file.park.id}'.")
    async with ingest.engine.begin() as connection:
        await registry_store.put_park(connection, file)
        stations, datastreams = await registry_store.counts(connection, park_id)
    ingest.relay.wake()
    ingest.replays.wake()
    await ingest.registry.load()
    return schemas.RegistryTaken(stations=stations, datastreams=datastreams)


@router.get("/parks/{park_id}/enterprises", responses=responses(NotFound, Unavailable))
async def enterprises(park_id: str, ingest: Ingest) -> schemas.EnterprisePage:
    """The companies of a park."""
    async with asking(ingest) as connection:
        await questions.park(connection, park_id)
        return schemas.EnterprisePage(items=await questions.enterprises(connection, park_id))


@router.get("/parks/{park_id}/stations", responses=responses(NotFound, Unavailable))
async def stations(park_id: str, ingest: Ingest) -> schemas.StationPage:
    """The stations of a park with their devices and datastreams."""
    async with asking(ingest) as connection:
        await questions.park(connection, park_id)
        return schemas.StationPage(items=await questions.stations(connection, park_id))


@router.get("/parks/{park_id}/stations/{station_id}/locations", responses=responses(NotFound, Unavailable))
async def locations(
    park_id: str,
    station_id: str,
    ingest: Ingest,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: UtcDatetime | None = None,
) -> schemas.StationLocationPage:
    """Where a station has stood, the latest first."""
    async with asking(ingest) as connection:
        found = await questions.locations(connection, park_id, station_id, cursor, limit + 1)
    following = iso(found[limit - 1].since) if len(found) > limit else None
    return schemas.StationLocationPage(items=found[:limit], next=following)


@router.get("/datastreams", tags=["internal"], responses=responses(BadRequest, Unavailable))
async def datastreams(
    ingest: Ingest,
    park_id: str | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_DATASTREAMS)] = MAX_DATASTREAMS,
    cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
) -> schemas.DatastreamPage:
    """Datastreams with their stations, of one park or of all, for the other services."""
    after = read_cursor(cursor)
    async with asking(ingest) as connection:
        return await questions.datastreams(connection, park_id, after, limit)
