"""The page: what the front end builds, else a plain page that says how to build it."""

import base64
import hashlib
from html import escape
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.sign_in import open_demo

DIST = Path(__file__).parent / "web" / "dist"
STYLE = """
body { font: 16px/1.6 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; color: #1b2733 }
code { background: #eef2f5; padding: .1em .3em; border-radius: 3px }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .3rem .6rem; vertical-align: top }
tr { border-bottom: 1px solid #dde4ea } .method { font-weight: 600 } .note { color: #9a4b00 }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()


def content_security_policy(style: str = "") -> str:
    """Nothing but what this server sends may run or load; no other site may frame it."""
    return "; ".join(
        (
            "default-src 'self'",
            "img-src 'self' data:",
            f"style-src 'self' {style}".strip(),
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def plain_page(title: str, body: str, status: int = 200) -> HTMLResponse:
    """A page of our own without a script; `body` is HTML."""
    return HTMLResponse(
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>{body}</body></html>',
        status,
        {"Content-Security-Policy": content_security_policy(f"'sha256-{_STYLE_HASH}'")},
    )


_NOT_BUILT = """
<h1>Fenceline</h1>
<p>网关正在运行，但页面尚未构建。在项目目录中执行 <code>npm ci &amp;&amp; npm run build</code>（位于
<code>services/gateway/web</code>），或使用 <code>make run</code>；然后刷新本页。</p>
<p>The gateway runs, but the page has not been built. In <code>services/gateway/web</code> run
<code>npm ci &amp;&amp; npm run build</code>, or use <code>make run</code>; then load this page again.</p>
<p>接口 | The API: <a href="/docs">/docs</a>, <a href="/api/v1/openapi.json">/api/v1/openapi.json</a></p>
"""


class Page:
    """Serves the built front end from `dist`, which may come and go while the gateway runs."""

    def __init__(self, dist: Path = DIST) -> None:
        self._dist = dist
        self.router = APIRouter(include_in_schema=False)
        self.router.add_api_route("/", self._index, methods=["GET", "HEAD"])
        self.files = _BuiltFiles(dist)

    async def _index(self, request: Request) -> Response:
        index = self._dist / "index.html"
        response: Response
        if index.is_file():
            response = FileResponse(index, media_type="text/html; charset=utf-8")
        else:
            response = plain_page("Fenceline", _NOT_BUILT, 503)
        response.headers["Cache-Control"] = "no-store"
        open_demo(request, response)
        return response


class _BuiltFiles(StaticFiles):
    """The files beside the index. Those under `assets/` carry a hash in their names and never change."""

    def __init__(self, dist: Path) -> None:
        super().__init__(directory=dist, check_dir=False)

    async def check_config(self) -> None:
        """Not built yet is no fault."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, 404 where there is none."""
        if scope["method"] not in ("GET", "HEAD") or path == "index.html" or path.startswith("api/"):
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        lasting = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
        response.headers["Cache-Control"] = lasting
        return response


class SecurityHeaders:
    """Adds to every answer what tells a browser to be strict with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers added."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                headers["Cross-Origin-Resource-Policy"] = "same-origin"
                headers.setdefault("Content-Security-Policy", content_security_policy())
                if scope["path"].startswith("/api/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, strict)
