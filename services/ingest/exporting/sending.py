"""An export on its way: encoded beside the event loop, bounded in time, broken off where it cannot be whole."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from services.ingest.exporting.pieces import Ask, Datastream, Entry, Wanted, pieces
from shared.problems import Problem, Unavailable
from shared.telemetry import get_logger

log = get_logger(__name__)
AT_ONCE = 2
"""Exports of one process; each holds some ten thousand observations."""
LONGEST_S = 3600.0
_RETRY_AFTER_S = 30


class File(Protocol):
    """Encodes an export piece by piece."""

    def begin(self) -> bytes:
        """What comes first."""

    def encode(self, datastream: Datastream, entries: Sequence[Entry]) -> bytes:
        """What is ready after this piece."""

    def end(self) -> bytes:
        """What comes last."""


class Exports:
    """How many exports are under way."""

    def __init__(self) -> None:
        self.running = 0

    def enter(self) -> None:
        """Take a place; raises Unavailable where all are taken."""
        if self.running >= AT_ONCE:
            detail = f"{AT_ONCE} exports are under way, which is as many as run at once. Ask again when one has ended."
            raise Unavailable(detail, retry_after_s=_RETRY_AFTER_S)
        self.running += 1

    def leave(self) -> None:
        """Give the place back."""
        self.running -= 1


class ExportResponse(StreamingResponse):
    """Sends an export, in a place that was entered before; leaves it at the end, whichever it is."""

    def __init__(self, exports: Exports, ask: Ask, wanted: Wanted, file: File, media_type: str, name: str) -> None:
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        super().__init__(_encoded(ask, wanted, file), media_type=media_type, headers=headers)
        self._exports = exports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all of it, within the time that an export may take."""
        try:
            async with asyncio.timeout(LONGEST_S):
                await super().__call__(scope, receive, send)
        except TimeoutError:
            log.warning("export_broke_off", error=f"not taken within {LONGEST_S:g} s")
        finally:
            self._exports.leave()

    async def stream_response(self, send: Send) -> None:
        """Send the file; without its end, where the rest of it cannot be read."""
        try:
            await super().stream_response(send)
        except Problem as error:
            # The status is out. The server breaks a connection whose body was not ended: the client sees that the
            # file is not whole.
            log.warning("export_broke_off", error=error.detail)


async def _encoded(ask: Ask, wanted: Wanted, file: File) -> AsyncIterator[bytes]:
    yield file.begin()
    async for datastream, entries in pieces(ask, wanted):
        part = await asyncio.to_thread(file.encode, datastream, entries)
        if part:
            yield part
    yield await asyncio.to_thread(file.end)
