"""One description of the whole API."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi.openapi.models import OpenAPI

from services.gateway.merging import PREFIX, final_names, references
from services.gateway.openapi import merge
from services.gateway.routing import API, ROUTES, Service
from tests.gateway.conftest import Door, Settings, open_door

AUDIT = ("/audit", "/audit/export", "/parks/{park_id}/audit", "/parks/{park_id}/audit/export")

_ONE = "/{subscription_id}"
SUBSCRIPTIONS = (
    *(("GET", ""), ("POST", ""), ("GET", _ONE), ("PATCH", _ONE), ("DELETE", _ONE), ("GET", f"{_ONE}/dead-letters")),
    *(("POST", _ONE + path) for path in ("/test", "/secret", "/replay", "/dead-letters/replay")),
)


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def check(document: dict[str, Any]) -> None:
    """What the specification asks for, as far as a merge can break it."""
    OpenAPI.model_validate(document)
    schemas = document["components"]["schemas"]
    assert set(references(document)) <= set(schemas)
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    for method, path, operation in operations(document):
        named = {part[1:-1] for part in path.split("/") if part.startswith("{")}
        declared = {entry["name"] for entry in operation.get("parameters", []) if entry["in"] == "path"}
        assert declared <= named, path
        for status, response in operation["responses"].items():
            reference = response.get("$ref", "")
            assert "description" in response or reference.rpartition("/")[2] in document["components"]["responses"], (
                method,
                path,
                status,
            )


async def test_the_document_has_every_route_and_is_valid(door: Door) -> None:
    answer = await (await door.client()).get("/api/v1/openapi.json")
    document = answer.json()
    check(document)
    assert document["openapi"].startswith("3.1")
    assert "x-fenceline-missing" not in document
    found = {(method, path) for method, path, _ in operations(document)}
    own = {
        ("GET", "/api/v1/parks"),
        ("PUT", "/api/v1/parks/{park_id}/registry"),
        ("GET", "/api/v1/events"),
        ("GET", "/api/v1/session"),
        ("POST", "/api/v1/session"),
        ("DELETE", "/api/v1/session"),
        ("GET", "/api/v1/openapi.json"),
        *((("GET", f"/api/v1{path}")) for path in AUDIT),
        *((method, f"/api/v1/subscriptions{path}") for method, path in SUBSCRIPTIONS),
    }
    assert found == {(route.method, API + route.path) for route in ROUTES} | own
    assert set(document["components"]["securitySchemes"]) == {"apiKey", "token", "page"}
    stations = document["paths"]["/api/v1/parks/{park_id}/stations"]["get"]
    assert stations["responses"]["401"] == {"$ref": "#/components/responses/Unauthorized"}
    assert stations["responses"]["422"] == {"$ref": "#/components/responses/Unprocessable"}
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert stations["x-fenceline-scope"] == "parks:read"
    # The three services have the same schema Name; it stands once, under its own name.
    assert [name for name in document["components"]["schemas"] if name.endswith("Name")] == ["Name"]
    assert "ParkFile" in document["components"]["schemas"]


async def test_a_service_that_is_down_is_noted_and_its_part_kept_once_known(
    settings_of: Settings, unused_port: Callable[[], int], dist: Path
) -> None:
    async with open_door(settings_of(model_url=f"http://127.0.0.1:{unused_port()}"), dist) as door:
        client = await door.client()
        document = (await client.get("/api/v1/openapi.json")).json()
        check(document)
        assert document["x-fenceline-missing"] == ["model"]
        assert "/api/v1/parks/{park_id}/alarms" in document["paths"]
        assert "/api/v1/chemicals" not in document["paths"]
        index = await client.get("/docs")
        assert "missing (service down): model" in index.text

        openapi = door.gateway.openapi
        openapi._heard[Service.MODEL] = {"paths": {"/chemicals": {"get": {"responses": {}, "operationId": "c"}}}}
        openapi._good_until = 0
        document = (await client.get("/api/v1/openapi.json")).json()
        assert "x-fenceline-missing" not in document
        assert "/api/v1/chemicals" in document["paths"]


def test_schemas_of_one_name_that_differ_are_kept_apart() -> None:
    def service(kind: str) -> dict[str, Any]:
        answer = {"content": {"application/json": {"schema": {"$ref": f"{PREFIX}Outer"}}}, "description": "x"}
        return {
            "components": {
                "schemas": {
                    "Outer": {"properties": {"inner": {"$ref": f"{PREFIX}Inner"}, "same": {"$ref": f"{PREFIX}Same"}}},
                    "Inner": {"type": kind},
                    "Same": {"type": "object"},
                    "Unused": {"type": kind},
                }
            },
            "paths": {
                path: {"get": {"operationId": "get", "responses": {"200": answer}}}
                for path in ("/chemicals", "/parks/{park_id}/rules", "/parks/{park_id}/secret")
            },
        }

    own = {"info": {"title": "t", "version": "1"}, "paths": {}}
    document = merge(own, {Service.ALERTS: service("string"), Service.MODEL: service("integer")})
    check(document)
    schemas = document["components"]["schemas"]
    assert schemas["AlertsInner"] == {"type": "string"}
    assert schemas["ModelInner"] == {"type": "integer"}
    assert schemas["AlertsOuter"]["properties"]["inner"] == {"$ref": f"{PREFIX}AlertsInner"}
    assert schemas["ModelOuter"]["properties"]["same"] == {"$ref": f"{PREFIX}Same"}
    assert not any("Unused" in name for name in schemas)
    assert set(document["paths"]) == {"/api/v1/chemicals", "/api/v1/parks/{park_id}/rules"}
    assert document["x-fenceline-missing"] == ["ingest"]


def test_names_that_mean_the_same_stay() -> None:
    same = {"A": {"type": "string"}, "B": {"$ref": f"{PREFIX}A"}}
    assert final_names({"x": same, "y": dict(same)}) == {"x": {"A": "A", "B": "B"}, "y": {"A": "A", "B": "B"}}
