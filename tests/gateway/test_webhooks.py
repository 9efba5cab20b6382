"""Webhooks to real receivers over real sockets: signed, in order, however long they are away, and to nobody else."""

import asyncio
import contextlib
import ipaddress
import json
import socket
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from standardwebhooks.webhooks import WebhookVerificationError

from services.gateway.audit_store import AuditEntry
from services.gateway.identities import Organisation, OrganisationKind
from services.gateway.identity_store import IdentityStore
from services.gateway.routing import Service
from services.gateway.store import Store
from services.gateway.subscriptions import patience, service
from services.gateway.subscriptions.addresses import AddressNotAllowed, check_url, is_public
from services.gateway.subscriptions.delivery_store import Backlog, DeliveryStore
from services.gateway.subscriptions.http import HttpSender, NotSent
from services.gateway.subscriptions.patience import LONGEST_S, MOST_ASKED_S, wait_s
from shared.levels import Colour
from shared.redis import create_redis
from shared.time import utc_now
from tests.gateway.conftest import Door, Keys, Settings, open_door
from tests.gateway.facts import Outbox, alarm, call, flood, incident, run
from tests.gateway.receivers import Receiver
from tests.gateway.serving import serving
from tests.gateway.test_subscription_rights import key_of
from tests.gateway.upstreams import Upstream

PATH = "/api/v1/subscriptions"
LOOPBACK = '["127.0.0.0/8"]'


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_S", 0.01)
    monkeypatch.setattr(patience, "LONGEST_S", 0.05)


@pytest.fixture
async def outbox(redis_url: str, upstreams: dict[Service, Upstream]) -> AsyncIterator[Outbox]:
    redis: Redis = create_redis(redis_url, "test")
    yield Outbox(redis, upstreams)
    await redis.aclose()


@pytest.fixture
async def door(settings_of: Settings, dist: Path) -> AsyncIterator[Door]:
    async with open_door(settings_of(gateway_subscription_networks=LOOPBACK), dist) as door:
        yield door


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with serving(receiver.app()) as [url]:
        receiver.url = url
        yield receiver


def url_of(receiver: Receiver) -> str:
    return f"{receiver.url}/hook?token=hidden"


async def subscribe(client: httpx.AsyncClient, receiver: Receiver, **wanted: Any) -> dict[str, Any]:
    given = {"name": "province", "parks": ["north"], "delivery": {"channel": "webhook", "url": url_of(receiver)}}
    answer = await client.post(PATH, json=given | wanted)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def shown(client: httpx.AsyncClient, made: dict[str, Any], until: Callable[[dict[str, Any]], bool]) -> Any:
    """The subscription, once it is as it should be."""
    async with asyncio.timeout(20):
        while True:
            one = (await client.get(f"{PATH}/{made['id']}")).json()
            if until(one):
                return one
            await asyncio.sleep(0.02)


def comments(receiver: Receiver) -> list[str]:
    return [json.loads(message.body)["data"]["comment"] for message in receiver.taken]


async def test_what_happens_is_told_signed_and_in_order(
    door: Door, keys: Keys, receiver: Receiver, outbox: Outbox
) -> None:
    client = await door.client(await keys.new("north"))
    made = await subscribe(client, receiver)
    facts = [alarm("north", str(number)) for number in range(5)]
    await outbox.write("alarms", *facts, alarm("south", "of another park"))
    await outbox.write("runs", run("north"))
    await outbox.write("incidents", incident("north"))
    taken = await receiver.wait(7)
    told = [message.verified(made["secret"]) for message in taken]
    alarms = [one for one in told if one["type"] == "alarm.raised"]
    assert [one["data"]["transition_id"] for one in alarms] == [str(fact.transition_id) for fact in facts]
    assert {one["type"] for one in told} == {"alarm.raised", "run.succeeded", "incident.opened"}
    first = next(message for message in taken if b"alarm.raised" in message.body)
    assert (first.path, first.query) == ("/hook", "token=hidden")
    assert first.headers["webhook-id"] == "alarms-1"
    assert len({message.headers["webhook-id"] for message in taken}) == 7
    with pytest.raises(WebhookVerificationError):
        first.verified("whsec_" + "A" * 44)
    one = await shown(client, made, lambda one: one["health"]["backlog"] == 0)
    assert one["health"]["last_error"] is None
    assert one["health"]["last_sent_at"] is not None
    assert "hidden" not in str(one)
    assert "secret" not in one


