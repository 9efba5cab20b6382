"""Robots of chat groups and Alertmanager, over real sockets; and what they are told."""

import asyncio
import hmac
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from services.gateway.events.event import Kind
from services.gateway.routing import Service
from services.gateway.subscriptions import patience, robots, sending
from services.gateway.subscriptions.alertmanager import alerts_of
from services.gateway.subscriptions.http import Answer
from services.gateway.subscriptions.sending import Manner
from services.gateway.subscriptions.subscription import Channel, Language, LoggedEvent, level_of
from services.gateway.subscriptions.words import lines_of
from shared.levels import Colour
from shared.messages import AlarmState, AlarmTransition, IncidentChange, RunState
from shared.messages.base import Message
from shared.redis import create_redis
from tests.gateway.conftest import Keys, Settings, open_door
from tests.gateway.facts import NOW, Outbox, alarm, call, flood, incident, run
from tests.gateway.receivers import Receiver
from tests.gateway.serving import serving
from tests.gateway.upstreams import Upstream

PATH = "/api/v1/subscriptions"
SECRET = "SEC-of-the-robot"


@pytest.fixture
async def outbox(redis_url: str, upstreams: dict[Service, Upstream]) -> AsyncIterator[Outbox]:
    redis = create_redis(redis_url, "test")
    yield Outbox(redis, upstreams)
    await redis.aclose()


