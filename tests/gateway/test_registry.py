"""The park file, sent on to three services."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.gateway.routing import Service
from services.gateway.scopes import Scope
from shared.park_file import ParkFile
from tests.gateway.conftest import Door, Keys, Settings, open_door
from tests.gateway.upstreams import Upstream

PATH = "/api/v1/parks/north/registry"


def park_file(park_id: str = "north") -> dict[str, Any]:
    content = {
        "fenceline": 1,
        "park": {
            "id": park_id,
            "name": {"zh": "北园", "en": "North"},
            "fictitious": True,
            "boundary": [[119.0, 37.0], [119.1, 37.0], [119.1, 37.1], [119.0, 37.0]],
        },
    }
    ParkFile.model_validate(content)
    return content


async def test_the_file_goes_to_each_service_in_order(
    door: Door, keys: Keys, upstreams: dict[Service, Upstream]
) -> None:
    client = await door.client(await keys.new("north", name="vendor"))
    for _ in range(2):
        answer = await client.put(PATH, json=park_file())
        assert answer.status_code == 200
    assert list(answer.json()["services"]) == ["ingest", "alerts", "model"]
    assert answer.json()["services"]["model"] == {"taken": "north"}
    for upstream in upstreams.values():
        assert [echo.path for echo in upstream.asked] == ["/parks/north/registry"] * 4  # echoed and noted
        assert dict(upstream.asked[0].headers)["x-fenceline-actor"] == "vendor"
        assert '"zh":"北园"' in upstream.asked[0].body


async def test_the_first_refusal_ends_it_and_is_told(
    door: Door, keys: Keys, upstreams: dict[Service, Upstream]
) -> None:
    client = await door.client(await keys.new("north"))
    upstreams[Service.ALERTS].registry_refuses = True
    answer = await client.put(PATH, json=park_file())
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["service"], problem["done"], problem["detail"]) == ("alerts", ["ingest"], "not this one")
    assert upstreams[Service.MODEL].asked == []


async def test_a_service_that_is_down_is_named(
    settings_of: Settings, keys: Keys, unused_port: Callable[[], int], dist: Path
) -> None:
    async with open_door(settings_of(model_url=f"http://127.0.0.1:{unused_port()}"), dist) as door:
        client = await door.client(await keys.new("north"))
        answer = await client.put(PATH, json=park_file())
        assert answer.status_code == 503
        assert (answer.json()["service"], answer.json()["done"]) == ("model", ["ingest", "alerts"])


async def test_a_bad_file_goes_nowhere(door: Door, keys: Keys, upstreams: dict[Service, Upstream]) -> None:
    client = await door.client(await keys.new("north", "south"))
    of_another = await client.put(PATH, json=park_file("south"))
    assert of_another.status_code == 422
    wrong = park_file() | {"stations": [{"id": "s01"}]}
    told = await client.put(PATH, json=wrong)
    assert told.status_code == 422
    assert "stations/0/name" in told.text
    assert (await client.put(PATH, content=b"{")).status_code == 422
    reader = await door.client(await keys.new("north", scopes=[Scope.READ]))
    assert (await reader.put(PATH, json=park_file())).status_code == 403
    assert all(upstream.asked == [] for upstream in upstreams.values())
