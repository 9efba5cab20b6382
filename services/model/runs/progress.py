"""How far a computation is, told from its thread; and how it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable

Progress = Callable[[float, str], None]
"""(fraction done 0..1, step) -> None. May raise `Cancelled`: let it pass through."""


class Cancelled(Exception):
    """The computation was told to stop. No fault: whoever stopped it knows why."""


class Watch:
    """A `Progress` that remembers what it was told and raises `Cancelled` once `stop` was called. Thread-safe."""

    def __init__(self) -> None:
        self._told = (0.0, "waiting-for-data")
        self._stopped = threading.Event()

    def __call__(self, fraction: float, step: str) -> None:
        """Take note of the progress; raises `Cancelled` when stopped."""
        self._told = (min(max(fraction, 0.0), 1.0), step)
        self.check()

    def check(self) -> None:
        """Raise `Cancelled` when stopped."""
        if self._stopped.is_set():
            raise Cancelled

    def stop(self) -> None:
        """Have the computation end at its next sign of progress."""
        self._stopped.set()

    @property
    def told(self) -> tuple[float, str]:
        """The newest (fraction, step)."""
        return self._told
