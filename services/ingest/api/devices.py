"""HJ 212 devices over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.ingest import schemas
from services.ingest.questions.asking import asking
from services.ingest.registry import questions
from services.ingest.state import Ingest
from shared.problems import NotFound, Unavailable, responses

router = APIRouter(tags=["ingest"])


@router.get("/parks/{park_id}/devices", responses=responses(NotFound, Unavailable))
async def devices(park_id: str, ingest: Ingest) -> schemas.DevicePage:
    """The devices of a park with what was counted of each."""
    async with asking(ingest) as connection:
        await questions.park(connection, park_id)
        return schemas.DevicePage(items=await questions.devices(connection, park_id))


@router.get("/devices/unknown", tags=["internal"], responses=responses(Unavailable))
async def unknown_devices(
    ingest: Ingest, limit: Annotated[int, Query(ge=1, le=10_000)] = 1000
) -> schemas.UnknownDevicePage:
    """Devices that speak to us and that no park has."""
    async with asking(ingest) as connection:
        return schemas.UnknownDevicePage(items=await questions.unknown_devices(connection, limit))
