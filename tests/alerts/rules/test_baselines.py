"""What is usual for a datastream: learned from the real ingest, asked over HTTP, and tried over its history."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.alerts.engine.baselines import BaselineKeeper
from shared.time import iso, utc_now
from tests.alerts.rules.test_trials import TRIAL, real_ingest
from tests.alerts.test_app import eventually, service, settings_of
from tests.ingest.parks import park as park_file
from tests.ingest.parks import station
from tests.ingest.questions.filling import ids, lay

UNUSUAL = {
    "property_id": "chlorine",
    "name": "unusual",
    "on_delay_s": 20,
    "off_delay_s": 0,
    "levels": [{"colour": "blue", "threshold": 6, "source": "draft"}],
    "measure": {"kind": "baseline_deviation", "over_days": 3, "least_days": 2, "least": 0.01},
}
ZONE = ZoneInfo("Asia/Shanghai")
USUAL = (0.09, 0.1, 0.1, 0.11, 0.1)


async def test_a_baseline_is_learned_asked_for_and_tried(
    database_url: str,
    redis_url: str,
    internal_token: str,
    unused_port: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(BaselineKeeper.run, "__defaults__", (0.1,))
    port = unused_port()
    async with real_ingest(database_url, redis_url, internal_token, port) as running:
        await running.put_park(park_file(station("s1", "A1")))
        number = (await ids(running))["test-park.s1", "chlorine", "realtime"]
        noon = utc_now().astimezone(ZONE).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=6)
        rows = [
            (number, noon + timedelta(days=day, minutes=minute), value, "N")
            for day in (*range(-7, 0), *range(1, 6))
            for minute, value in enumerate(USUAL)
        ]
        # On the day of the trial, which is none of those that today's baseline rests on: as ever, and then not.
        half_past = noon + timedelta(minutes=30)
        rows += [(number, half_past + timedelta(seconds=10 * n), 0.1 if n < 6 else 0.3, "N") for n in range(12)]
        await lay(running, rows)
        async with service(settings_of(database_url, redis_url, internal_token, port), internal_token) as client:

            async def ready() -> bool:
                return (await client.get("/health/ready")).status_code == 200

            await eventually(ready)
            span = {"start": iso(noon), "end": iso(noon + timedelta(hours=1))}
            asked = await client.post(TRIAL, json={**UNUSUAL, "datastream_id": number, **span})
            assert asked.status_code == 202, asked.text
            path = f"{TRIAL}/{asked.json()['id']}"

            async def ended() -> bool:
                return (await client.get(path)).json()["ended_at"] is not None

            await eventually(ended, 60)
            result: dict[str, Any] = (await client.get(path)).json()["result"]
            (alarm,) = result["alarms"]
            assert alarm["raised_at"] == iso(noon + timedelta(minutes=31, seconds=20))
            assert alarm["peak_value"] == pytest.approx(0.2 / 0.01)  # the least standard deviation

            page = "/parks/test-park/rules/baselines"
            assert (await client.get(page, params={"datastream": number})).json() == {"items": [], "next": None}
            created = await client.post("/parks/test-park/rules/overrides", json={**UNUSUAL, "reason": "to be warned"})
            assert created.status_code == 201, created.text

            async def known() -> bool:
                return bool((await client.get(page, params={"datastream": number})).json()["items"])

            await eventually(known, 60)
            (found,) = (await client.get(page, params={"datastream": number})).json()["items"]
            assert found["hours"][12] == {"hour": 12, "median": 0.1, "mad": 0.0, "readings": 15, "days": 3}
            assert found["hours"][11] == {"hour": 11, "median": None, "mad": None, "readings": 0, "days": 0}
            assert (found["over_days"], found["unit"], found["time_zone"]) == (3, "mg/m3", "Asia/Shanghai")
            assert (await client.get(page, params={"datastream": number, "day": "2020-01-01"})).json()["items"] == []
            assert (await client.get(page.replace("test-park", "q"), params={"datastream": number})).status_code == 404
