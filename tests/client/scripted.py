"""A real HTTP server that gives the answers of a list, one a request, and tells what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Said:
    """One answer. `cut` breaks the connection off after the body; `drop` before anything is said."""

    document: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    text: bytes | None = None
    cut: bool = False
    drop: bool = False

    @property
    def body(self) -> bytes:
        return self.text if self.text is not None else json.dumps(self.document).encode()


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Scripted:
    """`answers` are given in order; whoever asks for more than there are gets status 599."""

    def __init__(self) -> None:
        self.answers: list[Said] = []
        self.asked: list[Asked] = []
        self.url = ""

    def say(self, *answers: Said | dict[str, Any]) -> None:
        self.answers += [one if isinstance(one, Said) else Said(one) for one in answers]

    @property
    def paths(self) -> list[str]:
        return [one.path for one in self.asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Scripted

    def log_message(self, *_: Any) -> None:
        """Tests need no access log."""

    def _answer(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = (
            self._chunked()
            if "transfer-encoding" in headers
            else self.rfile.read(int(headers.get("content-length", 0)))
        )
        self.script.asked.append(Asked(self.command, self.path, headers, body))
        said = self.script.answers.pop(0) if self.script.answers else Said({}, 599)
        if said.drop:
            self.close_connection = True
            return
        self.send_response(said.status)
        for name, value in ({"Content-Type": "application/json"} | said.headers).items():
            self.send_header(name, value)
        if said.cut:
            self.close_connection = True
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(len(said.body)))
        self.end_headers()
        self.wfile.write(said.body)

    def _chunked(self) -> bytes:
        whole = b""
        while size := int(self.rfile.readline(), 16):
            whole += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return whole

    do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815  (the names that http.server looks for)


@contextmanager
def scripted() -> Iterator[Scripted]:
    """Serve a script on loopback while the block lasts."""
    script = Scripted()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"script": script}))
    server.daemon_threads = True
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
