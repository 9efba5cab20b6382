"""Looks keys up, remembers them for some seconds, and goes on with what it remembers while the database is down."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from services.gateway.auth import KeyRecord
from services.gateway.store import Store
from shared.problems import Unavailable
from shared.telemetry import get_logger

log = get_logger(__name__)
FRESH_S = 5.0
"""A revoked key is refused after this time at the latest."""
STALE_S = 300.0
"""How long a key that was seen is still good while the database does not answer."""
LOOKUP_TIMEOUT_S = 2.0
RETRY_S = 1.0
CAPACITY = 10_000
STORE_ERRORS = (SQLAlchemyError, OSError, TimeoutError)


@dataclass(slots=True)
class _Remembered:
    record: KeyRecord
    at: float


class KeyDirectory:
    """The keys by prefix."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()
        self._down_until = float("-inf")
        self._used: dict[str, datetime] = {}

    async def find(self, prefix: str) -> KeyRecord | None:
        """The key's record, None where there is none; raises `Unavailable` when that cannot be told now."""
        known = self._remembered.get(prefix)
        now = self._clock()
        if known is not None and now - known.at < FRESH_S:
            return known.record
        if now >= self._down_until:
            with suppress(*STORE_ERRORS):
                return await self._load(prefix)
            self._down_until = self._clock() + RETRY_S
            log.warning("keys_unavailable", instead="keys seen in the last minutes stay good")
        if known is not None and now - known.at < STALE_S:
            return known.record
        raise Unavailable("The key cannot be checked now: the database does not answer.", missing=["database"])

    async def _load(self, prefix: str) -> KeyRecord | None:
        record = await asyncio.wait_for(self._store.key(prefix), LOOKUP_TIMEOUT_S)
        self._remembered.pop(prefix, None)
        if record is not None:
            self._remembered[prefix] = _Remembered(record, self._clock())
            while len(self._remembered) > CAPACITY:
                self._remembered.popitem(last=False)
        return record

    def note_use(self, prefix: str, now: datetime) -> None:
        """A request came with this key; written down later, by `keep_last_used`."""
        self._used[prefix] = now

    async def keep_last_used(self, every_s: float = 10.0) -> None:
        """Write down now and then when keys were last used, until cancelled."""
        while True:
            await asyncio.sleep(every_s)
            await self.write_last_used()

    async def write_last_used(self) -> None:
        """Write down what was noted; what cannot be written is forgotten, as it harms nobody."""
        used, self._used = self._used, {}
        if used:
            with suppress(*STORE_ERRORS):
                await self._store.mark_used(used)
