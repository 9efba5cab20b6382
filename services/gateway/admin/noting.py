"""What the command line's commands share: their error, their table, and the note that each leaves in the audit."""

import getpass
from collections.abc import Sequence
from datetime import datetime

from services.gateway.audit_store import AuditEntry
from services.gateway.auth import Via
from shared.telemetry import current_trace_id


class AdminError(Exception):
    """What was asked cannot be done; the message says why and what to do."""


def note_of(command: str, path: str, now: datetime) -> AuditEntry:
    """The audit's entry of a command that succeeds, in the name of the operating system's user."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return AuditEntry(now, "", f"admin ({user})", command, path, None, 200, current_trace_id(), Via.COMMAND_LINE)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows in columns, the first of them the heads."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