@pytest.fixture
async def client(
    settings_of: Settings, dist: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(patience, "FIRST_S", 0.01)
    monkeypatch.setattr(robots, "BUSY_WAIT_S", 0.01)
    at_once = {channel: Manner(manner.most_events) for channel, manner in sending.MANNERS.items()}
    monkeypatch.setattr("services.gateway.subscriptions.delivery.MANNERS", at_once)
    async with open_door(settings_of(gateway_subscription_networks='["127.0.0.0/8"]'), dist) as door:
        yield await door.client(await keys.new("north"))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver(status=200)
    async with serving(receiver.app()) as [url]:
        receiver.url = url
        yield receiver


async def subscribe(client: httpx.AsyncClient, delivery: dict[str, Any], **wanted: Any) -> dict[str, Any]:
    given = {"name": "group", "parks": ["north"], "language": "en", "delivery": delivery}
    answer = await client.post(PATH, json=given | wanted)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def event_of(message: Message, kind: Kind = Kind.ALARM, seq: int = 1) -> LoggedEvent:
    return LoggedEvent(seq, "alarms", seq, kind, "north", message.model_dump_json(), NOW)


def signature(key: str, message: str) -> str:
    return b64encode(hmac.digest(key.encode(), message.encode(), "sha256")).decode()


@pytest.mark.parametrize("channel", ["wecom", "dingtalk", "feishu"])
async def test_a_robot_is_told_in_its_own_way(
    channel: str, client: httpx.AsyncClient, receiver: Receiver, outbox: Outbox
) -> None:
    receiver.said = b'{"code": 0}' if channel == "feishu" else b'{"errcode": 0, "errmsg": "ok"}'
    secret = {} if channel == "wecom" else {"secret": SECRET}
    made = await subscribe(client, {"channel": channel, "url": f"{receiver.url}/hook?key=hidden"} | secret)
    assert made["secret"] is None
    assert made["delivery"] == {"channel": channel, "target": f"{receiver.url}/..."}
    assert (await client.post(f"{PATH}/{made['id']}/test")).json()["delivered"]
    await outbox.write("alarms", alarm("north"))
    body: dict[str, Any] = {}
    for message in await receiver.wait(2):
        body, query = json.loads(message.body), parse_qs(message.query)
        assert query["key"] == ["hidden"]
        if channel == "dingtalk":
            [time] = query["timestamp"]
            assert query["sign"] == [signature(SECRET, f"{time}\n{SECRET}")]
        if channel == "feishu":
            assert body["sign"] == signature(f"{body['timestamp']}\n{SECRET}", "")
    text = body["content"]["text"] if channel == "feishu" else body["text"]["content"]
    assert text == (
        "Fenceline\nnorth [yellow] alarm raised: north.s01 Chlorine 3.2 mg/m3 (threshold 1) 2026-03-01 16:00:00+08:00"
    )
    assert (await client.post(f"{PATH}/{made['id']}/secret", json={})).status_code == 409


async def test_a_robot_that_is_busy_is_told_again_and_more_at_once(
    client: httpx.AsyncClient, receiver: Receiver, outbox: Outbox
) -> None:
    receiver.said = b'{"errcode": 45009}'
    made = await subscribe(client, {"channel": "wecom", "url": f"{receiver.url}/hook"})
    await outbox.write("alarms", *(alarm("north") for _ in range(7)))
    await receiver.wait(2)
    tried = (await client.post(f"{PATH}/{made['id']}/test")).json()
    assert (tried["delivered"], tried["error"]) == (False, "the robot answered with code 45009")
    waiting = (await client.get(f"{PATH}/{made['id']}")).json()["health"]["backlog"]
    assert waiting == 7
    # The second attempt from now on has begun after all of them were there.
    await receiver.wait(len(receiver.heard) + 2)
    assert json.loads(receiver.heard[-1].body)["text"]["content"].count("alarm raised") == 7
    receiver.said = b'{"errcode": 0}'
    async with asyncio.timeout(20):
        while True:
            if (await client.get(f"{PATH}/{made['id']}")).json()["health"]["backlog"] == 0:
                break
            await asyncio.sleep(0.02)


class Later(Message):
    """An alarm as a later version might tell it."""

    park_id: str = "north"
    news: int = 1


async def test_a_fact_of_a_later_version_is_set_aside_alone(
    client: httpx.AsyncClient, receiver: Receiver, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "REFUSED_ATTEMPTS", 2)
    receiver.said = b'{"errcode": 0}'
    made = await subscribe(client, {"channel": "wecom", "url": f"{receiver.url}/hook"})
    hook = await subscribe(client, {"channel": "webhook", "url": f"{receiver.url}/webhook"})
    await client.patch(f"{PATH}/{made['id']}", json={"enabled": False})
    await outbox.write("alarms", alarm("north"), Later(), alarm("north"))
    webhooks = [json.loads(one.body) for one in (await receiver.wait(3)) if one.path == "/webhook"]
    assert [one["type"] for one in webhooks] == ["alarm.raised", "alarm.unknown", "alarm.raised"]
    assert webhooks[1]["data"] == {"park_id": "north", "news": 1}
    await client.patch(f"{PATH}/{made['id']}", json={"enabled": True})
    told = (await receiver.wait(5))[3:]
    assert [one.body.count(b"alarm raised") for one in told] == [1, 1]
    [letter] = (await client.get(f"{PATH}/{made['id']}/dead-letters")).json()["items"]
    assert (letter["event_id"], letter["type"], letter["data"]["news"]) == ("alarms-2", "alarm.unknown", 1)
    assert (await client.get(f"{PATH}/{hook['id']}")).json()["health"]["dead_letters"] == 0


async def test_an_alertmanager_is_told_of_alarms(client: httpx.AsyncClient, receiver: Receiver, outbox: Outbox) -> None:
    await subscribe(client, {"channel": "alertmanager", "url": f"{receiver.url}/am/"})
    await outbox.write("runs", run("north"))
    raised = alarm("north")
    await outbox.write("alarms", raised)
    [message] = await receiver.wait(1)
    assert message.path == "/am/api/v2/alerts"
    [alert] = json.loads(message.body)
    assert alert["labels"] == {
        "alertname": "FencelineAlarm",
        "severity": "yellow",
        "park": "north",
        "station": "north.s01",
        "property": "chlorine",
        "rule": "chlorine",
        "alarm_id": str(raised.alarm_id),
    }
    assert (alert["startsAt"], alert["endsAt"]) == ("2026-03-01T08:00:00Z", "2026-03-31T08:00:00Z")
    refused = await client.post(
        PATH,
        json={
            "name": "x",
            "parks": ["north"],
            "kinds": ["run"],
            "delivery": {"channel": "alertmanager", "url": receiver.url},
        },
    )
    assert refused.status_code == 422


def test_an_alert_ends_with_its_alarm_and_with_its_colour() -> None:
    raised = alarm("north")
    later = NOW + timedelta(minutes=5)
    higher = raised.model_copy(
        update={"transition": AlarmTransition.ESCALATED, "colour": Colour.RED, "recorded_at": later}
    )
    alerts = json.loads(alerts_of([event_of(raised), event_of(higher, seq=2)]))
    ends = {alert["labels"]["severity"]: datetime.fromisoformat(alert["endsAt"]) for alert in alerts}
    assert ends.pop("red") > later + timedelta(days=1)
    assert ends == dict.fromkeys(("blue", "yellow", "orange"), later)
    for update in (
        {"transition": AlarmTransition.RETURNED, "active": False},
        {"transition": AlarmTransition.SHELVED, "active": True, "state": AlarmState.SHELVED},
    ):
        [alert] = json.loads(alerts_of([event_of(raised.model_copy(update=update))]))
        assert alert["endsAt"] == alert["startsAt"]


def test_every_event_has_words_in_both_languages() -> None:
    told = [alarm("north").model_copy(update={"transition": transition}) for transition in AlarmTransition]
    events = [event_of(message) for message in told]
    events += [event_of(alarm("north").model_copy(update={"property_id": None, "value": None, "threshold": None}))]
    events += [event_of(incident("north").model_copy(update={"change": c}), Kind.INCIDENT) for c in IncidentChange]
    events += [event_of(run("north").model_copy(update={"state": state}), Kind.RUN) for state in RunState]
    ended = flood("north").model_copy(update={"ended_at": NOW})
    events += [event_of(flood("north"), Kind.FLOOD), event_of(ended, Kind.FLOOD)]
    events += [event_of(call("north"), Kind.NOTIFICATION)]
    for event in events:
        zh, en = lines_of(event, Language.BOTH)
        assert en.isascii()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in zh)
        assert zh.startswith("north ")
        assert event.type
    assert lines_of(events[0], Language.ZH) == [
        "north [黄色] 报警产生：north.s01 氯气 3.2 mg/m3 (阈值 1) 2026-03-01 16:00:00+08:00"
    ]


