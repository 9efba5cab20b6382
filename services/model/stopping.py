"""Ending background tasks, whatever moment the cancellation comes at."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from shared.telemetry import get_logger

log = get_logger(__name__)


async def stop(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks until they have ended; tell of those that had failed.

    Once may not do: libraries lose a cancellation that comes at the wrong moment.
    """
    everything = list(tasks)
    pending = set(everything)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1.0)
    for task in everything:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task_failed", task=task.get_name(), exc_info=error)
