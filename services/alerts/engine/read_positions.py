"""Tells ingest how far the facts are read for good, so that it forgets none that a restart would read again."""

import asyncio
from collections.abc import Sequence

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from services.alerts.store import evaluation as store
from shared.telemetry import get_logger

log = get_logger(__name__)
READER = "alerts"


class ReadPositions:
    """Reports the positions of the checkpoints of this replica's streams."""

    def __init__(self, database: AsyncEngine, ingest: httpx.AsyncClient, streams: Sequence[str]) -> None:
        self._database = database
        self._ingest = ingest
        self._streams = list(streams)

    async def run(self, errors: tuple[type[Exception], ...], every_s: float = 60.0) -> None:
        """Report until cancelled; through the outages that `errors` names."""
        while True:
            try:
                await self.report()
            except errors as error:
                log.warning("read_positions_not_told", error=" ".join(str(error).split())[:200])
            await asyncio.sleep(every_s)

    async def report(self) -> None:
        """Report once. Of a stream without a checkpoint nothing is read for good."""
        async with self._database.connect() as connection:
            positions = await store.checkpoints(connection, self._streams)
        body = {"positions": dict.fromkeys(self._streams, 0) | positions}
        answer = await self._ingest.put(f"/facts/readers/{READER}", json=body)
        answer.raise_for_status()
