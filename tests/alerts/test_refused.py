"""Facts that were set aside: listed with the reason, and replayed once they can be used."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from services.alerts.settings import AlertsSettings
from shared.messages import ObservationsStored
from shared.time import to_microseconds, utc_now
from tests.alerts.park import Producer
from tests.alerts.test_app import STREAM, eventually, open_alarms, served, service, settings_of


@pytest.fixture
def settings(database_url: str, redis_url: str, internal_token: str, unused_port: Callable[[], int]) -> AlertsSettings:
    return settings_of(database_url, redis_url, internal_token, unused_port())


@pytest.fixture
async def alerts(settings: AlertsSettings, producer: Producer) -> AsyncIterator[httpx.AsyncClient]:
    port = int(settings.ingest_url.rsplit(":", 1)[1])
    token = settings.internal_token.get_secret_value()
    async with served(producer.app, port), service(settings, token) as client:
        yield client


async def refused(client: httpx.AsyncClient, count: int, **asked: Any) -> list[dict[str, Any]]:
    async def there() -> bool:
        return len((await client.get("/refused-facts", params=asked)).json()["items"]) == count

    await eventually(there)
    items: list[dict[str, Any]] = (await client.get("/refused-facts", params=asked)).json()["items"]
    return items


def gas() -> bytes:
    now = to_microseconds(utc_now())
    rows = [(1, now - second * 1_000_000, 3.0, "N") for second in (9, 8, 7, 6)]
    return ObservationsStored.of(rows, received_at=now).encode()


async def test_a_fact_is_listed_mended_and_replayed(alerts: httpx.AsyncClient, producer: Producer) -> None:
    await producer.tell(STREAM, b'{"version": 3, "gas": true}')
    (fact,) = await refused(alerts, 1)
    assert (fact["stream"], fact["position"], fact["payload_bytes"], fact["replayed_at"]) == (STREAM, 1, 27, None)
    assert "version" in fact["reason"]
    path = f"/refused-facts/{STREAM}/1"
    assert (await alerts.get(path)).json()["payload"] == '{"version": 3, "gas": true}'
    assert await open_alarms(alerts) == []

    producer.mended[1] = gas()
    answer = await alerts.post(f"{path}/replay")
    assert answer.status_code == 202, answer.text
    assert answer.json()["replayed_by"] == "key demo"
    await eventually(lambda: open_alarms(alerts))
    assert await refused(alerts, 0) == []
    assert len(await refused(alerts, 1, waiting=False)) == 1

    again = await alerts.post(f"{path}/replay")
    assert again.status_code == 409
    assert "key demo" in again.json()["detail"]
    assert len(producer.facts[STREAM]) == 2


async def test_what_is_refused_again_is_listed_again(alerts: httpx.AsyncClient, producer: Producer) -> None:
    await producer.tell(STREAM, b"nonsense")
    await refused(alerts, 1)
    assert (await alerts.post(f"/refused-facts/{STREAM}/1/replay")).status_code == 202

    async def second() -> bool:
        items = (await alerts.get("/refused-facts")).json()["items"]
        return [item["position"] for item in items] == [2]

    await eventually(second)


async def test_where_ingest_cannot_help_nothing_is_marked(alerts: httpx.AsyncClient, producer: Producer) -> None:
    await producer.tell(STREAM, b"nonsense")
    await refused(alerts, 1)
    producer.down = True
    assert (await alerts.post(f"/refused-facts/{STREAM}/1/replay")).status_code == 503
    producer.down = False
    producer.facts[STREAM].clear()
    gone = await alerts.post(f"/refused-facts/{STREAM}/1/replay")
    assert gone.status_code == 410
    assert "ingest keeps" in gone.json()["detail"]
    assert len(await refused(alerts, 1)) == 1
    assert (await alerts.post(f"/refused-facts/{STREAM}/7/replay")).status_code == 404
    assert (await alerts.get(f"/refused-facts/{STREAM}/7")).status_code == 404


async def test_the_list_is_paged(alerts: httpx.AsyncClient, producer: Producer) -> None:
    for _ in range(3):
        await producer.tell(STREAM, b"nonsense")
    await refused(alerts, 3)
    seen: list[int] = []
    cursor: str | None = None
    for _ in range(3):
        asked = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
        page = (await alerts.get("/refused-facts", params=asked)).json()
        seen += [item["position"] for item in page["items"]]
        cursor = page["next"]
    assert (seen, cursor) == ([1, 2, 3], None)
    assert (await alerts.get("/refused-facts", params={"cursor": "x"})).status_code == 400
