"""Commands to HJ 212 devices over HTTP, and the filling of gaps in their records."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from services.ingest import schemas
from services.ingest.commands import gap_store, questions, store
from services.ingest.commands.lifecycle import State
from services.ingest.commands.requests import CommandRequest
from services.ingest.questions.asking import asking
from services.ingest.state import Ingest
from shared.problems import BadRequest, NotFound, TooManyRequests, Unavailable, Unprocessable, responses
from shared.time import utc_now
from shared.web import actor

router = APIRouter(tags=["ingest"])
Limit = Annotated[int, Query(ge=1, le=1000)]
DEVICE = "/parks/{park_id}/devices/{mn}"


@router.post(DEVICE + "/commands", status_code=202, responses=responses(NotFound, TooManyRequests, Unprocessable))
async def post_command(
    park_id: str, mn: str, body: CommandRequest, ingest: Ingest, request: Request, response: Response
) -> schemas.Command:
    """Ask something of a device. It is sent as soon as the device is connected; follow it under `Location`."""
    _check(ingest, park_id, mn)
    patience = ingest.commands.patience
    async with ingest.engine.begin() as connection:
        added = await store.add(
            connection, park_id, mn, body, origin="user", by=actor(request), now=utc_now(), patience=patience
        )
        if added is None:
            detail = f"{store.MAX_OPEN} commands of the device '{mn}' have not ended yet; wait until they have."
            raise TooManyRequests(detail, headers={"Retry-After": str(round(patience.over_time.total_seconds()) or 1)})
        command = await questions.command(connection, park_id, mn, added)
    ingest.commands.wake()
    response.headers["Location"] = f"commands/{added}"
    return command


@router.get(DEVICE + "/commands", responses=responses(BadRequest, NotFound, Unavailable))
async def commands(
    park_id: str, mn: str, ingest: Ingest, state: State | None = None, limit: Limit = 100, cursor: str | None = None
) -> schemas.CommandPage:
    """The commands of a device, latest first."""
    _check(ingest, park_id, mn)
    async with asking(ingest) as connection:
        return await questions.commands(connection, park_id, mn, state, limit, cursor)


@router.get(DEVICE + "/commands/{command_id}", responses=responses(NotFound, Unavailable))
async def command(
    park_id: str, mn: str, command_id: Annotated[int, Path(ge=1, lt=2**62)], ingest: Ingest
) -> schemas.Command:
    """One command of a device."""
    async with asking(ingest) as connection:
        return await questions.command(connection, park_id, mn, command_id)


@router.get(DEVICE + "/gaps", responses=responses(BadRequest, NotFound, Unavailable))
async def gaps(park_id: str, mn: str, ingest: Ingest, limit: Limit = 100, cursor: str | None = None) -> schemas.GapPage:
    """The spans in which records of a device were missing, and what became of them; latest found first."""
    _check(ingest, park_id, mn)
    async with asking(ingest) as connection:
        return await questions.gaps(connection, park_id, mn, limit, cursor)


@router.get(DEVICE + "/gap-filling", responses=responses(NotFound, Unavailable))
async def gap_filling(park_id: str, mn: str, ingest: Ingest) -> schemas.GapFilling:
    """Whether the device is asked for records that are missing."""
    _check(ingest, park_id, mn)
    async with asking(ingest) as connection:
        return schemas.GapFilling(enabled=await gap_store.enabled(connection, mn))


@router.put(DEVICE + "/gap-filling", responses=responses(NotFound))
async def put_gap_filling(park_id: str, mn: str, body: schemas.GapFilling, ingest: Ingest) -> schemas.GapFilling:
    """Switch the filling of gaps on or off for a device."""
    _check(ingest, park_id, mn)
    async with ingest.engine.begin() as connection:
        await gap_store.enable(connection, mn, enabled=body.enabled)
    return body


def _check(ingest: Ingest, park_id: str, mn: str) -> None:
    device = ingest.registry.snapshot.devices.get(mn)
    if device is None or device.park_id != park_id:
        raise NotFound(f"The park '{park_id}' has no device '{mn}'.")
