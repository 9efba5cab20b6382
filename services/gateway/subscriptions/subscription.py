"""What a subscription is, and what it is told of. Pure."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID

from services.gateway.events.event import Kind
from shared.levels import Colour
from shared.messages import AlarmChanged, FloodChanged, IncidentChanged, RoleCalled, RunChanged

Told = AlarmChanged | RunChanged | IncidentChanged | FloodChanged | RoleCalled
TEST = "subscription.test"
"""The type of what the test button sends."""


class Channel(StrEnum):
    """By which way a subscription is told."""

    WEBHOOK = "webhook"
    EMAIL = "email"
    WECOM = "wecom"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"
    ALERTMANAGER = "alertmanager"

    @property
    def is_robot(self) -> bool:
        """Whether it is a robot in a chat group; the address of one is a secret."""
        return self in (Channel.WECOM, Channel.DINGTALK, Channel.FEISHU)


class Language(StrEnum):
    """In which language people are told."""

    ZH = "zh"
    EN = "en"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Secret:
    """What messages are signed with; after `until`, if it has one, no more."""

    text: str
    until: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        """Whether messages are signed with it at `now`."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a subscription has come.

    `cursor` is the number of the last event of the log that it is done with; `resumed_at` is when it was last made,
    switched on or set back, and the time from which its patience counts.
    """

    cursor: int
    resumed_at: datetime
    next_attempt_at: datetime
    attempts: int = 0
    failing_since: datetime | None = None
    last_error: str | None = None
    last_sent_at: datetime | None = None
    enabled: bool = True
    disabled_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who is told what, by which way.

    `target` is where: a URL, or addresses. `parks` may hold `*`; one of an organisation never hears of parks that its
    organisation does not see. `least`: only what reached this level; what has no level is told all the same.
    """

    id: UUID
    name: str
    organisation_id: str | None
    created_by: str
    created_at: datetime
    parks: frozenset[str]
    kinds: frozenset[Kind]
    least: Colour | None
    channel: Channel
    target: str
    language: Language
    secrets: tuple[Secret, ...]
    standing: Standing

    def signing(self, now: datetime) -> list[str]:
        """The secrets that sign a message at `now`, newest first."""
        return [secret.text for secret in self.secrets if secret.is_good(now)]


@dataclass(frozen=True)
class LoggedEvent:
    """One event of the log. `id` is the same however often, and to whomever, it is sent."""

    seq: int
    stream: str
    position: int
    kind: Kind
    park_id: str
    data: str
    at: datetime
    is_test: bool = False

    @property
    def id(self) -> str:
        """Stands for the event at every receiver."""
        return f"{self.stream}-{self.position}"

    @cached_property
    def body(self) -> dict[str, Any]:
        """The fact, as the event stream tells it."""
        body: dict[str, Any] = json.loads(self.data)
        return body

    @property
    def type(self) -> str:
        """What happened, such as `alarm.raised`."""
        if self.is_test:
            return TEST
        match self.kind:
            case Kind.ALARM:
                return f"alarm.{self._said('transition')}"
            case Kind.INCIDENT:
                return f"incident.{self._said('change')}"
            case Kind.RUN:
                return f"run.{self._said('state')}"
            case Kind.FLOOD:
                return "flood.began" if self.body.get("ended_at") is None else "flood.ended"
            case _:
                return f"{self.kind}.called"

    def _said(self, name: str) -> str:
        # A fact of a later version may not say it.
        said = self.body.get(name)
        return said if isinstance(said, str) else "unknown"


def level_of(message: Told) -> Colour | None:
    """The level that filters look at: the highest that was reached, so that an alarm's end is told where its raise was.

    None for what has no level.
    """
    match message:
        case AlarmChanged() | IncidentChanged():
            return message.peak_colour
        case RoleCalled():
            return message.colour
        case FloodChanged():
            return max(
                (colour for colour, count in message.alarms.items() if count), key=lambda c: c.rank, default=None
            )
        case _:
            return None
