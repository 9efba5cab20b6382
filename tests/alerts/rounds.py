"""Waits for a round of something that watches, rather than for the time that one is thought to take."""

from typing import Any

import pytest

from tests.alerts.test_app import eventually


class Rounds:
    """Follows how often a method of any instance of `owner` is begun and done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: type, method: str) -> None:
        self._begun = 0
        self._done = 0
        once = getattr(owner, method)

        async def counted(watch: Any) -> Any:
            self._begun += 1
            number = self._begun
            found = await once(watch)
            self._done = max(self._done, number)
            return found

        monkeypatch.setattr(owner, method, counted)

    async def one_more(self) -> None:
        """Wait until one is done that begins after now."""
        begun = self._begun

        async def done() -> bool:
            return self._done > begun

        await eventually(done)
