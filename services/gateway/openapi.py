"""One OpenAPI 3.1 document, put together from the services' own by the routing table."""

import asyncio
import copy
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from services.gateway.merging import final_names, referenced, with_names
from services.gateway.routing import API, ROUTES, Route, Service
from shared.problems import MEDIA_TYPE, ProblemDocument
from shared.telemetry import get_logger

log = get_logger(__name__)
Json = dict[str, Any]
GATEWAY = "gateway"
FRESH_S = 60.0
RETRY_S = 3.0
FETCH_TIMEOUT_S = 2.0
METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
# FastAPI describes a body of its own for a value that is not allowed; the services answer with a problem instead.
_INVALID = "422"
# (status, what it means) of the problems that the gateway itself answers with, on every route behind it
_PROBLEMS = {
    "401": ("Unauthorized", "no API key or token, or not a valid one"),
    "403": ("Forbidden", "the key lacks the scope"),
    "404": ("NotFound", "not there, or in a park that the key may not see"),
    _INVALID: ("Unprocessable", "a value is not allowed; `errors` says which and why"),
    "503": ("Unavailable", "the service behind this route is down; the rest goes on"),
    "504": ("NoAnswerInTime", "the service behind this route did not answer in time"),
}
_OPEN = ("/api/v1/openapi.json",)


class OpenApi:
    """The document. What a service said last is kept while it is down; one that was never heard is named as missing."""

    def __init__(self, services: dict[Service, httpx.AsyncClient], own: Callable[[], Json]) -> None:
        self._services = services
        self._own = own
        self._heard: dict[Service, Json] = {}
        self._document: Json | None = None
        self._good_until = float("-inf")
        self._lock = asyncio.Lock()

    async def document(self) -> Json:
        """The whole document, at most `FRESH_S` old."""
        async with self._lock:
            if self._document is None or time.monotonic() > self._good_until:
                answers = await asyncio.gather(*(self._ask(service) for service in Service))
                self._document = merge(self._own(), self._heard)
                self._good_until = time.monotonic() + (FRESH_S if all(answers) else RETRY_S)
            return self._document

    async def _ask(self, service: Service) -> bool:
        try:
            answer = await self._services[service].get("/openapi.json", timeout=FETCH_TIMEOUT_S)
            self._heard[service] = answer.raise_for_status().json()
        except (httpx.HTTPError, json.JSONDecodeError) as error:
            log.warning("openapi_incomplete", upstream=service, error=f"{type(error).__name__}: {error}"[:200])
            return False
        return True


def merge(own: Json, services: dict[Service, Json]) -> Json:
    """The gateway's own document (paths with their prefix) with the routes of the table out of the services'."""
    documents: dict[str, Json] = {GATEWAY: own, **{service.value: heard for service, heard in services.items()}}
    picked = {name: dict(_picked(name, document)) for name, document in documents.items()}
    schemas = {
        name: referenced(picked[name], document.get("components", {}).get("schemas", {}))
        for name, document in documents.items()
    }
    names = final_names(schemas)
    paths: Json = {}
    components: Json = {"ProblemDocument": ProblemDocument.model_json_schema()}
    for name in documents:
        for (path, method), operation in with_names(picked[name], names[name]).items():
            paths.setdefault(path, {})[method] = operation
        for schema, content in with_names(schemas[name], names[name]).items():
            components[names[name][schema]] = content
    missing = [service.value for service in Service if service not in services]
    return {
        "openapi": "3.1.0",
        "info": own["info"],
        "servers": [{"url": "/"}],
        **({"x-fenceline-missing": missing} if missing else {}),
        "security": [{"apiKey": []}, {"token": []}, {"page": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(components.items())),
            "responses": {key: _problem(text) for key, text in _PROBLEMS.values()},
            "securitySchemes": {
                "apiKey": {"type": "http", "scheme": "bearer", "bearerFormat": "fl_<prefix>_<secret>"},
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "page": {"type": "apiKey", "in": "cookie", "name": "fenceline_session"},
            },
        },
    }


def _picked(name: str, document: Json) -> Iterator[tuple[tuple[str, str], Json]]:
    """The operations of a document that are reachable from outside, by (public path, method)."""
    if name == GATEWAY:
        for path, methods in document["paths"].items():
            if path.startswith(API):
                for method in METHODS:
                    if method in methods:
                        yield (path, method), _operation(name, path, methods[method], methods)
        return
    described = {
        Route(method.upper(), path, Service(name)).shape(): (path, method)
        for path, methods in document.get("paths", {}).items()
        for method in METHODS
        if method in methods
    }
    for route in ROUTES:
        if route.service == name and route.shape() in described:
            path, method = described[route.shape()]
            operation = _operation(name, API + path, document["paths"][path][method], document["paths"][path])
            operation["x-fenceline-scope"] = route.required().value
            yield (API + path, method), operation


def _operation(name: str, path: str, original: Json, beside: Json) -> Json:
    operation = copy.deepcopy(original)
    if "parameters" in beside:
        operation["parameters"] = copy.deepcopy(beside["parameters"]) + operation.get("parameters", [])
    if "operationId" in operation:
        operation["operationId"] = f"{name}_{operation['operationId']}"
    operation.setdefault("tags", [name])
    operation.pop("security", None)
    operation.get("responses", {}).pop(_INVALID, None)
    if path not in _OPEN:
        for status, (key, _) in _PROBLEMS.items():
            operation.setdefault("responses", {}).setdefault(status, {"$ref": f"#/components/responses/{key}"})
    return operation


def _problem(text: str) -> Json:
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    return {"description": text, "content": {MEDIA_TYPE: {"schema": schema}}}