async def test_filters_by_park_kind_and_level(door: Door, keys: Keys, receiver: Receiver, outbox: Outbox) -> None:
    client = await door.client(await keys.new("*"))
    everything, other = Receiver(), Receiver()
    async with serving(everything.app(), other.app()) as [url, other_url]:
        everything.url, other.url = url, other_url
        await subscribe(client, receiver, parks=["north"], kinds=["alarm", "run"], least_colour="orange")
        await subscribe(client, everything, parks=["*"])
        await subscribe(client, other, parks=["south", "east"], kinds=["flood", "notification"])
        red = alarm("north", "red").model_copy(update={"colour": Colour.BLUE, "peak_colour": Colour.RED})
        await outbox.write("alarms", alarm("north", "yellow"), red, alarm("south"))
        await outbox.write("floods", flood("north"), flood("south"))
        await outbox.write("notifications", call("east"))
        await outbox.write("runs", run("north"))
        assert len(await everything.wait(7)) == 7
        told = [message.headers["webhook-id"] for message in await receiver.wait(2)]
        assert sorted(told) == ["alarms-2", "runs-1"]
        assert sorted(m.headers["webhook-id"] for m in await other.wait(2)) == ["floods-2", "notifications-1"]
        await outbox.write("alarms", red)
        assert (await receiver.wait(3))[2].headers["webhook-id"] == "alarms-4"


async def test_what_a_receiver_missed_comes_once_and_in_order(
    door: Door, keys: Keys, receiver: Receiver, outbox: Outbox
) -> None:
    client = await door.client(await keys.new("north"))
    made = await subscribe(client, receiver)
    receiver.status = 503
    await outbox.write("alarms", *(alarm("north", str(number)) for number in range(10)))
    one = await shown(client, made, lambda one: one["health"]["attempts"] > 2)
    assert one["health"]["backlog"] == 10
    assert one["health"]["failing_since"] is not None
    assert one["health"]["last_error"] == "the receiver answered 503"
    assert {message.headers["webhook-id"] for message in receiver.heard} == {"alarms-1"}
    receiver.status = 200
    await receiver.wait(10)
    assert comments(receiver) == [str(number) for number in range(10)]
    one = await shown(client, made, lambda one: one["health"]["backlog"] == 0)
    assert (one["health"]["failing_since"], one["health"]["attempts"]) == (None, 0)


async def test_what_a_gateway_missed_comes_once_and_in_order(
    settings_of: Settings, dist: Path, keys: Keys, receiver: Receiver, outbox: Outbox
) -> None:
    settings = settings_of(gateway_subscription_networks=LOOPBACK)
    async with open_door(settings, dist) as door:
        client = await door.client(await keys.new("north"))
        await subscribe(client, receiver)
        await outbox.write("alarms", alarm("north", "1"))
        await receiver.wait(1)
    # Redis does not hear of some of it either: the producer tells.
    await outbox.write("alarms", alarm("north", "2"), alarm("north", "3"), publishing=False)
    await outbox.write("alarms", alarm("north", "4"))
    async with open_door(settings, dist), open_door(settings, dist):
        await receiver.wait(4)
        await outbox.write("alarms", *(alarm("north", str(number)) for number in range(5, 15)))
        await receiver.wait(14)
    assert comments(receiver) == [str(number) for number in range(1, 15)]
    assert len(receiver.heard) == 14, "of two replicas one tells"


