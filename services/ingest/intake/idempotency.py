"""`Idempotency-Key`: a request that is sent again under the same key gets the answer of the first.

Readings are stored once in any case; the key spares the sender the difference between "accepted" and "duplicate". The
answer is committed together with the readings (`writing.answers`): where a process ends between the commit and its
answer, the second request gets it.
"""

import zlib
from collections.abc import Awaitable, Callable

from fastapi import Response
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.outages import DATABASE_OUTAGES
from shared.problems import Conflict, Unavailable, Unprocessable
from shared.telemetry import get_logger

log = get_logger(__name__)
REPLAYED_HEADER = "Idempotency-Replayed"
MAX_KEYS = 10_000
"""Kept for one caller in one park; older ones are forgotten first, all of them after a day (table `retention`)."""
ABANDONED_S = 60
"""After so long without an answer a request is taken for lost, and its key may be used again."""
_TRIM_EVERY = 64

_BEGIN = text(
    """
    INSERT INTO idempotency (park_id, caller, key, fingerprint) VALUES (:park, :caller, :key, :fingerprint)
    ON CONFLICT (park_id, caller, key) DO UPDATE SET begun_at = now()
        WHERE idempotency.answer IS NULL AND idempotency.fingerprint = excluded.fingerprint
          AND idempotency.begun_at < now() - make_interval(secs => :abandoned)
    RETURNING true
    """
)
_MINE = "park_id = :park AND caller = :caller AND key = :key"
_FIND = text(f"SELECT fingerprint, answer FROM idempotency WHERE {_MINE}")  # noqa: S608  (a constant)
_FORGET = text(f"DELETE FROM idempotency WHERE {_MINE} AND answer IS NULL")  # noqa: S608
_TRIM = text(
    """
    DELETE FROM idempotency WHERE park_id = :park AND caller = :caller AND key IN (
        SELECT key FROM idempotency WHERE park_id = :park AND caller = :caller
        ORDER BY begun_at DESC OFFSET :keep LIMIT 1000)
    """
)


class Idempotency:
    """Answers by key, in the database: every replica knows them."""

    def __init__(self, engine: AsyncEngine, max_keys: int = MAX_KEYS) -> None:
        self._engine = engine
        self._max_keys = max_keys
        self._begun = 0

    async def once(
        self, park: str, caller: str, key: str, fingerprint: bytes, work: Callable[[], Awaitable[bytes]]
    ) -> Response:
        """The answer (a JSON body) of ``work``, or that of the request that came first under this key.

        ``work`` hands its answer to the writer, as a ``KeyedAnswer``, with what it stores.
        ``fingerprint`` tells requests apart. Raises Unprocessable when the key was used for another one, Conflict
        while the first is still under way, Unavailable when the database is down; and what ``work`` raises.
        """
        mine = {"park": park, "caller": caller, "key": key}
        try:
            found = await self._begin(mine, fingerprint)
        except DATABASE_OUTAGES as error:
            raise Unavailable("The database is down; nothing of this request was stored.") from error
        if found is not None:
            return Response(found, media_type="application/json", headers={REPLAYED_HEADER: "true"})
        try:
            answer = await work()
        except BaseException:
            await self._forget(mine)
            raise
        return Response(answer, media_type="application/json")

    async def _begin(self, mine: dict[str, str], fingerprint: bytes) -> bytes | None:
        """None when the request is to be carried out, else the answer that is kept."""
        async with self._engine.begin() as connection:
            taken = await connection.execute(
                _BEGIN, {**mine, "fingerprint": fingerprint, "abandoned": float(ABANDONED_S)}
            )
            if taken.first() is not None:
                self._begun += 1
                if self._begun % _TRIM_EVERY == 0:
                    await connection.execute(_TRIM, {**mine, "keep": self._max_keys})
                return None
            row = (await connection.execute(_FIND, mine)).first()
        if row is not None and row.fingerprint != fingerprint:
            raise Unprocessable("This Idempotency-Key was used for another request; take a new one for each.")
        if row is None or row.answer is None:
            detail = "A request with this Idempotency-Key is still being carried out; ask again for its answer."
            raise Conflict(detail, headers={"Retry-After": "1"})
        return zlib.decompress(row.answer)

    async def _forget(self, mine: dict[str, str]) -> None:
        """Nothing is told yet, so the key may be used again; that this fails must not change what is told."""
        try:
            async with self._engine.begin() as connection:
                await connection.execute(_FORGET, mine)
        except DATABASE_OUTAGES as error:
            log.warning("idempotency_not_forgotten", error=" ".join(str(error).split())[:200])
