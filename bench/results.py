"""`bench/results/latest.json`: a number a key, and about each key how, when and on what it was measured.

A run of a part replaces its own keys and leaves the others as they were.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

LATEST = Path(__file__).parent / "results" / "latest.json"
ABOUT = "about"


def machine() -> dict[str, Any]:
    """The machine that measures: cores that this process may use, processor, memory, Python, system.

    `load` is how many processes wanted a core over the last minute: above `cores`, all wall times are too long.
    """
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "cpu": _cpu_model(Path("/proc/cpuinfo")),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
    }


def _cpu_model(cpuinfo: Path) -> str:
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def merged(
    before: Mapping[str, Any], values: Mapping[str, float], about: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the document with these keys replaced, keys in order, what is about them last."""
    numbers = {key: value for key, value in before.items() if key != ABOUT} | dict(values)
    notes = dict(before.get(ABOUT, {})) | {key: dict(about[key]) for key in values}
    return {key: numbers[key] for key in sorted(numbers)} | {ABOUT: {key: notes[key] for key in sorted(notes)}}


def record(
    path: Path, values: Mapping[str, float], about: Mapping[str, Mapping[str, Any]], command: str, at: datetime
) -> None:
    """Merge measured values into the file, each with the command, the machine and the date; whole or not at all."""
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    here = {"command": command, "date": at.isoformat(timespec="seconds"), "machine": machine()}
    document = merged(before, values, {key: dict(about[key]) | here for key in values})
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)