async def test_one_message_that_is_refused_does_not_hold_up_the_others(
    door: Door, keys: Keys, receiver: Receiver, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "REFUSED_ATTEMPTS", 2)
    client = await door.client(await keys.new("north"))
    made = await subscribe(client, receiver)
    receiver.refuses = "poison"
    await outbox.write("alarms", alarm("north", "1"), alarm("north", "poison"), alarm("north", "3"))
    await receiver.wait(2)
    assert comments(receiver) == ["1", "3"]
    assert [message.headers["webhook-id"] for message in receiver.heard].count("alarms-2") == 2
    letters = (await client.get(f"{PATH}/{made['id']}/dead-letters")).json()
    [letter] = letters["items"]
    assert (letter["event_id"], letter["type"], letter["data"]["comment"]) == ("alarms-2", "alarm.raised", "poison")
    assert letter["error"] == "the receiver answered 400"
    receiver.refuses = None
    again = await client.post(f"{PATH}/{made['id']}/dead-letters/replay", json={"seqs": [letter["seq"]]})
    assert again.json() == {"count": 1}
    assert (await receiver.wait(3))[2].headers["webhook-id"] == "alarms-2"
    assert (await client.get(f"{PATH}/{made['id']}/dead-letters")).json() == {"items": [], "next": None}
    assert (await client.post(f"{PATH}/{made['id']}/dead-letters/replay", json={})).json() == {"count": 0}


