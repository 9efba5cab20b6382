"""Ingest over HTTP."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from services.ingest import queries, registry_store, schemas, series
from services.ingest.batch import Submission
from services.ingest.intake import Intake
from services.ingest.metrics import ROWS
from services.ingest.state import State, state_of
from shared.park_file import Cadence, ParkFile
from shared.problems import (
    BadRequest,
    Conflict,
    NotFound,
    TooLarge,
    Unavailable,
    Unprocessable,
    responses,
)
from shared.time import UtcDatetime, utc_now
from shared.web import actor

router = APIRouter(tags=["ingest"])
Ingest = Annotated[State, Depends(state_of)]
MAX_POINTS = 50_000
SUBMIT_TIMEOUT_S = 10.0


@router.get("/parks")
async def parks(ingest: Ingest) -> schemas.ParkPage:
    """All parks."""
    async with ingest.engine.connect() as connection:
        return schemas.ParkPage(items=await queries.parks(connection))


@router.get("/parks/{park_id}", responses=responses(NotFound))
async def park(park_id: str, ingest: Ingest) -> schemas.Park:
    """One park."""
    async with ingest.engine.connect() as connection:
        return await queries.park(connection, park_id)


@router.put("/parks/{park_id}/registry", responses=responses(Conflict, Unprocessable))
async def put_registry(park_id: str, file: ParkFile, ingest: Ingest) -> schemas.RegistryTaken:
    """Take over a park file: park, enterprises, stations, devices, datastreams. Doing it twice changes nothing."""
    if file.park.id != park_id:
        raise Unprocessable(f"The path names the park '{park_id}' and the body '{file.park.id}'.")
    async with ingest.engine.begin() as connection:
        await registry_store.put_park(connection, file)
        stations, datastreams = await registry_store.counts(connection, park_id)
    ingest.relay.wake()
    await ingest.registry.load()
    return schemas.RegistryTaken(stations=stations, datastreams=datastreams)


@router.get("/parks/{park_id}/enterprises", responses=responses(NotFound))
async def enterprises(park_id: str, ingest: Ingest) -> schemas.EnterprisePage:
    """The companies of a park."""
    async with ingest.engine.connect() as connection:
        await queries.park(connection, park_id)
        return schemas.EnterprisePage(items=await queries.enterprises(connection, park_id))


@router.get("/parks/{park_id}/stations", responses=responses(NotFound))
async def stations(park_id: str, ingest: Ingest) -> schemas.StationPage:
    """The stations of a park with their devices and datastreams."""
    async with ingest.engine.connect() as connection:
        await queries.park(connection, park_id)
        return schemas.StationPage(items=await queries.stations(connection, park_id))


@router.get("/parks/{park_id}/devices", responses=responses(NotFound))
async def devices(park_id: str, ingest: Ingest) -> schemas.DevicePage:
    """The devices of a park with what was counted of each."""
    async with ingest.engine.connect() as connection:
        await queries.park(connection, park_id)
        return schemas.DevicePage(items=await queries.devices(connection, park_id))


@router.get("/devices/unknown", tags=["internal"])
async def unknown_devices(
    ingest: Ingest, limit: Annotated[int, Query(ge=1, le=10_000)] = 1000
) -> schemas.UnknownDevicePage:
    """Devices that speak to us and that no park has."""
    async with ingest.engine.connect() as connection:
        return schemas.UnknownDevicePage(items=await queries.unknown_devices(connection, limit))


@router.get("/datastreams", tags=["internal"])
async def datastreams(ingest: Ingest, park_id: str | None = None) -> schemas.DatastreamPage:
    """Every datastream with its station, for the other services."""
    async with ingest.engine.connect() as connection:
        return schemas.DatastreamPage(items=await queries.datastreams(connection, park_id))


@router.get("/parks/{park_id}/latest", responses=responses(NotFound))
async def latest(park_id: str, ingest: Ingest, cadence: Cadence = "realtime") -> schemas.LatestPage:
    """The latest observation of every datastream of one cadence."""
    async with ingest.engine.connect() as connection:
        await queries.park(connection, park_id)
        return schemas.LatestPage(items=await series.latest(connection, park_id, cadence))


@router.get("/parks/{park_id}/observations", responses=responses(BadRequest, NotFound))
async def observations(
    park_id: str,
    ingest: Ingest,
    datastream_id: Annotated[list[int], Query(min_length=1, max_length=200)],
    start: UtcDatetime | None = None,
    end: UtcDatetime | None = None,
    resolution: series.Resolution = "raw",
    limit: Annotated[int, Query(ge=1, le=MAX_POINTS)] = 10_000,
    cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
) -> schemas.SeriesPage:
    """Observations of some datastreams, from `start` on and before `end`."""
    until = end or utc_now()
    since = start or until - series.DEFAULT_SPAN[resolution]
    if since >= until:
        raise BadRequest("`start` has to lie before `end`.")
    async with ingest.engine.connect() as connection:
        return await series.observations(connection, park_id, datastream_id, resolution, since, until, limit, cursor)


@router.post("/parks/{park_id}/observations", responses=responses(NotFound, TooLarge, Unavailable))
async def post_observations(
    park_id: str, batch: schemas.ObservationBatch, ingest: Ingest, request: Request
) -> schemas.BatchResult:
    """Store observations. The answer comes after the commit and tells of each row what became of it."""
    snapshot = ingest.registry.snapshot
    if park_id not in snapshot.parks:
        raise NotFound(f"There is no park '{park_id}'.")
    intake = Intake(batch.observations, snapshot, park_id, now=utc_now(), ahead=ingest.clock_ahead)
    submission = Submission(f"http:{actor(request)}", intake.observations)
    statuses = await ingest.writer.submit_or_refuse(submission, SUBMIT_TIMEOUT_S) if intake.observations else []
    if intake.refused:
        ROWS.labels("refused").inc(intake.refused)
    return intake.result(statuses)


@router.get("/parks/{park_id}/meteorology", responses=responses(NotFound))
async def meteorology(
    park_id: str,
    ingest: Ingest,
    at: UtcDatetime | None = None,
    window_s: Annotated[float, Query(gt=0, le=86_400)] = 600.0,
) -> schemas.Meteorology:
    """The weather of a park over a window of time: wind as a vector mean, with its spread."""
    moment: datetime = at or utc_now()
    async with ingest.engine.connect() as connection:
        await queries.park(connection, park_id)
        return await series.meteorology(connection, park_id, moment, timedelta(seconds=window_s))
