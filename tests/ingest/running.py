"""Ingest in this process, with a client for HTTP and one for stations."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import psycopg

from services.ingest.app import build_app
from services.ingest.settings import IngestSettings
from services.ingest.state import State
from shared.hj212.crc import CrcMode
from shared.hj212.frame import DecodedFrame, FrameDecoder, encode
from shared.hj212.segment import Segment, parse
from shared.http_client import ServiceAuth


class Running:
    """A started ingest."""

    def __init__(self, state: State, http: httpx.AsyncClient, database_url: str) -> None:
        self.state = state
        self.http = http
        self.database_url = database_url

    @property
    def port(self) -> int:
        return self.state.server.port

    async def ready(self) -> None:
        """Wait until stations are let in."""

        async def listening() -> bool:
            return (await self.http.get("/health/ready")).status_code == 200

        await until(listening)

    async def put_park(self, file: dict[str, Any]) -> dict[str, Any]:
        answer = await self.http.put(f"/parks/{file['park']['id']}/registry", json=file)
        assert answer.status_code == 200, answer.text
        taken: dict[str, Any] = answer.json()
        return taken

    async def get(self, path: str, **parameters: Any) -> Any:
        answer = await self.http.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What the database holds, asked beside the service."""
        connect = psycopg.AsyncConnection.connect
        async with await connect(self.database_url, options="-c search_path=ingest") as connection:
            return await (await connection.execute(query.encode(), parameters)).fetchall()

    async def gone(self, mn: str) -> None:
        """Wait until a device is no longer connected."""

        async def away() -> bool:
            return self.state.server.links.get(mn) is None

        await until(away)

    @asynccontextmanager
    async def station(self, mode: CrcMode = CrcMode.HJ212) -> AsyncIterator["StationClient"]:
        """A connection; ``mode`` is the checksum of what the platform sends on it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        client = StationClient(reader, writer, mode)
        try:
            yield client
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


class StationClient:
    """The device's end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mode: CrcMode) -> None:
        self.reader = reader
        self.writer = writer
        self._decoder = FrameDecoder(crc_mode_of=lambda _: mode)
        self._waiting: list[Segment] = []

    async def send(self, data: bytes | Segment, mode: CrcMode = CrcMode.HJ212) -> None:
        self.writer.write(encode(data.encode(), mode) if isinstance(data, Segment) else data)
        await self.writer.drain()

    async def answer(self, timeout_s: float = 10.0) -> Segment:
        """The next message of the platform; TimeoutError when none comes, EOFError when it hangs up."""
        while not self._waiting:
            data = await asyncio.wait_for(self.reader.read(65536), timeout_s)
            if not data:
                raise EOFError
            for frame in self._decoder.feed(data):
                assert isinstance(frame, DecodedFrame), frame
                self._waiting.append(parse(frame.segment))
        return self._waiting.pop(0)


@asynccontextmanager
async def start(database_url: str, settings: dict[str, Any]) -> AsyncIterator[Running]:
    """Ingest for as long as the block lasts; it may not be ready yet."""
    chosen = IngestSettings(**{"database_url": database_url, "ingest_hj212_port": 0, **settings})
    app = build_app(chosen)
    auth = ServiceAuth(chosen.internal_token.get_secret_value(), "tests", "ingest")
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://ingest", auth=auth) as http:
            yield Running(app.state.ingest, http, database_url)


async def until(condition: Callable[[], Awaitable[bool]], timeout_s: float = 20.0) -> None:
    """Wait until a condition holds; TimeoutError when it never does."""
    async with asyncio.timeout(timeout_s):
        while not await condition():  # noqa: ASYNC110  (what is waited for lies in another process)
            await asyncio.sleep(0.02)