async def test_what_has_waited_for_days_is_given_up_at_once_and_kept(
    door: Door, keys: Keys, receiver: Receiver, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await door.client(await keys.new("north"))
    made = await subscribe(client, receiver)
    receiver.status = 500
    await outbox.write("alarms", *(alarm("north", str(number)) for number in range(3)))
    await shown(client, made, lambda one: one["health"]["backlog"] == 3 and one["health"]["attempts"] > 0)
    monkeypatch.setattr(patience, "GIVE_UP", timedelta(0))
    one = await shown(client, made, lambda one: one["health"]["dead_letters"] == 3)
    assert one["health"]["backlog"] == 0
    monkeypatch.setattr(patience, "GIVE_UP", timedelta(days=3))
    first = (await client.get(f"{PATH}/{made['id']}/dead-letters", params={"limit": 2})).json()
    rest = (await client.get(f"{PATH}/{made['id']}/dead-letters", params={"cursor": first["next"]})).json()
    assert [letter["data"]["comment"] for letter in first["items"] + rest["items"]] == ["0", "1", "2"]
    receiver.status = 200
    assert (await client.post(f"{PATH}/{made['id']}/dead-letters/replay", json={})).json() == {"count": 3}
    await receiver.wait(3)
    assert comments(receiver) == ["0", "1", "2"]


async def test_a_subscription_is_set_back(door: Door, keys: Keys, receiver: Receiver, outbox: Outbox) -> None:
    client = await door.client(await keys.new("north"))
    made = await subscribe(client, receiver)
    await outbox.write("alarms", alarm("north", "1"), alarm("north", "2"))
    await receiver.wait(2)
    await shown(client, made, lambda one: one["health"]["backlog"] == 0)
    answer = await client.post(f"{PATH}/{made['id']}/replay", json={"since": made["created_at"]})
    assert answer.status_code == 200, answer.text
    await receiver.wait(4)
    assert [message.headers["webhook-id"] for message in receiver.taken] == ["alarms-1", "alarms-2"] * 2
    early = await client.post(f"{PATH}/{made['id']}/replay", json={"since": "2026-01-01T00:00:00Z"})
    assert early.status_code == 422


async def test_a_secret_is_rotated_with_an_overlap(door: Door, keys: Keys, receiver: Receiver, outbox: Outbox) -> None:
    client = await door.client(await keys.new("north"))
    made = await subscribe(client, receiver)
    rotated = (await client.post(f"{PATH}/{made['id']}/secret", json={"overlap_hours": 1})).json()
    await outbox.write("alarms", alarm("north"))
    [message] = await receiver.wait(1)
    assert message.verified(made["secret"]) == message.verified(rotated["secret"])
    last = (await client.post(f"{PATH}/{made['id']}/secret", json={"overlap_hours": 0})).json()
    await outbox.write("alarms", alarm("north"))
    message = (await receiver.wait(2))[1]
    assert message.verified(last["secret"])
    for old in (made["secret"], rotated["secret"]):
        with pytest.raises(WebhookVerificationError):
            message.verified(old)


async def test_the_test_button_says_what_became_of_it(door: Door, keys: Keys, receiver: Receiver) -> None:
    client = await door.client(await keys.new("north"))
    made = await subscribe(client, receiver)
    tried = (await client.post(f"{PATH}/{made['id']}/test")).json()
    assert tried == {"delivered": True, "status": 204, "error": None}
    body = receiver.taken[0].verified(made["secret"])
    assert (body["type"], body["data"]) == ("subscription.test", {"test": True})
    receiver.answers.append((302, {"Location": url_of(receiver)}))
    tried = (await client.post(f"{PATH}/{made['id']}/test")).json()
    assert tried == {"delivered": False, "status": 302, "error": "the receiver answered 302"}
    assert len(receiver.heard) == 2, "a redirect is not followed"


async def test_a_receiver_that_is_gone_is_told_no_more(
    door: Door, keys: Keys, receiver: Receiver, outbox: Outbox
) -> None:
    client = await door.client(await keys.new("north"))
    made = await subscribe(client, receiver)
    receiver.status = 410
    await outbox.write("alarms", alarm("north", "1"))
    one = await shown(client, made, lambda one: not one["enabled"])
    assert one["disabled_reason"] == "the receiver answered 410"
    await outbox.write("alarms", alarm("north", "2"))
    receiver.status = 200
    on = await client.patch(f"{PATH}/{made['id']}", json={"enabled": True})
    assert on.json()["disabled_reason"] is None
    await receiver.wait(2)
    assert comments(receiver) == ["1", "2"]


async def test_what_cannot_be_counted_does_not_end_the_lead(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asyncio.Semaphore(0)

    async def too_slow(_store: DeliveryStore) -> list[Backlog]:
        asked.release()
        raise TimeoutError("too slow")

    monkeypatch.setattr(service, "SHOW_S", 0.01)
    monkeypatch.setattr(DeliveryStore, "backlog", too_slow)
    keeping = asyncio.create_task(door.gateway.subscriptions._keep_up())
    async with asyncio.timeout(20):
        for _ in range(3):
            await asyncio.wait({asyncio.ensure_future(asked.acquire()), keeping}, return_when="FIRST_COMPLETED")
    assert not keeping.done()
    keeping.cancel()


async def test_an_organisation_that_is_shut_out_is_told_nothing(
    door: Door, store: Store, receiver: Receiver, outbox: Outbox
) -> None:
    client = await door.client(await key_of(store, "acme", "north", "south"))
    made = await subscribe(client, receiver, parks=["north", "south"])
    identities, note = IdentityStore(store._engine), AuditEntry(utc_now(), "-", "admin", "test", "", None, 200, "t")
    assert await identities.switch("organisation", "acme", utc_now(), note)
    await outbox.write("alarms", alarm("north", "1"), alarm("south", "2"), alarm("north", "3"))
    tester = await door.client(await key_of(store, "tester", "north"))
    await subscribe(tester, receiver)
    await outbox.write("alarms", alarm("north", "4"))
    await receiver.wait(1)
    assert comments(receiver) == ["4"], "only the other one was told"
    # Back with one park alone: of the other nothing is told, whatever the subscription says.
    narrow = Organisation("acme", OrganisationKind.VENDOR, "acme", frozenset(("south",)), utc_now())
    await identities.put_organisation(narrow, note)
    assert await identities.switch("organisation", "acme", None, note)
    await receiver.wait(2)
    assert comments(receiver) == ["4", "2"]
    assert receiver.taken[1].verified(made["secret"])["data"]["park_id"] == "south"


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "64:ff9b::a9fe:a9fe"),
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ftp://example.org/",
            "https://",
            "//example.org/x",
            "https://user:pw@example.org/",
            "https://example.org/#x",
        ),
        *("https://127.0.0.1/x", "https://[::1]/x", "https://169.254.169.254/latest", "http://example.org/x"),
        *(
            "https://example.org:99999/",
            "https://example.org/ä",
            "https://exa mple.org/",
            "https://a\\b.org/",
            "x" * 30,
        ),
    ],
)
def test_urls_that_are_refused(url: str) -> None:
    with pytest.raises(AddressNotAllowed):
        check_url(url, ())
    networks = [ipaddress.ip_network("10.0.0.0/8")]
    if not url.startswith("http://"):
        with pytest.raises(AddressNotAllowed):
            check_url(url, networks)


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f.1", "127.1"])
async def test_names_of_this_machine_lead_nowhere(host: str, receiver: Receiver) -> None:
    port = url_of(receiver).split(":")[2].split("/")[0]
    sender = HttpSender(())
    with pytest.raises(NotSent):
        await sender.post(f"https://{host}:{port}/x", b"", {})
    await sender.aclose()
    assert receiver.heard == []


