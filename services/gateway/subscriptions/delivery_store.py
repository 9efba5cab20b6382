"""What is due, and what became of it: the statements of the delivery.

Every change of a subscription's place names the place that it was at: whoever was overtaken (by another replica, or by
its owner who set it back, changed or removed it) changes nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.subscriptions.rows import EVENT, SUBSCRIPTION, WANTED, event_of, subscription_of
from services.gateway.subscriptions.subscription import LoggedEvent, Subscription

_TABLES = "subscription s LEFT JOIN organisation o ON o.id = s.organisation_id"
_DUE = text(
    f"""
    SELECT {SUBSCRIPTION} FROM {_TABLES}
    WHERE s.enabled AND s.next_attempt_at <= :now AND s.cursor < (SELECT seq FROM subscription_head)
      AND (o.id IS NULL OR o.disabled_at IS NULL) AND NOT s.id = ANY(CAST(:busy AS uuid[]))
    ORDER BY s.next_attempt_at, s.id LIMIT :limit
    """  # noqa: S608  constants
)
_UPTO = text("SELECT seq FROM subscription_head")
_NEXT = text(
    f"""
    SELECT {EVENT} FROM {_TABLES} JOIN subscription_event e ON e.seq > s.cursor AND e.seq <= :upto
    WHERE s.id = :id AND s.cursor = :cursor AND {WANTED} ORDER BY e.seq LIMIT :limit
    """  # noqa: S608  constants
)
_TAKEN = text(
    """
    UPDATE subscription SET cursor = :upto, attempts = 0, failing_since = NULL, last_error = :error,
        next_attempt_at = :next, last_sent_at = coalesce(CAST(:sent_at AS timestamptz), last_sent_at)
    WHERE id = :id AND cursor = :cursor
    """
)
_PASSED = text("UPDATE subscription SET cursor = :upto WHERE id = :id AND cursor = :cursor")
_FAILED = text(
    """
    UPDATE subscription SET attempts = attempts + 1, failing_since = coalesce(failing_since, :now), last_error = :error,
        next_attempt_at = :next, enabled = enabled AND NOT :gone,
        disabled_reason = CASE WHEN :gone THEN :error ELSE disabled_reason END
    WHERE id = :id AND cursor = :cursor
    """
)
_BURY = text(
    """
    INSERT INTO subscription_dead (
        subscription_id, seq, stream, position, kind, park_id, level, data, at, died_at, error)
    SELECT CAST(:id AS uuid), seq, stream, position, kind, park_id, level, data, at, CAST(:now AS timestamptz),
           CAST(:error AS text)
    FROM subscription_event WHERE seq = ANY(CAST(:seqs AS bigint[])) ON CONFLICT DO NOTHING
    """
)
_DONE_WITH = text(
    """
    UPDATE subscription SET cursor = :upto, attempts = :attempts, failing_since = coalesce(failing_since, :now),
        last_error = :error, next_attempt_at = :next
    WHERE id = :id AND cursor = :cursor
    """
)
_BACKLOG = text(
    f"""
    SELECT s.channel, count(*) AS subscriptions, sum(w.count) AS waiting, min(w.oldest) AS oldest,
           count(*) FILTER (WHERE s.failing_since IS NOT NULL) AS failing
    FROM {_TABLES} CROSS JOIN LATERAL (
        SELECT count(*) AS count, min(at) AS oldest FROM (
            SELECT e.at FROM subscription_event e WHERE e.seq > s.cursor AND {WANTED} ORDER BY e.seq LIMIT 1000
        ) AS first
    ) AS w
    WHERE s.enabled AND (o.id IS NULL OR o.disabled_at IS NULL) GROUP BY s.channel
    """  # noqa: S608  constants
)


@dataclass(frozen=True, slots=True)
class Batch:
    """What is next for a subscription: `events`, all that there is for it up to the number `upto` if `is_all`."""

    events: Sequence[LoggedEvent]
    upto: int
    is_all: bool


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for the subscriptions of one channel; `waiting` counts at most 1000 of each."""

    channel: str
    subscriptions: int
    failing: int
    waiting: int
    oldest: datetime | None


class DeliveryStore:
    """SQL of the delivery. Every method is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def due(self, now: datetime, busy: Collection[UUID], limit: int) -> list[Subscription]:
        """Subscriptions that may be told now and perhaps have something to be told."""
        async with self._engine.connect() as connection:
            rows = (await connection.execute(_DUE, {"now": now, "busy": list(busy), "limit": limit})).mappings()
            return [subscription_of(row) for row in rows]

    async def next(self, subscription: Subscription, limit: int) -> Batch:
        """The next events for a subscription, at most `limit`; none once it is elsewhere."""
        cursor = subscription.standing.cursor
        async with self._engine.connect() as connection:
            # First where the log ends: what is added after this look is beyond it.
            upto = (await connection.execute(_UPTO)).scalar() or 0
            values = {"id": subscription.id, "cursor": cursor, "upto": upto, "limit": limit}
            events = [event_of(row) for row in (await connection.execute(_NEXT, values)).mappings()]
        return Batch(events, upto, len(events) < limit)

    async def passed(self, subscription: Subscription, upto: int) -> None:
        """There was nothing for it up to this number."""
        await self._change(_PASSED, subscription, upto=upto)

    async def taken(
        self, subscription: Subscription, upto: int, next_at: datetime, sent_at: datetime, error: str | None
    ) -> bool:
        """It was told of all up to this number, by and large (`error`); False where it was overtaken."""
        return await self._change(_TAKEN, subscription, upto=upto, next=next_at, sent_at=sent_at, error=error)

    async def failed(
        self, subscription: Subscription, error: str, now: datetime, next_at: datetime, *, gone: bool
    ) -> None:
        """It could not be told; with `gone` it is switched off."""
        await self._change(_FAILED, subscription, error=error[:500], now=now, next=next_at, gone=gone)

    async def bury(
        self, subscription: Subscription, events: Sequence[LoggedEvent], error: str, now: datetime, next_at: datetime
    ) -> bool:
        """Set events aside, and go on behind the last of them; False where it was overtaken."""
        values = {"id": subscription.id, "now": now, "error": error[:500]}
        place = {"cursor": subscription.standing.cursor, "upto": events[-1].seq, "next": next_at, "attempts": 0}
        async with self._engine.begin() as connection:
            if (await connection.execute(_DONE_WITH, values | place)).rowcount != 1:
                return False
            await connection.execute(_BURY, values | {"seqs": [event.seq for event in events]})
        return True

    async def backlog(self) -> list[Backlog]:
        """What waits, by channel."""
        async with self._engine.connect() as connection:
            return [
                Backlog(row.channel, row.subscriptions, row.failing, int(row.waiting), row.oldest)
                for row in await connection.execute(_BACKLOG)
            ]

    async def _change(self, statement: TextClause, subscription: Subscription, **values: object) -> bool:
        place = {"id": subscription.id, "cursor": subscription.standing.cursor}
        async with self._engine.begin() as connection:
            return (await connection.execute(statement, place | values)).rowcount == 1
