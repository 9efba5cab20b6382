"""Looks up who may come in, remembers it for some seconds, and goes on with that while the database is down.

Keys are found by their prefix, members by what an identity provider calls them.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

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


Name = TypeVar("Name", bound=Hashable)
Found = TypeVar("Found")


@dataclass(slots=True)
class _Remembered(Generic[Found]):
    record: Found
    at: float


class Directory(Generic[Name, Found]):
    """What `load` finds, by name."""

    def __init__(
        self, what: str, load: Callable[[Name], Awaitable[Found | None]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._what = what
        self._ask = load
        self._clock = clock
        self._remembered: OrderedDict[Name, _Remembered[Found]] = OrderedDict()
        self._down_until = float("-inf")

    async def find(self, name: Name) -> Found | None:
        """The record, None where there is none; raises `Unavailable` when that cannot be told now."""
        known = self._remembered.get(name)
        now = self._clock()
        if known is not None and now - known.at < FRESH_S:
            return known.record
        if now >= self._down_until:
            with suppress(*STORE_ERRORS):
                return await self._load(name)
            self._down_until = self._clock() + RETRY_S
            log.warning("directory_unavailable", what=self._what, instead="those seen in the last minutes stay good")
        if known is not None and now - known.at < STALE_S:
            return known.record
        detail = f"The {self._what} cannot be checked now: the database does not answer."
        raise Unavailable(detail, missing=["database"])

    async def _load(self, name: Name) -> Found | None:
        record = await asyncio.wait_for(self._ask(name), LOOKUP_TIMEOUT_S)
        self._remembered.pop(name, None)
        if record is not None:
            self._remembered[name] = _Remembered(record, self._clock())
            while len(self._remembered) > CAPACITY:
                self._remembered.popitem(last=False)
        return record


class KeyDirectory(Directory[str, KeyRecord]):
    """The keys by prefix, and when each was last used."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__("key", store.key, clock)
        self._store = store
        self._used: dict[str, datetime] = {}

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