def test_a_message_holds_as_many_as_fit_and_commands_nobody() -> None:
    long = call("north").model_copy(update={"role": '<at user_id="all"></at>@all\n' + "x" * 300})
    events = [event_of(long, Kind.NOTIFICATION, seq) for seq in range(1, 11)]
    text, count = robots.text_of(events, Language.BOTH)
    assert 1 <= count < 10
    assert len(text.encode()) <= robots.MOST_BYTES
    assert "<" not in text
    assert "@" not in text
    assert len(text.split("\n")) == 1 + 2 * count
    huge = event_of(long.model_copy(update={"role": "长" * 5000}), Kind.NOTIFICATION)
    text, count = robots.text_of([huge], Language.ZH)
    assert count == 1
    assert len(text.encode()) <= robots.MOST_BYTES


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"errcode": 310000}', b'{"errmsg": "ok"}'])
def test_what_a_robot_refuses_is_not_taken_for_told(body: bytes) -> None:
    assert not robots.outcome_of(Channel.DINGTALK, Answer(200, body, None)).delivered


def test_levels_of_events() -> None:
    assert level_of(alarm("north").model_copy(update={"peak_colour": Colour.RED})) is Colour.RED
    assert level_of(flood("north").model_copy(update={"alarms": {Colour.RED: 0, Colour.BLUE: 2}})) is Colour.BLUE
    assert level_of(flood("north").model_copy(update={"alarms": {}})) is None
    assert level_of(run("north")) is None
