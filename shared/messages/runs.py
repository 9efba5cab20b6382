"""Runs of the model: the work and what became of it."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from shared.messages.base import Message
from shared.time import UtcDatetime


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more comes."""
        return self in (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED)


class RunRequested(Message):
    """Work for a model worker: compute this run. Its inputs stand in the model's store."""

    version: Literal[1] = 1
    run_id: UUID
    park_id: str


class RunChanged(Message):
    """A run was queued, began, is under way, succeeded, failed or was cancelled.

    While it is computed, `fraction` (0 to 1) and `step` tell how far it is, about once a second.
    """

    version: Literal[1] = 1
    run_id: UUID
    park_id: str
    state: RunState
    trigger: Literal["manual", "alarm"]
    chemical: str
    at: UtcDatetime
    fraction: float | None = None
    step: str | None = None
