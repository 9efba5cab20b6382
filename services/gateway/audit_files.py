"""The audit as a file: CSV (RFC 4180) that is safe to open in a spreadsheet, and a JSON document a line. Pure."""

import csv
import io
import json
from collections.abc import Sequence
from enum import StrEnum

from services.gateway.audit_store import Recorded
from shared.time import iso

COLUMNS = (
    "id",
    "at",
    "actor",
    "organisation_id",
    "via",
    "credential",
    "method",
    "path",
    "park_id",
    "status",
    "trace_id",
)
# What spreadsheets take for the beginning of a formula (OWASP, CSV injection), in full width too.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


class AuditFormat(StrEnum):
    """How the file is written."""

    CSV = "csv"
    NDJSON = "ndjson"

    def media_type(self) -> str:
        """What the file is called over HTTP."""
        return "text/csv; charset=utf-8" if self is AuditFormat.CSV else "application/x-ndjson"

    def begin(self) -> str:
        """What stands before the entries."""
        return ",".join(COLUMNS) + "\r\n" if self is AuditFormat.CSV else ""

    def lines(self, piece: Sequence[Recorded]) -> str:
        """The lines of some entries."""
        rows = [fields(recorded) for recorded in piece]
        if self is AuditFormat.NDJSON:
            return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        text = io.StringIO(newline="")
        csv.writer(text).writerows([_harmless(row[name]) for name in COLUMNS] for row in rows)
        return text.getvalue()


def fields(recorded: Recorded) -> dict[str, str | int | None]:
    """An entry as it is told outside."""
    entry = recorded.entry
    return {
        "id": recorded.id,
        "at": iso(entry.at),
        "actor": entry.actor,
        "organisation_id": entry.organisation_id,
        "via": entry.via.value,
        "credential": entry.key_prefix or None,
        "method": entry.method,
        "path": entry.path,
        "park_id": entry.park_id,
        "status": entry.status,
        "trace_id": entry.trace_id,
    }


def _harmless(value: str | int | None) -> str | int | None:
    """Text that no spreadsheet computes; who asks chooses the path."""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) else value
