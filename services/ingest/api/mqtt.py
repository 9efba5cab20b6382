"""Refused MQTT messages over HTTP: looked at, and read again after the registry or a template was mended."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from services.ingest.mqtt import refused
from services.ingest.questions.asking import asking
from services.ingest.registry import questions
from services.ingest.schemas import mqtt as schemas
from services.ingest.state import Ingest
from shared import cursors
from shared.problems import BadRequest, Conflict, NotFound, Unavailable, responses

router = APIRouter(tags=["ingest"], responses=responses(BadRequest, NotFound, Unavailable))
MAX_AGAIN = 100
PATIENCE_S = 20.0
SHOWN = 2000
Cursor = Annotated[str | None, Query(max_length=100, description="`next` of the page before")]


@router.get("/parks/{park_id}/mqtt-refusals")
async def refusals(
    park_id: str, ingest: Ingest, limit: Annotated[int, Query(ge=1, le=200)] = 100, cursor: Cursor = None
) -> schemas.RefusedMessagePage:
    """MQTT messages that could not be stored, or not wholly, the latest first. They are kept for 30 days."""
    before = None if cursor is None else cursors.read(cursor, _number)
    async with asking(ingest) as connection:
        await questions.park(connection, park_id)
        found = await refused.latest(connection, park_id, before, limit + 1)
    items = [
        schemas.RefusedMessage(
            id=message.id,
            received_at=message.received_at,
            topic=message.topic,
            reason=message.reason,
            faults=message.faults,
            bytes=len(message.payload),
            payload=message.payload[:SHOWN].decode("utf-8", "backslashreplace").replace("\x00", "\\x00"),
        )
        for message in found[:limit]
    ]
    return schemas.RefusedMessagePage(items=items, next=cursors.write(items[-1].id) if len(found) > limit else None)


@router.post("/parks/{park_id}/mqtt-refusals/replay", responses=responses(Conflict))
async def replay(
    park_id: str, ingest: Ingest, limit: Annotated[int, Query(ge=1, le=MAX_AGAIN)] = MAX_AGAIN, cursor: Cursor = None
) -> schemas.MessagesReadAgain:
    """Read refused messages again with the registry and the templates as they are now, the oldest first.

    What is stored already stays as it is, so it can be asked as often as you like; times are judged by when a message
    came. The others stay listed, with the reason of now. One call takes one page: go on with `next` until it is null.
    """
    messages = ingest.messages
    if messages is None:
        raise Conflict("Ingest has no MQTT templates; set FENCELINE_INGEST_MQTT_TEMPLATES.")
    after = 0 if cursor is None else cursors.read(cursor, _number)
    async with asking(ingest) as connection:
        await questions.park(connection, park_id)
        found = await refused.oldest(connection, park_id, after, limit + 1)
    page = found[:limit]
    await ingest.registry.load()  # another replica may have taken in what was mended
    reading = (messages.store(message.topic, message.payload, message.received_at, park_id=park_id) for message in page)
    try:
        async with asyncio.timeout(PATIENCE_S):
            outcomes = await asyncio.gather(*reading)
    except TimeoutError:
        raise Unavailable("The messages could not be stored in time. Ask again: nothing is stored twice.") from None
    stored = 0
    async with ingest.engine.begin() as connection:
        for message, outcome in zip(page, outcomes, strict=True):
            if outcome == []:
                stored += 1
                await refused.forget(connection, park_id, message.id)
            elif outcome:
                faults = sum(refusal.faults for refusal in outcome)
                await refused.still_refused(connection, park_id, message.id, outcome[0].reason, faults)
    following = cursors.write(page[-1].id) if len(found) > limit else None
    return schemas.MessagesReadAgain(tried=len(page), stored=stored, next=following)


def _number(parts: list[str]) -> int:
    (number,) = parts
    return cursors.count(number)
