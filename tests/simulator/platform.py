"""A small HJ 212 platform on a real socket, that can fall silent, go away and come back."""

import asyncio
from collections.abc import Callable
from typing import Self

from shared.hj212 import commands, segment
from shared.hj212.codes import Cn
from shared.hj212.frame import DecodedFrame, FrameDecoder, encode
from shared.hj212.segment import Segment

UPLOADS = (Cn.REALTIME, Cn.MINUTE, Cn.STARTUP)


class Platform:
    """Keeps every frame that arrives; acknowledges an upload where `acknowledges` says so."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.messages: list[Segment] = []
        self.refused = 0
        self.acknowledges: Callable[[Segment], bool] = lambda _message: True
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Listen; on the same port as before when it was closed in between."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and break all connections."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        await asyncio.sleep(0)

    def ask(self, request: Segment) -> None:
        """Send a request on the newest connection."""
        self._writers[-1].write(encode(request.encode()))

    def of(self, cn: Cn) -> list[Segment]:
        """Messages of one command, in the order of arrival."""
        return [message for message in self.messages if message.cn == cn]

    async def until(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait until the condition holds."""
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110  (what is waited for lies in another process)
                await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        decoder = FrameDecoder()
        try:
            while data := await reader.read(65536):
                for frame in decoder.feed(data):
                    if isinstance(frame, DecodedFrame):
                        self._take(frame, writer)
                    else:
                        self.refused += 1
        except OSError:
            pass
        finally:
            writer.close()

    def _take(self, frame: DecodedFrame, writer: asyncio.StreamWriter) -> None:
        message = segment.parse(frame.segment)
        self.frames.append(frame.raw)
        self.messages.append(message)
        if message.cn in UPLOADS and self.acknowledges(message):
            writer.write(encode(commands.data_answer(message).encode()))
