"""The end of what runs in the background, whatever moment the cancellation comes at."""

import asyncio
from collections.abc import Iterable
from typing import Any

from shared.telemetry import get_logger

log = get_logger(__name__)
AGAIN_S = 1.0


async def end_all(tasks: Iterable[asyncio.Task[Any]], again_s: float = AGAIN_S) -> None:
    """Cancel tasks until they have ended; tell of those that had failed.

    Once may not do: up to Python 3.11 a cancellation that comes together with an answer can be lost.
    """
    all_of_them = list(tasks)
    waiting = set(all_of_them)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=again_s)
    for task in all_of_them:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task_failed", task=task.get_name(), exc_info=error)
