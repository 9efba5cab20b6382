"""Where the evaluation of rules across stations stands: written with what it did, or not at all."""

import json
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.alerts.store.evaluation import Displaced, Standing
from shared.levels import Colour


@dataclass(frozen=True, slots=True)
class Stored:
    """What a process takes up of a share. `version` is 0 where nothing was ever stored.

    `standing`: the active alarms of rules across stations, by park and rule.
    """

    version: int
    positions: dict[str, int]
    state: bytes
    standing: dict[tuple[str, str], Standing]


async def take_up(connection: AsyncConnection, share: str) -> Stored:
    """What is stored of a share of the parks."""
    rows = await connection.execute(
        text("SELECT version, CAST(positions AS text) AS positions, state FROM across_state WHERE share = :share"),
        {"share": share},
    )
    row = rows.one_or_none()
    found = await connection.execute(
        text("SELECT park_id, rule_id, colour, peak_value FROM alarm WHERE active AND subject_key = park_id")
    )
    standing = {(one.park_id, one.rule_id): Standing(Colour(one.colour), one.peak_value) for one in found}
    if row is None:
        return Stored(0, {}, b"", standing)
    return Stored(row.version, json.loads(row.positions), bytes(row.state), standing)


async def save(connection: AsyncConnection, share: str, version: int, positions: dict[str, int], state: bytes) -> None:
    """Store what follows `version`; raises `Displaced` where another process has done so."""
    written = await connection.execute(
        text(
            """
            INSERT INTO across_state (share, version, positions, state)
            SELECT :share, 1, CAST(:positions AS jsonb), :state WHERE :version = 0
            ON CONFLICT (share) DO NOTHING RETURNING share
            """
            if not version
            else """
            UPDATE across_state SET version = version + 1, positions = CAST(:positions AS jsonb), state = :state,
                written_at = now()
            WHERE share = :share AND version = :version RETURNING share
            """
        ),
        {"share": share, "version": version, "positions": json.dumps(positions), "state": state},
    )
    if written.first() is None:
        raise Displaced(f"{share} is not at version {version} any more; another process evaluates it")


async def forget(connection: AsyncConnection, share: str) -> None:
    """No rule is left in this share."""
    await connection.execute(text("DELETE FROM across_state WHERE share = :share"), {"share": share})
