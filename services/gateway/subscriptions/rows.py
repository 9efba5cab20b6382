"""Subscriptions and events as rows of the tables."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from services.gateway.events.event import Kind
from services.gateway.scopes import ALL_PARKS
from services.gateway.subscriptions.subscription import (
    Channel,
    Language,
    LoggedEvent,
    Secret,
    Standing,
    Subscription,
)
from shared.levels import Colour
from shared.time import iso

SUBSCRIPTION = """
    s.id, s.name, s.organisation_id, s.created_by, s.created_at, s.parks, s.kinds, s.least_level, s.channel, s.target,
    s.language, s.secrets, s.enabled, s.disabled_reason, s.cursor, s.resumed_at, s.attempts, s.next_attempt_at,
    s.failing_since, s.last_error, s.last_sent_at
"""
EVENT = "e.seq, e.stream, e.position, e.kind, e.park_id, e.data, e.at"
ALLOWED = """
    e.park_id = ANY(s.parks) OR '*' = ANY(s.parks)
"""
WANTED = f"""
    ({ALLOWED}) AND (o.id IS NULL OR e.park_id = ANY(o.parks) OR '*' = ANY(o.parks))
    AND (e.only_for = s.id OR (e.only_for IS NULL AND e.kind = ANY(s.kinds)
         AND (s.least_level IS NULL OR e.level IS NULL OR e.level >= s.least_level)))
"""
"""SQL: the event `e` of the log is for the subscription `s`, whose organisation, if it has one, is `o`."""

READABLE = "(:everywhere OR e.park_id = ANY(CAST(:parks AS text[]))) AND e.kind = ANY(CAST(:kinds AS text[]))"
"""SQL: the onlooker may read the event `e`, whatever the subscription is about by now."""


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Who asks: their organisation, and the parks and kinds of events that they may read.

    They see the subscriptions of their organisation (None: those without one, and all with all parks) that are about
    their parks at most.
    """

    organisation_id: str | None
    parks: frozenset[str]
    kinds: frozenset[Kind]

    def parameters(self) -> dict[str, Any]:
        """For SQL."""
        return {
            "organisation": self.organisation_id,
            "everywhere": ALL_PARKS in self.parks,
            "parks": sorted(self.parks),
            "kinds": sorted(self.kinds),
        }


def parameters_of(subscription: Subscription) -> dict[str, Any]:
    """What is written of a subscription, but how far it has come."""
    return {
        "id": subscription.id,
        "name": subscription.name,
        "organisation_id": subscription.organisation_id,
        "created_by": subscription.created_by,
        "created_at": subscription.created_at,
        "parks": sorted(subscription.parks),
        "kinds": sorted(subscription.kinds),
        "least_level": subscription.least.rank if subscription.least else None,
        "channel": subscription.channel,
        "target": subscription.target,
        "language": subscription.language,
        "secrets": json.dumps(
            [{"text": one.text, "until": iso(one.until) if one.until else None} for one in subscription.secrets]
        ),
    }


def subscription_of(row: RowMapping) -> Subscription:
    """The subscription in a row with `SUBSCRIPTION`."""
    return Subscription(
        id=row["id"],
        name=row["name"],
        organisation_id=row["organisation_id"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        parks=frozenset(row["parks"]),
        kinds=frozenset(Kind(kind) for kind in row["kinds"]),
        least=list(Colour)[row["least_level"] - 1] if row["least_level"] else None,
        channel=Channel(row["channel"]),
        target=row["target"],
        language=Language(row["language"]),
        secrets=tuple(Secret(one["text"], _time(one["until"])) for one in _json(row["secrets"])),
        standing=Standing(
            cursor=row["cursor"],
            resumed_at=row["resumed_at"],
            next_attempt_at=row["next_attempt_at"],
            attempts=row["attempts"],
            failing_since=row["failing_since"],
            last_error=row["last_error"],
            last_sent_at=row["last_sent_at"],
            enabled=row["enabled"],
            disabled_reason=row["disabled_reason"],
        ),
    )


def event_of(row: RowMapping) -> LoggedEvent:
    """The event in a row with `EVENT`."""
    return LoggedEvent(
        row["seq"], row["stream"], row["position"], Kind(row["kind"]), row["park_id"], row["data"], row["at"]
    )


def _json(value: Any) -> list[dict[str, Any]]:
    # asyncpg hands JSON over as text, as the statements are written by hand.
    found: list[dict[str, Any]] = json.loads(value) if isinstance(value, str) else value
    return found


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
