"""A client of server-sent events that keeps to the letter of the standard, as far as the tests need it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class Heard:
    """One dispatch: an event, or comments alone (`event` is None)."""

    event: str | None = None
    id: str | None = None
    data: Any = None
    comments: list[str] = field(default_factory=list)


class Listener:
    """Reads one stream; `last_id` is what a browser would send when it connects again."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.last_id: str | None = None
        self.comments: list[str] = []
        self._blocks = self._read()

    async def _read(self) -> AsyncIterator[Heard]:
        heard = Heard()
        async for line in self.response.aiter_lines():
            name, _, value = line.partition(": ")
            match name:
                case "":
                    if line == "":
                        yield heard
                        heard = Heard()
                    else:
                        heard.comments.append(value)
                        self.comments.append(value)
                case "event":
                    heard.event = value
                case "id":
                    heard.id = self.last_id = value
                case "data":
                    heard.data = json.loads(value)

    async def block(self, timeout_s: float = 5.0) -> Heard:
        return await asyncio.wait_for(anext(self._blocks), timeout_s)

    async def next(self, timeout_s: float = 5.0) -> Heard:
        """The next event, passing over comments."""
        async with asyncio.timeout(timeout_s):
            while (heard := await anext(self._blocks)).event is None:
                pass
        return heard

    async def live(self) -> "Listener":
        """Once the stream says that it is live."""
        while not any(comment.startswith("live") for comment in (await self.block()).comments):
            pass
        return self

    async def silence(self, seconds: float) -> None:
        """Fail if an event comes within `seconds`."""
        try:
            heard = await self.next(seconds)
        except TimeoutError:
            return
        raise AssertionError(f"an event came: {heard}")

    async def rest(self, timeout_s: float = 10.0) -> list[Heard]:
        """Everything until the server ends the stream."""
        async with asyncio.timeout(timeout_s):
            return [heard async for heard in self._blocks]


@asynccontextmanager
async def listening(client: httpx.AsyncClient, **options: Any) -> AsyncIterator[Listener]:
    async with client.stream("GET", "/api/v1/events", timeout=30, **options) as response:
        assert response.status_code == 200, (await response.aread()).decode()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Listener(response)
