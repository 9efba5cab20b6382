"""Every script in this folder, against the whole service."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine
import yaml

from services.alerts.engine.calling import CallWatch
from services.alerts.engine.hiding import HidingWatch
from services.alerts.engine.silence import SilenceWatch
from tests.alerts.acceptance.script import Play, registered
from tests.alerts.park import START, Producer
from tests.alerts.rounds import Rounds
from tests.alerts.test_app import served, settings_of

FOLDER = Path(__file__).parent
SCRIPTS = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yaml"))}
Stage = Callable[[dict[str, Any]], Awaitable[None]]


@pytest.fixture
def stage(
    database_url: str,
    redis_url: str,
    internal_token: str,
    unused_port: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    """Plays a script."""
    for watch in (SilenceWatch, HidingWatch, CallWatch):
        monkeypatch.setattr(watch.run, "__defaults__", (0.05,))
    watches = [Rounds(monkeypatch, watch, "look") for watch in (SilenceWatch, HidingWatch, CallWatch)]
    port = unused_port()
    settings = settings_of(
        database_url, redis_url, internal_token, port, alerts_on_delay_fence_s=30, alerts_off_delay_s=60
    )

    async def play(script: dict[str, Any]) -> None:
        producer = Producer(redis_url, registered(script["stations"]))
        try:
            with time_machine.travel(START, tick=False) as clock:
                async with served(producer.app, port):
                    await Play(script, settings, producer, clock, watches).run()
        finally:
            await producer.redis.aclose()

    return play


@pytest.mark.parametrize("name", SCRIPTS)
async def test_script(name: str, stage: Stage) -> None:
    await stage(SCRIPTS[name])


@pytest.mark.parametrize(
    "wrong",
    [
        {"want": "nothing"},
        {"want": {"station": "plant", "told": "raised red", "between": [10, 10]}},
        {"want": {"station": "plant", "told": "raised yellow", "between": [11, 20]}},
        {"alarm": {"station": "plant", "state": "acknowledged"}},
        {"operator": {"does": "reset", "station": "plant", "at": 30}},
    ],
)
async def test_a_script_that_is_wrong_fails_at_its_step(wrong: dict[str, Any], stage: Stage) -> None:
    right = SCRIPTS["source"]
    with pytest.raises(AssertionError, match=r"^step 2, "):
        await stage({**right, "script": [right["script"][0], wrong]})


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) > 8
