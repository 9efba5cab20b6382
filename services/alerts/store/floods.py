"""Floods: begun in the transaction of the alarm that is one too many, ended by who watches."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.lifecycle import Action, Alarm, Entry
from services.alerts.notifications import FloodRule
from services.alerts.store import policies
from services.alerts.store.incidents import lock_park
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


async def follow(connection: AsyncConnection, alarms: Mapping[UUID, Alarm], entries: Sequence[Entry]) -> None:
    """Begin a flood where these alarms are too many; in the transaction that wrote them.

    Their parks are locked: `incident_members.follow` comes first.
    """
    calling: dict[str, Entry] = {}
    for entry in entries:
        if entry.told_as is not None and _calls(entry):
            park_id = alarms[entry.alarm_id].subject.park_id
            calling[park_id] = max(calling.get(park_id, entry), entry, key=lambda at: at.recorded_at)
    for park_id, entry in sorted(calling.items()):
        policy = await policies.unless_flooded(connection, park_id)
        if policy is None:
            continue
        rule = policy.flood
        now = entry.recorded_at
        since = now - timedelta(seconds=rule.window_s)
        counts = await calls(connection, park_id, since, now)
        if rule.begins(sum(counts.values())):
            await _begin(connection, Flood(uuid5(_NAMESPACE, str(entry.id)), park_id, now, since, None), rule, counts)


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
    await lock_park(connection, park_id)
    flood = (await open_of(connection, [park_id])).get(park_id)
    counts = await calls(connection, park_id, now - timedelta(seconds=rule.window_s), now)
    if flood is None or not rule.ends(sum(counts.values())):
        return False
    await connection.execute(text("UPDATE flood SET ended_at = :now WHERE id = :id"), {"id": flood.id, "now": now})
    whole = await calls(connection, park_id, flood.counted_from, now)
    await _tell(connection, flood, rule, whole, now, now)
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


async def _begin(connection: AsyncConnection, flood: Flood, rule: FloodRule, counts: dict[Colour, int]) -> None:
    await connection.execute(
        text(
            "INSERT INTO flood (id, park_id, began_at, counted_from) VALUES (:id, :park_id, :began_at, :counted_from)"
        ),
        {
            "id": flood.id,
            "park_id": flood.park_id,
            "began_at": flood.began_at,
            "counted_from": flood.counted_from,
        },
    )
    await _tell(connection, flood, rule, counts, None, flood.began_at)


async def _tell(
    connection: AsyncConnection,
    flood: Flood,
    rule: FloodRule,
    counts: dict[Colour, int],
    ended_at: datetime | None,
    now: datetime,
) -> None:
    fact = FloodChanged(
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
    await outbox.enqueue(connection, STREAM, fact)


def _calls(entry: Entry) -> bool:
    """As `CALLS` has it in SQL."""
    return entry.state_after is AlarmState.UNACKNOWLEDGED and (
        entry.state_before is not AlarmState.UNACKNOWLEDGED or entry.action == Action.ESCALATE
    )
