"""What the simulator remembers between runs: the last time that it has told of, and how often it ran."""

from __future__ import annotations

import json
from pathlib import Path


class Memory:
    """A small file, or nothing at all where no path is given.

    A second run must not tell an instant again with another value, so the file is written before an instant is sent.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        content = self._read()
        self.last_told: float | None = content.get("last_told")
        """Seconds since 1970; None where no earlier run is known."""
        self.runs = int(content.get("runs") or 0)
        """Number of earlier runs."""

    def told(self, moment: float) -> None:
        """Remember that everything up to `moment` may have been sent."""
        self.last_told = moment
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.write_text(json.dumps({"last_told": moment, "runs": self.runs + 1}), encoding="utf-8")
        fresh.replace(self._path)

    def _read(self) -> dict[str, float]:
        """The file's numbers; nothing where it is missing or was damaged."""
        if self._path is None:
            return {}
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(content, dict):
            return {}
        return {name: float(value) for name, value in content.items() if isinstance(value, int | float)}
