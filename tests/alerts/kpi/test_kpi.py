"""The figures of a park over HTTP, from a journal as the service writes it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from services.alerts.app import build_app
from services.alerts.settings import AlertsSettings
from shared.http_client import ServiceAuth
from tests.alerts.park import START, Park
from tests.alerts.test_app import service, settings_of

LATER = START + timedelta(days=10)
_ALARM = """
    INSERT INTO alarm (id, park_id, station_id, station_name_zh, station_name_en, ring, subject_key, datastream_id,
        property_id, rule_id, serial, entries, state, active, colour, peak_colour, raised_at, changed_at, recorded_at,
        closed_at)
    VALUES (:id, :park, :station, '站', 'Station', 'source', :station, 1, 'chlorine', 'level.chlorine.source', :serial,
        9, :state, true, 'yellow', 'yellow', :at, :at, :at, :closed)
"""
_ENTRY = """
    INSERT INTO journal (id, alarm_id, number, park_id, station_id, datastream_id, rule_id, action, state_before,
        state_after, colour_after, event_time, recorded_at)
    VALUES (:id, :alarm, :number, :park, :station, 1, 'level.chlorine.source', :action, :before, :after, :colour, :at,
        :at)
"""
SLOWER = [(0, "raise"), (5, "return"), (31, "raise"), (40, "return"), (61, "raise")]
UN, ACK, BACK, SHELVED = "unacknowledged", "acknowledged", "returned_unacknowledged", "shelved"


class Journal:
    """Writes alarms with the entries (second, action, state after[, colour])."""

    def __init__(self, park: Park) -> None:
        self.park = park
        self.serial = 0

    async def alarm(self, station: str, *entries: tuple[Any, ...], park: str = "p") -> None:
        self.serial += 1
        alarm = uuid4()
        before, last = "normal", entries[-1][2]
        async with self.park.database.begin() as connection:
            closed = START + timedelta(seconds=entries[-1][0]) if last == "normal" else None
            at = START + timedelta(seconds=entries[0][0])
            told = {"id": alarm, "park": park, "station": station, "at": at, "closed": closed}
            await connection.execute(text(_ALARM), told | {"serial": self.serial, "state": last})
            for number, (second, action, after, *colour) in enumerate(entries, 1):
                row = {"id": uuid4(), "alarm": alarm, "number": number, "park": park, "station": station}
                row |= {"action": action, "before": before, "after": after, "colour": (*colour, "yellow")[0]}
                await connection.execute(text(_ENTRY), row | {"at": START + timedelta(seconds=second)})
                before = after


@pytest.fixture
def journal(park: Park) -> Journal:
    return Journal(park)


@pytest.fixture
def settings(database_url: str, redis_url: str, internal_token: str, unused_port: Callable[[], int]) -> AlertsSettings:
    return settings_of(database_url, redis_url, internal_token, unused_port())


async def kpi(settings: AlertsSettings, **asked: Any) -> dict[str, Any]:
    span = {"since": START.isoformat(), "until": (START + timedelta(days=1)).isoformat()}
    async with service(settings, settings.internal_token.get_secret_value()) as client:
        answer = await client.get("/parks/p/kpi", params=span | asked)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


async def test_a_park_without_alarms(settings: AlertsSettings) -> None:
    told = await kpi(settings)
    assert told["load"]["alarms"] == 0
    assert (told["bad_actors"], told["stale"]["count"], told["chattering"]["count"]) == ([], 0, 0)
    assert told["acknowledgement"] == {"waiting": 0, "items": []}
    assert {"figure", "at_most", "note"} == set(told["targets"][0])


async def test_what_calls_counts_and_what_is_hidden_does_not(settings: AlertsSettings, journal: Journal) -> None:
    await journal.alarm("p.a", (0, "raise", UN), (60, "escalate", UN, "red"), (90, "deescalate", UN))
    await journal.alarm("p.b", (0, "raise", SHELVED), (60, "escalate", SHELVED, "red"), (700, "unshelve", UN))
    await journal.alarm("q.a", (0, "raise", UN), park="q")
    await journal.alarm("p.c", (90000, "raise", UN))  # after the span
    told = await kpi(settings, operators=2)
    assert told["load"]["alarms"] == 3
    assert told["load"]["alarms_per_operator_hour"] == pytest.approx(3 / 2 / 24)
    assert told["load"]["busiest_period"] == 1
    assert [(actor["station_id"], actor["calls"]) for actor in told["bad_actors"]] == [("p.a", 2), ("p.b", 1)]
    assert told["bad_actors_share"] == 1
    assert [(item["colour"], item["calls"]) for item in told["priorities"]] == [
        ("blue", 0),
        ("yellow", 2),
        ("orange", 0),
        ("red", 1),
    ]


async def test_a_flood_and_ten_of_the_worst(settings: AlertsSettings, journal: Journal) -> None:
    for number in range(12):
        await journal.alarm(f"p.s{number:02}", (number, "raise", UN))
    told = await kpi(settings)
    (flood,) = told["load"]["floods"]
    assert (flood["begin"], flood["alarms"]) == ("2026-06-01T08:00:00Z", 12)
    assert told["load"]["flood_count"] == 1
    assert len(told["bad_actors"]) == 10
    assert told["bad_actors_share"] == pytest.approx(10 / 12)


async def test_time_to_acknowledge_is_from_the_last_call(settings: AlertsSettings, journal: Journal) -> None:
    await journal.alarm("p.a", (0, "raise", UN), (10, "acknowledge", ACK), (20, "return", "normal"))
    await journal.alarm("p.b", (0, "raise", UN), (50, "escalate", UN, "red"), (80, "acknowledge", ACK, "red"))
    await journal.alarm("p.c", (0, "raise", UN), (60, "return", BACK), (150, "acknowledge", "normal"))
    await journal.alarm("p.d", (0, "raise", UN), (60, "return", BACK))
    told = (await kpi(settings))["acknowledgement"]
    assert told["waiting"] == 1
    by_colour = {item["colour"]: item for item in told["items"]}
    assert {name: item["acknowledged"] for name, item in by_colour.items()} == {"yellow": 2, "red": 1, None: 3}
    assert (by_colour["red"]["median_s"], by_colour["yellow"]["longest_s"], by_colour[None]["median_s"]) == (
        30,
        150,
        30,
    )


async def test_chattering_is_three_raises_in_a_minute(settings: AlertsSettings, journal: Journal) -> None:
    for second in (0, 20, 50, 200):
        await journal.alarm("p.a", (second, "raise", UN), (second + 5, "return", BACK), (second + 6, "x", "normal"))
    await journal.alarm("p.b", *((second, action, UN if action == "raise" else BACK) for second, action in SLOWER))
    told = (await kpi(settings))["chattering"]
    assert (told["raises"], told["within_s"], told["count"]) == (3, 60, 1)
    assert [(item["station_id"], item["times"]) for item in told["items"]] == [("p.a", 1)]


async def test_stale_is_what_stood_in_sight_for_more_than_a_day(settings: AlertsSettings, journal: Journal) -> None:
    day = 86400
    await journal.alarm("p.before", (-day, "raise", UN), (10, "return", BACK))
    await journal.alarm("p.stands", (-3 * day, "raise", UN), (-2 * day, "acknowledge", ACK))
    await journal.alarm("p.hidden", (-day, "raise", UN), (-10, "shelve", SHELVED), (5, "unshelve", UN))
    await journal.alarm("p.long-ago", (-9 * day, "raise", UN), (-5 * day, "return", BACK))
    await journal.alarm("p.short", (10, "raise", UN), (60, "return", BACK))
    told = (await kpi(settings))["stale"]
    assert told["count"] == 2
    assert [(item["station_id"], item["ended"]) for item in told["items"]] == [
        ("p.stands", None),
        ("p.before", "2026-06-01T08:00:10Z"),
    ]


async def test_a_span_that_cannot_be_judged_is_refused(settings: AlertsSettings) -> None:
    app = build_app(settings)
    auth = ServiceAuth(settings.internal_token.get_secret_value(), "tests", "alerts")
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://alerts", auth=auth) as client:
            for span in (
                {"since": LATER.isoformat(), "until": START.isoformat()},
                {"since": START.isoformat(), "until": (START + timedelta(days=400)).isoformat()},
            ):
                answer = await client.get("/parks/p/kpi", params=span)
                assert answer.status_code == 422, answer.text
                assert "since" in answer.json()["detail"]
