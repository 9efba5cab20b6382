"""Subscriptions in their table: who they are, for the API."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.subscriptions.log_store import lock_head
from services.gateway.subscriptions.rows import (
    EVENT,
    READABLE,
    SUBSCRIPTION,
    WANTED,
    Onlooker,
    event_of,
    parameters_of,
    subscription_of,
)
from services.gateway.subscriptions.subscription import LoggedEvent, Subscription

MOST_SUBSCRIPTIONS = 1000
MOST_OF_ONE = 100
"""Subscriptions of one organisation."""
MOST_COUNTED = 10_000
"""Of the events that wait; one more says that there are more."""
_TABLES = "subscription s LEFT JOIN organisation o ON o.id = s.organisation_id"
_SEEN = """
    (s.organisation_id = CAST(:organisation AS text)
     OR (CAST(:organisation AS text) IS NULL AND (:everywhere OR s.organisation_id IS NULL)))
    AND (:everywhere OR s.parks <@ CAST(:parks AS text[]))
"""
_SHOWN = f"""
    SELECT {SUBSCRIPTION}, waiting.count AS backlog, waiting.oldest AS oldest_waiting_at,
           (SELECT count(*) FROM subscription_dead d WHERE d.subscription_id = s.id) AS dead
    FROM {_TABLES}
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, min(at) AS oldest FROM (
            SELECT e.at FROM subscription_event e WHERE e.seq > s.cursor AND {WANTED} ORDER BY e.seq
            LIMIT {MOST_COUNTED + 1}
        ) AS first
    ) AS waiting
    WHERE {_SEEN}
