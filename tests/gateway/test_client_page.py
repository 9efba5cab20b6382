"""The examples of docs/client.md run, before a real gateway and a real ingest, and give what the page says."""

import asyncio
import doctest
import re
import shlex
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request
from starlette.responses import JSONResponse
from structlog.testing import capture_logs

from fenceline_client.commands.main import main
from services.gateway.routing import Service
from services.gateway.scopes import Scope
from services.ingest.app import build_app
from services.ingest.settings import IngestSettings
from shared.levels import Colour
from shared.messages import AlarmChanged, AlarmState, AlarmTransition
from shared.streams import Fact
from tests.client import told
from tests.gateway.conftest import Door, Keys, Settings, open_door
from tests.gateway.serving import serving
from tests.gateway.upstreams import Upstream
from tests.ingest.parks import park, station
from tests.ingest.running import until
from tests.support.databases import ROOT

PAGE = ROOT / "docs" / "client.md"
PARK = "bohai-demo"
ENDLESS = ("watch", "tail")


class Telling(Upstream):
    """A service that gives these documents, by method and path."""

    documents: dict[str, Any]

    async def _echo(self, request: Request) -> Any:
        path = f"{request.method} {request.url.path.removeprefix(f'/parks/{PARK}')}"
        return JSONResponse(self.documents[path]) if path in self.documents else await super()._echo(request)


def alerts(token: str) -> Telling:
    service = Telling(Service.ALERTS, token)
    alarm = told.alarm(park_id=PARK)
    service.documents = {
        "GET /alarms": told.page(alarm),
        f"GET /alarms/{told.ALARM_ID}": {**alarm, "journal": []},
        f"POST /alarms/{told.ALARM_ID}/acknowledge": told.alarm(park_id=PARK, state=AlarmState.ACKNOWLEDGED),
    }
    changed = AlarmChanged(
        transition_id=told.RUN_ID,
        park_id=PARK,
        alarm_id=told.ALARM_ID,
        station_id=f"{PARK}.s01",
        datastream_id=1,
        property_id="chlorine",
        rule_id="level.chlorine",
        transition=AlarmTransition.RAISED,
        state=AlarmState.UNACKNOWLEDGED,
        colour=Colour.RED,
        peak_colour=Colour.RED,
        value=12.4,
        unit="mg/m3",
        threshold=5.8,
        event_time=told.MOMENT,
        recorded_at=told.MOMENT,
        raised_at=told.MOMENT,
    )
    service.facts["alarms"] = [Fact("alarms", 1, changed.encode(), None)]
    return service


@pytest.fixture
async def open_park(
    settings_of: Settings, database_url: str, redis_url: str, internal_token: str, keys: Keys, dist: Path
) -> AsyncIterator[tuple[Door, str]]:
    """A gateway before ingest with one park, and its key."""
    model = Telling(Service.MODEL, internal_token)
    model.documents = {"GET /runs": told.page(told.run())}
    chosen: dict[str, Any] = {"database_url": database_url, "redis_url": redis_url, "internal_token": internal_token}
    ingest = build_app(IngestSettings(**chosen, ingest_hj212_port=0))
    services = (ingest, alerts(internal_token).app(), model.app())
    async with serving(*services) as [ingest_url, alerts_url, model_url]:
        settings = settings_of(ingest_url=ingest_url, alerts_url=alerts_url, model_url=model_url)
        async with open_door(settings, dist) as door:
            key = await keys.new(PARK, scopes=(Scope.READ, Scope.WRITE))
            file = park(station("s01", None), park_id=PARK)
            file["park"]["name"] = {"zh": "渤海", "en": "Bohai"}
            client = await door.client(key)

            async def registered() -> bool:
                return (await client.put(f"/api/v1/parks/{PARK}/registry", json=file)).status_code == 200

            await until(registered)  # ingest has its database
            with capture_logs():  # the services write to the standard output that the examples are judged by
                yield door, key


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


async def test_the_examples_in_python(open_park: tuple[Door, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    door, key = open_park
    examples = blocks("pycon")
    assert len(examples) >= 6
    said: list[str] = []

    def type_them() -> int:
        known: dict[str, object] = {"url": door.url, "key": key}
        runner = doctest.DocTestRunner()
        for number, example in enumerate(examples, start=1):
            # One after the other in one namespace, as a reader would type them.
            test = doctest.DocTestParser().get_doctest(example, known, f"example {number}", str(PAGE), 0)
            runner.run(test, out=said.append, clear_globs=False)
            known = test.globs
        return runner.summarize(verbose=False).failed

    assert await asyncio.to_thread(type_them) == 0, "".join(said)


async def test_the_commands(
    open_park: tuple[Door, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    door, key = open_park
    variables = {"URL": door.url, "API_KEY": key, "PARK": PARK}
    for name, value in variables.items():
        monkeypatch.setenv(f"FENCELINE_{name}", value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "readings.csv").write_text("station,property,time,value\ns01,chlorine,2026-03-01T08:00:00,0.12\n")
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("fenceline ")]
    assert len(lines) >= 8
    for line in lines:
        arguments = shlex.split(line, comments=True)[1:]
        assert not set(arguments) & set(ENDLESS)
        status = await asyncio.to_thread(main, arguments)
        out, err = capfd.readouterr()
        assert (status, err) == (0, ""), line
        assert out, line
        if "send" in arguments:
            assert out == "accepted 1, duplicate 0, conflicting 0, refused 0\n"
        if "get" in arguments:
            assert "s01,chlorine,2026-03-01T00:00:00+00:00,0.12,N,mg/m3,raw" in out
