"""One client's stream: first what it has missed, then what happens, with signs of life between."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from services.gateway.events.event import REPLAYED, Cursor, encode, encode_comment
from services.gateway.events.feeds import OUTAGES
from services.gateway.events.hub import Subscriber
from services.gateway.events.live import LiveEvents
from shared.telemetry import get_logger

log = get_logger(__name__)
HEARTBEAT_S = 10.0
RECONNECT_MS = 2000
SEND_TIMEOUT_S = 60.0
"""A client that takes nothing for so long is given up without a last word."""
StillAllowed = Callable[[], Awaitable[bool]]


async def client_stream(
    events: LiveEvents,
    subscriber: Subscriber,
    cursor: Cursor,
    still_allowed: StillAllowed,
    heartbeat_s: float = HEARTBEAT_S,
) -> AsyncGenerator[bytes]:
    """The bytes of the stream. `cursor` is the client's `Last-Event-ID`; without it the stream begins now."""
    yield f"retry: {RECONNECT_MS}\n: fenceline\n\n".encode()
    while not await events.hub.has_begun(heartbeat_s):
        if subscriber.ended is not None:
            yield encode_comment(subscriber.ended)
            return
        yield encode_comment("waiting for the services")
    # The subscriber hears already. Replay goes up to what has been fanned out; what is heard twice the cursor tells.
    upto = dict(events.hub.positions)
    begin = {stream: min(cursor.positions.get(stream, end), end) for stream, end in upto.items()}
    cursor.positions = begin
    yield encode_comment("live from here on unless something was missed", cursor)
    for stream in REPLAYED:
        async for chunk in _replay(events, subscriber, cursor, stream, upto[stream], heartbeat_s):
            yield chunk
    async for chunk in _live(events, subscriber, cursor, still_allowed, heartbeat_s):
        yield chunk
    yield encode_comment(subscriber.ended or "the key is no longer valid", cursor)


async def _replay(
    events: LiveEvents, subscriber: Subscriber, cursor: Cursor, stream: str, upto: int, retry_s: float
) -> AsyncGenerator[bytes]:
    while cursor.positions[stream] < upto and subscriber.ended is None:
        try:
            async for event in events.replay(stream, cursor.positions[stream], upto):
                cursor.pass_event(event)
                if subscriber.interest.covers(event):
                    yield encode(event, cursor)
        except OUTAGES as error:
            # Going on would leave a gap that the client could not see.
            log.warning("replay_waits", stream=stream, error=f"{type(error).__name__}: {error}"[:200])
            yield encode_comment("waiting for what was missed", cursor)
            await asyncio.sleep(min(1.0, retry_s))
        else:
            cursor.positions[stream] = upto


async def _live(
    events: LiveEvents, subscriber: Subscriber, cursor: Cursor, still_allowed: StillAllowed, heartbeat_s: float
) -> AsyncGenerator[bytes]:
    clock = asyncio.get_running_loop().time
    checked = clock()
    while True:
        event = await subscriber.next(heartbeat_s)
        if event is not None:
            if cursor.is_behind(event):
                cursor.pass_event(event)
                yield encode(event, cursor)
        elif subscriber.ended is not None:
            return
        else:
            # Nothing waits, so all that was fanned out has been sent or was not for this client.
            cursor.positions |= events.hub.positions
            yield encode_comment("still here", cursor)
        if clock() - checked >= heartbeat_s:
            checked = clock()
            if not await still_allowed():
                return


class EventStream(StreamingResponse):
    """The answer that carries a stream; `gone` is called once it has ended, however it did."""

    media_type = "text/event-stream"

    def __init__(self, content: AsyncGenerator[bytes], gone: Callable[[], None], status_code: int = 200) -> None:
        super().__init__(content, status_code, {"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._content = content
        self._gone = gone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream until it or the client ends."""

        async def impatient(message: dict[str, object]) -> None:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await send(message)

        try:
            await super().__call__(scope, receive, impatient)  # type: ignore[arg-type]
        except TimeoutError:
            log.warning("event_client_stuck", seconds=SEND_TIMEOUT_S)
        finally:
            self._gone()
            await self._content.aclose()