async def test_a_name_is_resolved_once_and_the_checked_address_is_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(url_of(receiver).split(":")[2].split("/")[0])
    asked = []

    async def rebinding(host: str, port: int, **_: Any) -> list[Any]:
        """Answers what is allowed first, and what is not from then on."""
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1" if len(asked) == 1 else "10.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", rebinding, raising=False)
    sender = HttpSender([ipaddress.ip_network("127.0.0.0/8")])
    answer = await sender.post(f"http://receiver.test:{port}/x", b"{}", {})
    assert (answer.status, asked) == (204, ["receiver.test"])
    assert receiver.heard[0].headers["host"] == f"receiver.test:{port}"
    with pytest.raises(NotSent, match="private address"):
        await sender.post(f"http://receiver.test:{port}/x", b"{}", {})
    await sender.aclose()


async def test_no_receiver_hears_what_another_at_its_address_has_said(receiver: Receiver) -> None:
    receiver.answers.append((200, {"set-cookie": "session=of-the-first"}))
    sender = HttpSender([ipaddress.ip_network("127.0.0.0/8")])
    for _ in range(2):
        await sender.post(receiver.url, b"{}", {})
    assert [message.headers.get("cookie") for message in receiver.heard] == [None, None]
    await sender.aclose()


async def test_a_receiver_that_never_ends_is_left(unused_port: Callable[[], int]) -> None:
    ended = asyncio.Event()

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                writer.write(b"x" * 1000)
                await writer.drain()
                await asyncio.sleep(0.001)
        writer.transport.abort()
        ended.set()

    port = unused_port()
    server = await asyncio.start_server(babble, "127.0.0.1", port)
    sender = HttpSender([ipaddress.ip_network("127.0.0.0/8")], timeout_s=5)
    answer = await sender.post(f"http://127.0.0.1:{port}/", b"", {})
    assert len(answer.body) == 64 * 1024
    await sender.aclose()
    await asyncio.wait_for(ended.wait(), 20)
    server.close()
    await server.wait_closed()


def test_waits_double_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    waits = [wait_s(attempts, jitter=1.0) for attempts in range(1, 14)]
    assert waits[:4] == [1.0, 2.0, 4.0, 8.0]
    assert waits[-1] == LONGEST_S
    assert wait_s(3, jitter=0.0) == 2.0
    assert wait_s(1, 120.0) == 120.0
    assert wait_s(1, 1e9) == MOST_ASKED_S
    assert wait_s(10**6) <= LONGEST_S
