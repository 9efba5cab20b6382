"""What really happened, for those who may know it: tests that compare what the system found out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulator.release import Release


class TruthFile:
    """A JSON document of all releases of this run, rewritten with each one before it begins."""

    def __init__(self, path: Path, park_id: str) -> None:
        self._path = path
        self._park_id = park_id
        self._releases: list[dict[str, Any]] = []

    def add(self, release: Release) -> None:
        """Tell of one more release."""
        self._releases.append(
            {
                "source_id": f"{self._park_id}.{release.source.code}",
                "property_id": release.source.property_id,
                "rate_kg_s": release.rate_kg_s,
                "mass_kg": round(release.mass_kg(), 1),
                "start": _iso(release.start),
                "end": _iso(release.end),
            }
        )
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.write_text(json.dumps({"park_id": self._park_id, "releases": self._releases}, indent=2), "utf-8")
        fresh.replace(self._path)


def _iso(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")