"""  # noqa: S608  constants
_ONE = text(f"{_SHOWN} AND s.id = :id")
_PAGE = text(
    f"""
    {_SHOWN} AND (CAST(:after_id AS uuid) IS NULL OR (s.created_at, s.id) > (CAST(:after AS timestamptz), :after_id))
    ORDER BY s.created_at, s.id LIMIT :limit
    """
)
_COUNT = text(
    "SELECT count(*) AS all_of_them, count(*) FILTER (WHERE organisation_id = :organisation_id) AS of_one"
    " FROM subscription"
)
_LOCKED = text(f"SELECT {SUBSCRIPTION} FROM subscription s WHERE {_SEEN} AND s.id = :id FOR UPDATE")  # noqa: S608
_INSERT = text(
    """
    INSERT INTO subscription (
        id, name, organisation_id, created_by, created_at, parks, kinds, least_level, channel, target, language,
        secrets, cursor, resumed_at, next_attempt_at)
    VALUES (
        :id, :name, :organisation_id, :created_by, :created_at, :parks, :kinds, :least_level, :channel, :target,
        :language, CAST(:secrets AS jsonb), :cursor, :created_at, :created_at)
    """
)
_UPDATE = text(
    """
    UPDATE subscription SET name = :name, parks = :parks, kinds = :kinds, least_level = :least_level,
        target = :target, language = :language, secrets = CAST(:secrets AS jsonb), attempts = 0, next_attempt_at = :now
    WHERE id = :id
    """
)
_SWITCH = text(
    """
    UPDATE subscription SET enabled = :enabled, disabled_reason = NULL, attempts = 0, next_attempt_at = :now,
        resumed_at = :now
    WHERE id = :id AND enabled <> :enabled
    """
)
_SET_BACK = text(
    """
    UPDATE subscription SET resumed_at = :now, attempts = 0, next_attempt_at = :now, cursor = least(cursor, coalesce(
        (SELECT max(seq) FROM subscription_event WHERE at < :since),
        (SELECT min(seq) - 1 FROM subscription_event), cursor))
    WHERE id = :id
    """
)
_RESUME = text("UPDATE subscription SET resumed_at = :now, attempts = 0, next_attempt_at = :now WHERE id = :id")
_DELETE = text("DELETE FROM subscription WHERE id = :id")
_DEAD = text(
    f"SELECT {EVENT}, e.died_at, e.error FROM subscription_dead e"  # noqa: S608  constants
    f" WHERE e.subscription_id = :id AND e.seq > :after AND {READABLE} ORDER BY e.seq LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A subscription and what waits for it; `backlog` counts to `MOST_COUNTED` + 1."""

    subscription: Subscription
    backlog: int
    oldest_waiting_at: datetime | None
    dead_letters: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that was given up."""

    event: LoggedEvent
    died_at: datetime
    error: str


class SubscriptionStore:
    """SQL of the API. Every method is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def one(self, id_: UUID, onlooker: Onlooker) -> Shown | None:
        """The subscription, if the onlooker may see it."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(_ONE, onlooker.parameters() | {"id": id_})).mappings().first()
        return _shown(row) if row is not None else None

    async def page(self, onlooker: Onlooker, after: tuple[datetime, UUID] | None, limit: int) -> list[Shown]:
        """At most `limit` subscriptions made after this moment and id, oldest first."""
        made, id_ = after or (None, None)
        async with self._engine.connect() as connection:
            values = onlooker.parameters() | {"after": made, "after_id": id_, "limit": limit}
            return [_shown(row) for row in (await connection.execute(_PAGE, values)).mappings()]

    async def create(self, subscription: Subscription) -> int | None:
        """Write a new subscription, which is told of what comes from now on.

        Where there are too many already, of its organisation or in all, nothing is written: returns how many may be.
        """
        async with self._engine.begin() as connection:
            head = await lock_head(connection)
            values = parameters_of(subscription)
            count = (await connection.execute(_COUNT, values)).one()
            if count.of_one >= MOST_OF_ONE:
                return MOST_OF_ONE
            if count.all_of_them >= MOST_SUBSCRIPTIONS:
                return MOST_SUBSCRIPTIONS
            await connection.execute(_INSERT, values | {"cursor": head})
        return None

    async def change(
        self,
        id_: UUID,
        onlooker: Onlooker,
        alter: Callable[[Subscription], Subscription],
        now: datetime,
        *,
        enabled: bool | None = None,
    ) -> bool:
        """Bring what the owner says up to date; how far it has come stays, and without `enabled` whether it is on.

        `alter` is given the subscription as nobody else changes it meanwhile, and may raise. False where the onlooker
        sees none.
        """
        async with self._engine.begin() as connection:
            row = (await connection.execute(_LOCKED, onlooker.parameters() | {"id": id_})).mappings().first()
            if row is None:
                return False
            await connection.execute(_UPDATE, parameters_of(alter(subscription_of(row))) | {"now": now})
            if enabled is not None:
                await connection.execute(_SWITCH, {"id": id_, "enabled": enabled, "now": now})
        return True

    async def set_back(self, id_: UUID, since: datetime, now: datetime) -> None:
        """Tell again what was recorded from `since` on, as far back as the log goes."""
        async with self._engine.begin() as connection:
            await connection.execute(_SET_BACK, {"id": id_, "since": since, "now": now})

    async def resume(self, id_: UUID, now: datetime) -> None:
        """Try again at once."""
        async with self._engine.begin() as connection:
            await connection.execute(_RESUME, {"id": id_, "now": now})

    async def delete(self, id_: UUID) -> None:
        """Remove a subscription with its dead letters."""
        async with self._engine.begin() as connection:
            await connection.execute(_DELETE, {"id": id_})

    async def dead_letters(self, id_: UUID, onlooker: Onlooker, after: int, limit: int) -> Sequence[DeadLetter]:
        """At most `limit` dead letters beyond the number `after` that the onlooker may read, oldest first."""
        async with self._engine.connect() as connection:
            values = onlooker.parameters() | {"id": id_, "after": after, "limit": limit}
            rows = (await connection.execute(_DEAD, values)).mappings()
            return [DeadLetter(event_of(row), row["died_at"], row["error"]) for row in rows]


def _shown(row: RowMapping) -> Shown:
    return Shown(subscription_of(row), row["backlog"], row["oldest_waiting_at"], row["dead"])
