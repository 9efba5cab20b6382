"""Runs a script: the whole service on real stores, with a wall clock that the script turns."""

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import reduce
from itertools import cycle
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import text
from time_machine import Traveller

from services.alerts.app import build_app
from services.alerts.settings import AlertsSettings
from shared.http_client import ServiceAuth
from shared.messages import AlarmChanged, ObservationsStored
from shared.streams import observation_stream, shard_of
from shared.time import to_microseconds, utc_now
from tests.alerts.park import SECOND, START, Producer, datastream, second_of
from tests.alerts.rounds import Rounds
from tests.alerts.test_app import eventually, park_file

_LOOK_EVERY_S = 30
"""Steps in which time passes while nothing comes in: whoever watches the clock sees each of them."""
_WEATHER = ("wind-direction", "wind-speed")


def registered(stations: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The datastreams that ingest would tell of: `at` a place, `of` a station that is named before."""
    return [
        datastream(
            number,
            said["gas"],
            said["ring"],
            station_id=f"p.{said.get('of', name)}",
            station_name={"zh": name, "en": name},
            **({"longitude": said["at"][0], "latitude": said["at"][1]} if "at" in said else {}),
            unit=said.get("unit", "mg/m3"),
        )
        for number, (name, said) in enumerate(stations.items(), 1)
    ]


class Play:
    """A script while it runs."""

    def __init__(
        self,
        script: dict[str, Any],
        settings: AlertsSettings,
        producer: Producer,
        clock: Traveller,
        watches: list[Rounds],
    ) -> None:
        self._script = script
        self._settings = settings
        self._producer = producer
        self._clock = clock
        self._watches = watches
        self._numbers = {name: number for number, name in enumerate(script["stations"], 1)}
        self._heard = 0
        self._pushed = 0
        self._service = AsyncExitStack()
        self._app: FastAPI
        self._http: httpx.AsyncClient

    async def run(self) -> None:
        """Every step in turn; AssertionError tells which one is not as written."""
        await self._start()
        try:
            rules, across = self._script.get("rules", []), self._script.get("rules_across", [])
            if rules or across:
                stations = [
                    _in_park_file(name, said) for name, said in self._script["stations"].items() if "of" not in said
                ]
                answer = await self._http.put(
                    "/parks/p/registry", json=park_file(rules=rules, rules_across=across, stations=stations)
                )
                assert answer.status_code == 200, answer.text
                await self.restart(True)
            for number, step in enumerate(self._script["script"], 1):
                ((name, what),) = step.items()
                try:
                    await getattr(self, name)(what)
                except AssertionError as error:
                    raise AssertionError(f"step {number}, {name}: {what}\n{error}") from error
        finally:
            await self._service.aclose()

    async def push(self, what: dict[str, Any]) -> None:
        """Readings of one station, each in a fact of its own, as the station sends them."""
        station, first = what["station"], what["from"]
        values, flags = cycle(_many(what["value"])), cycle(_many(what.get("flag", "N")))
        for second in range(first, what.get("to", first) + 1, what.get("every", 1)):
            received = what.get("arrives", second) + 0.1
            self._at(received + 0.1)
            message = ObservationsStored.of(
                [(self._numbers[station], _us(second), next(values), next(flags))], received_at=_us(received)
            )
            of = self._script["stations"][station].get("of", station)
            await self._producer.tell(
                observation_stream(shard_of(f"p.{of}", self._settings.observation_shards)), message
            )
            self._pushed += self._script["stations"][station]["gas"] not in _WEATHER
            await self._all_evaluated()

    async def want(self, what: Any) -> None:
        """The next thing that subscribers hear, or that they hear nothing."""
        if what == "nothing":
            heard = [f"{fact.station_id} {fact.transition} {fact.colour}" for fact in await self._facts()]
            assert heard[self._heard :] == []
            return

        async def one_more() -> bool:
            return len(await self._facts()) > self._heard

        await eventually(one_more)
        fact = (await self._facts())[self._heard]
        self._heard += 1
        assert (f"{fact.transition} {fact.colour}", fact.station_id, fact.rule_id) == (
            what["told"],
            f"p.{what['station']}" if "station" in what else "p",
            f"across.{what['rule']}" if "rule" in what else fact.rule_id,
        )
        earliest, latest = what["between"]
        assert earliest <= second_of(fact.event_time) <= latest

    async def alarm(self, what: dict[str, Any]) -> None:
        """How the latest alarm of a station stands."""
        found = await self._latest_alarm(what.get("station"), what.get("rule"))
        said = {name: value for name, value in what.items() if name not in ("station", "rule")}
        assert {name: found[name] for name in said} == said

    async def operator(self, what: dict[str, Any]) -> None:
        """Somebody does something to the latest alarm of a station."""
        self._at(what["at"])
        alarm = await self._latest_alarm(what.get("station"), what.get("rule"))
        body = {name: value for name, value in what.items() if name not in ("does", "station", "rule", "at", "refused")}
        answer = await self._http.post(f"/parks/p/alarms/{alarm['id']}/{what['does']}", json=body)
        if "refused" in what:
            assert (answer.status_code, answer.json().get("state")) == (409, what["refused"])
        else:
            assert answer.status_code == 200, answer.text

    async def maintenance(self, what: dict[str, Any]) -> None:
        """Put a station under maintenance."""
        self._at(what["at"])
        body = {"kind": "maintenance", "station_id": f"p.{what['station']}"}
        body |= {name: value for name, value in what.items() if name not in ("station", "at")}
        answer = await self._http.post("/parks/p/suppressions", json=body)
        assert answer.status_code == 201, answer.text

    async def kpi(self, what: dict[str, Any]) -> None:
        """The figures of the park so far; a name such as `load.alarms` says where each stands."""
        figures = (await self._http.get("/parks/p/kpi")).json()
        found = {name: reduce(lambda part, key: part[key], name.split("."), figures) for name in what}
        assert found == what

    async def wait(self, until: float) -> None:
        """Let time pass."""
        now = second_of(utc_now())
        while now < until:
            now = min(now + _LOOK_EVERY_S, until)
            self._at(now)
            await asyncio.gather(*(watch.one_more() for watch in self._watches))

    async def restart(self, _: bool) -> None:
        """End the service and start it again."""
        await self._service.aclose()
        await self._start()

    async def _start(self) -> None:
        self._service = AsyncExitStack()
        self._app = build_app(self._settings)
        await self._service.enter_async_context(self._app.router.lifespan_context(self._app))
        token = self._settings.internal_token.get_secret_value()
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self._app),
            base_url="http://alerts",
            auth=ServiceAuth(token, "tests", "alerts"),
            headers={"X-Fenceline-Actor": "operator"},
        )
        await self._service.enter_async_context(self._http)

        async def ready() -> bool:
            return (await self._http.get("/health/ready")).status_code == 200

        await eventually(ready)
        self._pushed = await self._evaluated()

    def _at(self, second: float) -> None:
        self._clock.move_to(START + timedelta(seconds=second))

    async def _all_evaluated(self) -> None:
        async def done() -> bool:
            return await self._evaluated() >= self._pushed and await self._across_evaluated()

        await eventually(done)

    async def _evaluated(self) -> int:
        lines = (await self._http.get("/metrics")).text.splitlines()
        return int(sum(float(line.split()[1]) for line in lines if line.startswith("fenceline_alerts_readings_total{")))

    async def _across_evaluated(self) -> bool:
        """Whether rules across stations, where the script has some, have seen all that was pushed."""
        if not self._script.get("rules_across"):
            return True
        share = f'share="across.{shard_of("p", self._settings.observation_shards)}"'
        lines = (await self._http.get("/metrics")).text.splitlines()
        seen = {
            line.split('stream="')[1].split('"')[0]: float(line.split()[1])
            for line in lines
            if line.startswith("fenceline_alerts_across_position{") and share in line
        }
        return all(seen.get(stream, 0) >= len(facts) for stream, facts in self._producer.facts.items())

    async def _facts(self) -> list[AlarmChanged]:
        async with self._app.state.alerts.database.connect() as connection:
            rows = await connection.execute(text("SELECT payload FROM outbox WHERE stream = 'alarms' ORDER BY id"))
            return [AlarmChanged.decode(bytes(row.payload)) for row in rows]

    async def _latest_alarm(self, station: str | None, rule: str | None = None) -> dict[str, Any]:
        found = (await self._http.get("/parks/p/alarms", params={"state": "all"})).json()["items"]
        about = f"p.{station}" if rule is None else f"across.{rule}"
        of_it: list[dict[str, Any]] = [alarm for alarm in found if about in (alarm["station_id"], alarm["rule_id"])]
        assert of_it, f"{station or rule} has no alarm"
        return of_it[0]


def _us(second: float) -> int:
    return to_microseconds(START) + round(second * SECOND)


def _many(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]


def _in_park_file(name: str, said: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": name,
        "name": {"zh": name, "en": name},
        "ring": said["ring"],
        "location": {"longitude": 119.05, "latitude": 37.05},
        "datastreams": [{"property": said["gas"], "unit": said.get("unit", "mg/m3")}],
    }
