"""Every script in this folder, against the whole service."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine
import yaml

from services.alerts.engine.silence import SilenceWatch
from tests.alerts.acceptance.script import Play, registered
from tests.alerts.park import START, Producer
from tests.alerts.test_app import served, settings_of

FOLDER = Path(__file__).parent
SCRIPTS = sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", SCRIPTS)
async def test_script(
    name: str,
    database_url: str,
    redis_url: str,
    internal_token: str,
    unused_port: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    monkeypatch.setattr(SilenceWatch.run, "__defaults__", (0.05,))
    port = unused_port()
    settings = settings_of(
        database_url, redis_url, internal_token, port, alerts_on_delay_fence_s=30, alerts_off_delay_s=60
    )
    producer = Producer(redis_url, registered(script["stations"]))
    with time_machine.travel(START, tick=False) as clock:
        async with served(producer.app, port):
            await Play(script, settings, producer, clock).run()
    await producer.redis.aclose()


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) > 8
