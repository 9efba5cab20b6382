"""Scheduled deletion of what is older than its retention, where no policy of TimescaleDB does it."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.outages import DATABASE_OUTAGES
from shared.telemetry import get_logger

log = get_logger(__name__)
EVERY_S = 3600.0
_ROWS_AT_ONCE = 10_000
_DUE = text("SELECT relation, time_column, keep FROM retention WHERE NOT by_policy ORDER BY relation")


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
        return sum([await self._forget(relation, column, keep) for relation, column, keep in due])

    async def _forget(self, relation: str, column: str, keep: object) -> int:
        # Names come from our own migration. TimescaleDB's chunks share ctids, so tableoid goes with them.
        statement = text(
            f"""
            DELETE FROM {relation} WHERE (tableoid, ctid) IN (
                SELECT tableoid, ctid FROM {relation}
                WHERE {column} < now() - CAST(:keep AS interval) LIMIT {_ROWS_AT_ONCE})
            """  # noqa: S608
        )
        deleted = 0
        while True:
            async with self._engine.begin() as connection:
                count = (await connection.execute(statement, {"keep": keep})).rowcount
            deleted += count
            if count < _ROWS_AT_ONCE:
                return deleted
