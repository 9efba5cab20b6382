"""Floods: begun in the transaction of the alarm that is one too many, ended by who watches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.lifecycle import Action, Entry
from services.alerts.notifications import FloodRule
from services.alerts.store.backgrounds import Background
from services.alerts.store.incidents import lock_parks
from services.alerts.store.kpi import CALLS
from shared import outbox
from shared.levels import Colour
from shared.messages import AlarmState, FloodChanged

STREAM = "floods"
_NAMESPACE = UUID("3c1f0e0a-7a3b-5c93-b0f7-6f5dc1b1a9d4")


@dataclass(frozen=True, slots=True)
class Flood:
    """A flood of one park. `counted_from` is where the window began in which there were too many alarms."""

    id: UUID
    park_id: str
    began_at: datetime
    counted_from: datetime
    ended_at: datetime | None


async def follow(
    connection: AsyncConnection, park_id: str, entries: Sequence[Entry], background: Background
) -> list[FloodChanged]:
    """Begin a flood where the alarms of a park are too many; in the transaction that wrote them, the park locked.

    `entries` are those of which subscribers are told; gives the facts for subscribers.
    """
    calling = [entry for entry in entries if _calls(entry)]
    rule = background.policy.flood
    if not calling or background.flooded or not rule.begins(sum(background.calls.values())):
        return []
    last = max(calling, key=lambda entry: entry.recorded_at)
    flood = Flood(uuid5(_NAMESPACE, str(last.id)), park_id, last.recorded_at, background.since, None)
    await connection.execute(
        text(
            "INSERT INTO flood (id, park_id, began_at, counted_from) VALUES (:id, :park_id, :began_at, :counted_from)"
        ),
        {"id": flood.id, "park_id": park_id, "began_at": flood.began_at, "counted_from": flood.counted_from},
    )
    return [_fact(flood, rule, background.calls, None, flood.began_at)]


async def calls(connection: AsyncConnection, park_id: str, since: datetime, until: datetime) -> dict[Colour, int]:
    """How many alarms called for attention after `since` up to `until`, by colour: each that did is counted."""
    rows = await connection.execute(
        text(
            "SELECT colour_after, count(*) AS found FROM journal "  # noqa: S608
            f"WHERE park_id = :park_id AND recorded_at > :since AND recorded_at <= :until AND {CALLS} "
            "GROUP BY colour_after"
        ),
        {"park_id": park_id, "since": since, "until": until},
    )
    found = {Colour(row.colour_after): row.found for row in rows}
    return {colour: found.get(colour, 0) for colour in Colour}


async def open_of(connection: AsyncConnection, park_ids: Iterable[str] | None = None) -> dict[str, Flood]:
    """The floods that have not ended, by park; of these parks or of all."""
    rows = await connection.execute(
        text(
            "SELECT id, park_id, began_at, counted_from, ended_at FROM flood WHERE ended_at IS NULL "
            "AND (CAST(:ids AS text[]) IS NULL OR park_id = ANY(CAST(:ids AS text[])))"
        ),
        {"ids": sorted(park_ids) if park_ids is not None else None},
    )
    return {row.park_id: Flood(*row) for row in rows}


async def end_where_over(connection: AsyncConnection, park_id: str, rule: FloodRule, now: datetime) -> bool:
    """End the flood of a park if its alarms are few enough again."""
    await lock_parks(connection, [park_id])
    flood = (await open_of(connection, [park_id])).get(park_id)
    counts = await calls(connection, park_id, now - timedelta(seconds=rule.window_s), now)
    if flood is None or not rule.ends(sum(counts.values())):
        return False
    await connection.execute(text("UPDATE flood SET ended_at = :now WHERE id = :id"), {"id": flood.id, "now": now})
    whole = await calls(connection, park_id, flood.counted_from, now)
    await outbox.enqueue(connection, STREAM, _fact(flood, rule, whole, now, now))
    return True


async def latest(connection: AsyncConnection, park_id: str, limit: int) -> list[Flood]:
    """The floods of a park, the latest first."""
    rows = await connection.execute(
        text(
            "SELECT id, park_id, began_at, counted_from, ended_at FROM flood WHERE park_id = :park_id "
            "ORDER BY began_at DESC LIMIT :limit"
        ),
        {"park_id": park_id, "limit": limit},
    )
    return [Flood(*row) for row in rows]


def _fact(
    flood: Flood, rule: FloodRule, counts: dict[Colour, int], ended_at: datetime | None, now: datetime
) -> FloodChanged:
    return FloodChanged(
        change_id=uuid5(flood.id, "ended" if ended_at is not None else "began"),
        flood_id=flood.id,
        park_id=flood.park_id,
        began_at=flood.began_at,
        ended_at=ended_at,
        operators=rule.operators,
        window_s=rule.window_s,
        alarms=counts,
        recorded_at=now,
    )


def _calls(entry: Entry) -> bool:
    """As `CALLS` has it in SQL."""
    return entry.state_after is AlarmState.UNACKNOWLEDGED and (
        entry.state_before is not AlarmState.UNACKNOWLEDGED or entry.action == Action.ESCALATE
    )
