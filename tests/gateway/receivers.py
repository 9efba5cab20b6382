"""A receiver of webhooks: a real HTTP server that notes what it was sent and answers what it is told to."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response
from standardwebhooks import Webhook


@dataclass
class Message:
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def verified(self, secret: str) -> Any:
        """The body, if it is signed with the secret; raises otherwise."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """Answers `answers` one after the other (a status, or a status with headers), then `status` and `said`."""

    url: str = ""
    status: int = 204
    said: bytes = b""
    answers: deque[tuple[int, dict[str, str]]] = field(default_factory=deque)
    refuses: str | None = None
    """Whatever holds this is answered with 400."""
    came: asyncio.Event = field(default_factory=asyncio.Event)
    heard: list[Message] = field(default_factory=list)
    taken: list[Message] = field(default_factory=list)

    def app(self) -> FastAPI:
        app = FastAPI()
        app.add_api_route("/{path:path}", self._receive, methods=["POST", "GET"])
        return app

    async def _receive(self, request: Request) -> Response:
        body = await request.body()
        message = Message(request.url.path, request.url.query, dict(request.headers), body)
        self.heard.append(message)
        status, headers = self.answers.popleft() if self.answers else (self.status, {})
        if self.refuses is not None and self.refuses.encode() in body:
            status = 400
        if 200 <= status < 300:
            self.taken.append(message)
        self.came.set()
        return Response(b"" if status == 204 else self.said, status, headers)

    async def wait(self, count: int, *, heard: bool = False) -> list[Message]:
        """What was taken (or heard), once there is so much of it."""
        found = self.heard if heard else self.taken
        async with asyncio.timeout(20):
            while len(found) < count:
                self.came.clear()
                await self.came.wait()
        return found
