"""Servers for the tests: uvicorn on loopback in the test's own loop, and a TCP relay that can be cut."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import uvicorn
from starlette.types import ASGIApp

from launcher.ports import free_port


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(*apps: ASGIApp, port: int = 0) -> AsyncIterator[list[str]]:
    """Serve each of `apps` on loopback for as long as the block lasts; gives their addresses."""
    servers = [
        _Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="on",
                server_header=False,
                ws="none",
                timeout_graceful_shutdown=2,
            )
        )
        for app in apps
    ]
    listeners = [_listener(port) for _ in apps]
    pairs = zip(servers, listeners, strict=True)
    tasks = [asyncio.create_task(server.serve(sockets=[listener])) for server, listener in pairs]
    try:
        while not all(server.started for server in servers):
            assert not any(task.done() for task in tasks), "a server ended at its start"
            await asyncio.sleep(0.01)
        yield [f"http://127.0.0.1:{listener.getsockname()[1]}" for listener in listeners]
    finally:
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*tasks)
        for listener in listeners:
            listener.close()


def _listener(port: int) -> socket.socket:
    # With the protocol named, asyncio turns Nagle's algorithm off, as it does for a server that binds by itself.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


class Relay:
    """Passes TCP on to the server of a URL; while it is cut, nobody gets through and who was through is thrown out."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self.port = free_port()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        login, _, _ = self._target.netloc.rpartition("@")
        netloc = f"{login}@127.0.0.1:{self.port}" if login else f"127.0.0.1:{self.port}"
        return urlunsplit(self._target._replace(netloc=netloc))

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port, reuse_address=True)

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, far_writer}
        self._writers |= both
        try:
            await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        finally:
            self._writers -= both
            for end in both:
                end.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()
