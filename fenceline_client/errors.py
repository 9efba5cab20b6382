"""What a call of the client may raise. Everything else that it raises is a mistake in the arguments (`ValueError`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


class FencelineError(Exception):
    """Base of all below."""


class Unreachable(FencelineError):
    """No answer came: no connection, or none in time. Whether a request was carried out is not known."""


class NotUnderstood(FencelineError):
    """The answer is not what the API promises: something in between has answered, or it is new."""


class ProblemError(FencelineError):
    """Fenceline refused: a problem document (RFC 9457).

    `status` is the HTTP status, `slug` the end of the problem's type (`not-found`), `detail` what, where and how to
    mend it, `trace_id` what an operator finds it by, `members` the whole document.
    """

    def __init__(self, status: int, members: Mapping[str, Any]) -> None:
        self.status = status
        self.members = dict(members)
        self.slug = str(members.get("type", "")).rpartition("/")[2]
        self.title = str(members.get("title", ""))
        self.detail = str(members.get("detail") or self.title or f"HTTP status {status}")
        trace_id = members.get("trace_id")
        self.trace_id = trace_id if isinstance(trace_id, str) else None
        super().__init__(f"{status}: {self.detail}")

    @classmethod
    def of(cls, status: int, body: bytes) -> ProblemError:
        """From an answer; one without a document, such as a proxy's page, keeps the status alone."""
        try:
            members = json.loads(body)
        except ValueError:
            members = None
        return cls(status, members if isinstance(members, dict) else {})
