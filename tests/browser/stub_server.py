"""A stand-in for the gateway, for states of the page that a real one cannot be forced into: silence, hostile names.

It serves the built page, the answers of a `StubPark`, and its events.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from tests.browser.stub_park import StubPark

DIST = Path(__file__).resolve().parents[2] / "services" / "gateway" / "web" / "dist"
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    park: StubPark

    def log_message(self, *_: Any) -> None:
        """Tests need no access log."""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/api/v1/events":
            self._events()
        elif path.startswith("/api/v1"):
            self._api()
        else:
            self._file("index.html" if path == "/" else path.lstrip("/"))

    def do_POST(self) -> None:
        self._api()

    def do_DELETE(self) -> None:
        self._api()

    def _api(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length) if length else b""
        body = json.loads(raw) if raw else None
        path = parts.path.removeprefix("/api/v1")
        self.park.requests.append((self.command, path, body))
        if self.command != "GET" and self.headers.get("X-Fenceline-Request") != "page":
            self._reply(403, b'{"title": "Not allowed"}', "application/problem+json")
            return
        status, document = self.park.answer(self.command, path, parts.query, body)
        self._reply(status, b"" if document is None else json.dumps(document).encode(), "application/json")

    def _file(self, name: str) -> None:
        file = (DIST / name).resolve()
        if not file.is_relative_to(DIST) or not file.is_file():
            self._reply(404, b"", "text/plain")
            return
        self._reply(200, file.read_bytes(), TYPES.get(file.suffix, "application/octet-stream"))

    def _reply(self, status: int, content: bytes, media_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(content)

    def _events(self) -> None:
        if not self.park.signed_in:
            self._reply(401, b"{}", "application/problem+json")
            return
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"retry: 300\n: stub\n\n")
        self.wfile.flush()
        listener = self.park.listen()
        try:
            while (block := listener.get()) is not None:
                self.wfile.write(block)
                self.wfile.flush()
        except OSError:
            pass
        finally:
            self.park.leave(listener)


class StubServer:
    """Serves one `StubPark` on a free port of this machine while the context lasts."""

    def __init__(self, park: StubPark, port: int = 0) -> None:
        self.park = park
        handler = type("Handler", (_Handler,), {"park": park})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.park.drop_listeners()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
