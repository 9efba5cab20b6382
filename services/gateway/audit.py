"""Who did what: every unsafe request of a known principal is written down, whatever its outcome.

Entries wait in memory for the moment that one insert takes (longer while the database is down). When too many wait,
further changes are refused rather than made without a record; what was refused anyway is then counted alone.
"""

import asyncio
from collections import deque

from prometheus_client import Counter
from sqlalchemy.exc import DBAPIError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.audit_store import AuditEntry
from services.gateway.auth import Principal
from services.gateway.key_directory import STORE_ERRORS
from services.gateway.store import Store
from services.gateway.tenancy import PARK_ID
from shared.problems import Unavailable
from shared.telemetry import current_trace_id, get_logger
from shared.time import utc_now

log = get_logger(__name__)
CAPACITY = 10_000
BATCH = 500
RETRY_S = 1.0
_SAFE = ("GET", "HEAD", "OPTIONS")
_WRITTEN = Counter("fenceline_gateway_audit_entries", "Entries written to the audit")
_LOST = Counter("fenceline_gateway_audit_lost", "Entries that could not be written, and refused requests without room")
# SQLSTATE: data, constraints, limits such as the length of an index entry. Everything else may pass.
_OF_THE_DATA = ("22", "23", "54")


class Audit:
    """The audit of one process."""

    def __init__(self, store: Store, capacity: int = CAPACITY) -> None:
        self._store = store
        self._capacity = capacity
        self._waiting: deque[AuditEntry] = deque()
        self._added = asyncio.Event()

    def require_room(self, method: str) -> None:
        """Raise `Unavailable` when a change could not be written down."""
        if method not in _SAFE and len(self._waiting) >= self._capacity:
            raise Unavailable("Changes are refused while the audit cannot be written.", missing=["database"])

    def add(self, entry: AuditEntry) -> None:
        """Have `entry` written down; while there is no room, only if something was done."""
        if entry.status >= 400 and len(self._waiting) >= self._capacity:
            _LOST.inc()
            return
        self._waiting.append(entry)
        self._added.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._added.wait()
            self._added.clear()
            while self._waiting:
                try:
                    await self.flush()
                except STORE_ERRORS as error:
                    log.warning("audit_waits", entries=len(self._waiting), error=" ".join(str(error).split())[:200])
                    await asyncio.sleep(RETRY_S)

    async def flush(self) -> None:
        """Write what waits, oldest first."""
        while self._waiting:
            batch = [self._waiting[index] for index in range(min(BATCH, len(self._waiting)))]
            try:
                await self._store.append_audit(batch)
            except DBAPIError as error:
                if not _is_of_the_data(error):
                    raise
                await self._write_each(len(batch))
                continue
            for _ in batch:
                self._waiting.popleft()
            _WRITTEN.inc(len(batch))

    async def _write_each(self, count: int) -> None:
        for _ in range(count):
            entry = self._waiting[0]
            try:
                await self._store.append_audit([entry])
            except DBAPIError as error:
                if not _is_of_the_data(error):
                    raise
                reason = " ".join(str(error.orig).split())[:200]
                log.warning("audit_entry_lost", actor=entry.actor, method=entry.method, path=entry.path, error=reason)
                _LOST.inc()
            else:
                _WRITTEN.inc()
            self._waiting.popleft()


class Audited:
    """Hands every unsafe request of a known principal to the audit."""

    def __init__(self, app: ASGIApp, audit: Audit) -> None:
        self._app = app
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through and note how it ended."""
        if scope["type"] != "http" or scope["method"] in _SAFE:
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        # What broke before it had an answer was perhaps done all the same.
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            principal = scope["state"].get("principal")
            if isinstance(principal, Principal):
                self._audit.add(_entry(scope, principal, status))


def _is_of_the_data(error: DBAPIError) -> bool:
    return str(getattr(error.orig, "sqlstate", None) or "").startswith(_OF_THE_DATA)


def _entry(scope: Scope, principal: Principal, status: int) -> AuditEntry:
    park_id = scope.get("path_params", {}).get("park_id")
    return AuditEntry(
        at=utc_now(),
        key_prefix=principal.credential,
        actor=principal.name,
        method=scope["method"],
        path=scope["path"][:500],
        park_id=park_id if park_id is not None and PARK_ID.fullmatch(park_id) else None,
        status=status,
        trace_id=current_trace_id(),
        via=principal.via,
        organisation_id=principal.organisation_id,
    )
