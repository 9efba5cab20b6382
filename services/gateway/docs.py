"""The API's description: the OpenAPI document, and a readable index of it that loads nothing from elsewhere."""

from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from services.gateway.page import plain_page
from services.gateway.routing import API
from services.gateway.state import gateway_of

document_router = APIRouter(prefix=API, tags=["description"])
index_router = APIRouter(include_in_schema=False)


@document_router.get("/openapi.json")
async def openapi_document(request: Request) -> JSONResponse:
    """This document."""
    return JSONResponse(await gateway_of(request).openapi.document(), headers={"Cache-Control": "no-cache"})


@index_router.get("/docs")
async def index(request: Request) -> HTMLResponse:
    """Every route in a table."""
    document = await gateway_of(request).openapi.document()
    rows = "".join(
        _row(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    missing = ", ".join(document.get("x-fenceline-missing", []))
    note = f'<p class="note">暂缺（服务未运行）| missing (service down): {escape(missing)}</p>' if missing else ""
    return plain_page(
        "Fenceline API",
        "<h1>Fenceline API</h1><p>完整的 OpenAPI 3.1 文档 | The whole OpenAPI 3.1 document: "
        '<a href="/api/v1/openapi.json">/api/v1/openapi.json</a></p>'
        "<p>认证 | Credentials: <code>Authorization: Bearer fl_&lt;prefix&gt;_&lt;secret&gt;</code></p>"
        f"{note}<table><tr><th>方法<br>Method</th><th>路径<br>Path</th><th>权限<br>Scope</th>"
        f"<th>说明<br>What it does</th></tr>{rows}</table>",
    )


def _row(method: str, path: str, operation: dict[str, Any]) -> str:
    summary = operation.get("description") or operation.get("summary") or ""
    return (
        f'<tr><td class="method">{escape(method.upper())}</td><td><code>{escape(path)}</code></td>'
        f"<td>{escape(operation.get('x-fenceline-scope', ''))}</td><td>{escape(summary)}</td></tr>"
    )
