"""E-mail through a real server that speaks SMTP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from services.gateway.routing import Service
from services.gateway.subscriptions import patience
from services.gateway.subscriptions.sending import MANNERS, Manner
from services.gateway.subscriptions.subscription import Channel
from shared.redis import create_redis
from tests.gateway.conftest import Door, Keys, Settings, open_door
from tests.gateway.facts import Outbox, alarm
from tests.gateway.upstreams import Upstream

PATH = "/api/v1/subscriptions"
TO = ["duty@example.org", "li.na@example.org"]


@dataclass
class MailServer:
    """Takes e-mail; answers `replies` to the end of the data first, then that it is taken.

    `to_recipients` is what it answers to each of these, once per word.
    """

    replies: list[bytes] = field(default_factory=list)
    to_recipients: dict[str, list[bytes]] = field(default_factory=dict)
    taken: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    attempts: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipients: list[str] = []
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            writer.write(b"220 test\r\n")
            while line := await reader.readline():
                command = line.strip().upper()
                if command.startswith(b"RCPT"):
                    address = line.decode().split("<")[1].split(">")[0]
                    if words := self.to_recipients.get(address):
                        writer.write(words.pop(0))
                        continue
                    recipients.append(address)
                if command == b"DATA":
                    writer.write(b"354 go on\r\n")
                    writer.write(self._take(recipients, await reader.readuntil(b"\r\n.\r\n")))
                elif command == b"QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                else:
                    writer.write(b"250 ok\r\n")
            await writer.drain()
        writer.close()

    def _take(self, recipients: list[str], data: bytes) -> bytes:
        self.attempts += 1
        if self.replies:
            return self.replies.pop(0)
        message = message_from_bytes(data[:-5], policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append((list(recipients), message))
        self.came.set()
        return b"250 taken\r\n"

    async def wait(self, count: int) -> list[tuple[list[str], EmailMessage]]:
        async with asyncio.timeout(20):
            while len(self.taken) < count:
                self.came.clear()
                await self.came.wait()
        return self.taken


@pytest.fixture
async def outbox(redis_url: str, upstreams: dict[Service, Upstream]) -> AsyncIterator[Outbox]:
    redis = create_redis(redis_url, "test")
    yield Outbox(redis, upstreams)
    await redis.aclose()


@pytest.fixture
async def mail_door(
    settings_of: Settings, dist: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Door, MailServer]]:
    monkeypatch.setattr(patience, "FIRST_S", 0.01)
    server = MailServer()
    listener = await asyncio.start_server(server.talk, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    settings = settings_of(
        gateway_smtp_host="127.0.0.1",
        gateway_smtp_port=port,
        gateway_smtp_security="none",
        gateway_smtp_sender="fenceline@example.org",
    )
    async with open_door(settings, dist) as door:
        yield door, server
    listener.close()
    await listener.wait_closed()


async def test_alarms_are_told_by_mail_again_where_the_server_is_busy(
    mail_door: tuple[Door, MailServer], keys: Keys, outbox: Outbox
) -> None:
    door, server = mail_door
    client = await door.client(await keys.new("north"))
    given = {"name": "duty", "parks": ["north"], "delivery": {"channel": "email", "to": TO}}
    answer = await client.post(PATH, json=given)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["delivery"] == {"channel": "email", "target": ",".join(TO)}
    server.replies = [b"451 later\r\n"]
    await outbox.write("alarms", alarm("north"))
    [(recipients, message)] = await server.wait(1)
    assert server.attempts == 2
    assert recipients == TO
    assert message["From"] == "fenceline@example.org"
    assert message["Subject"].startswith("Fenceline: north [黄色] 报警产生：north.s01 氯气 3.2 mg/m3")
    assert message["Message-ID"] == f"<{made['id']}.alarms-1.alarms-1@fenceline>"
    zh, en = message.get_content().strip().splitlines()
    assert "报警产生" in zh
    assert "alarm raised: north.s01 Chlorine 3.2 mg/m3" in en
    server.replies = [b"554 no\r\n"]
    tried = (await client.post(f"{PATH}/{made['id']}/test")).json()
    assert tried == {"delivered": False, "status": None, "error": "the mail server answered 554"}


async def test_what_comes_together_is_one_mail(
    mail_door: tuple[Door, MailServer], keys: Keys, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MANNERS, Channel.EMAIL, Manner(50))
    door, server = mail_door
    client = await door.client(await keys.new("north"))
    given = {"name": "duty", "parks": ["north"], "language": "en", "delivery": {"channel": "email", "to": TO[:1]}}
    made = (await client.post(PATH, json=given)).json()
    await client.patch(f"{PATH}/{made['id']}", json={"enabled": False})
    await outbox.write("alarms", *(alarm("north") for _ in range(5)))
    async with asyncio.timeout(20):
        while True:
            if (await client.get(f"{PATH}/{made['id']}")).json()["health"]["backlog"] == 5:
                break
            await asyncio.sleep(0.02)
    await client.patch(f"{PATH}/{made['id']}", json={"enabled": True})
    [(_, message)] = await server.wait(1)
    assert message["Subject"].endswith("(5 events)")
    assert message.get_content().count("alarm raised") == 5


async def test_who_is_put_off_is_told_later_and_who_is_refused_is_named(
    mail_door: tuple[Door, MailServer], keys: Keys, outbox: Outbox
) -> None:
    door, server = mail_door
    client = await door.client(await keys.new("north"))
    to = [*TO, "gone@example.org"]
    given = {"name": "duty", "parks": ["north"], "delivery": {"channel": "email", "to": to}}
    made = (await client.post(PATH, json=given)).json()
    server.to_recipients = {TO[1]: [b"450 later\r\n"], to[2]: [b"550 nobody\r\n"] * 2}
    await outbox.write("alarms", alarm("north"))
    first, second = await server.wait(2)
    assert [first[0], second[0]] == [TO[:1], TO[1:2]]
    assert first[1]["Message-ID"] == second[1]["Message-ID"]
    async with asyncio.timeout(20):
        while True:
            health = (await client.get(f"{PATH}/{made['id']}")).json()["health"]
            if health["backlog"] == 0:
                break
            await asyncio.sleep(0.02)
    assert (health["last_error"], health["dead_letters"]) == ("the mail server refused gone@example.org (550)", 0)


async def test_addresses_that_are_none(mail_door: tuple[Door, MailServer], keys: Keys) -> None:
    door, _ = mail_door
    client = await door.client(await keys.new("north"))
    for to in ([], ["a@b", "not an address"], ["a@b.org\nBcc: c@d.org"], ["a@b.org\n"], ["a@b.org,c@d.org"]):
        given = {"name": "duty", "parks": ["north"], "delivery": {"channel": "email", "to": to}}
        assert (await client.post(PATH, json=given)).status_code == 422, to


async def test_without_a_mail_server_it_is_said_so(door: Door, keys: Keys) -> None:
    client = await door.client(await keys.new("north"))
    given = {"name": "duty", "parks": ["north"], "delivery": {"channel": "email", "to": TO}}
    refused = await client.post(PATH, json=given)
    assert refused.status_code == 422
    assert "FENCELINE_GATEWAY_SMTP_HOST" in refused.json()["detail"]
