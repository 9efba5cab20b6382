"""Scheduled deletion of what is older than its retention, where no policy of TimescaleDB does it."""

import asyncio
from typing import Any

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.outages import DATABASE_OUTAGES
from shared.telemetry import get_logger

log = get_logger(__name__)
EVERY_S = 3600.0
_ROWS_AT_ONCE = 10_000
_DUE = text("SELECT relation, time_column, keep, by_datastream FROM retention WHERE NOT by_policy ORDER BY relation")


class Upkeep:
    """Runs in every replica; what one has deleted is not there for the next."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def run(self) -> None:
        """Delete now and then every hour, until cancelled."""
        while True:
            try:
                deleted = await self.sweep()
                if deleted:
                    log.info("old_rows_deleted", rows=deleted)
                await asyncio.sleep(EVERY_S)
            except DATABASE_OUTAGES as error:
                log.warning("upkeep_failed", error=" ".join(str(error).split())[:200])
                await asyncio.sleep(30.0)

    async def sweep(self) -> int:
        """Delete what is due, in small transactions; how many rows went."""
        async with self._engine.connect() as connection:
            due = (await connection.execute(_DUE)).all()
        return sum([await self._forget(entry) for entry in due])

    async def _forget(self, due: Row[Any]) -> int:
        statement = _forgetting(due.relation, due.time_column, by_datastream=due.by_datastream)
        deleted = 0
        while True:
            async with self._engine.begin() as connection:
                count = (await connection.execute(statement, {"keep": due.keep})).rowcount
            deleted += count
            if count < _ROWS_AT_ONCE:
                return deleted


def _forgetting(relation: str, column: str, *, by_datastream: bool) -> TextClause:
    """Delete some rows that are due. The names come from our own migrations.

    An array of places, and not a join, is what every PostgreSQL goes to at once instead of reading all of the table.
    TimescaleDB's chunks share places, so the time is looked at once more: by a sum, which keeps the planner from
    finding by the time what it is told the place of.
    """
    before = "now() - CAST(:keep AS interval)"
    due = f"{column} < {before}"
    if by_datastream:  # the key finds them
        places = (
            f"SELECT r.place FROM datastream d CROSS JOIN LATERAL ("  # noqa: S608
            f"SELECT ctid AS place FROM {relation} WHERE datastream_id = d.id AND {due} LIMIT {_ROWS_AT_ONCE}) r "
            f"LIMIT {_ROWS_AT_ONCE}"
        )
    else:
        places = f"SELECT ctid FROM {relation} WHERE {due} LIMIT {_ROWS_AT_ONCE}"  # noqa: S608
    again = f"{column} + interval '0' < {before}"
    return text(f"DELETE FROM {relation} WHERE ctid = ANY(ARRAY({places})) AND {again}")  # noqa: S608
