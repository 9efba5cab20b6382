"""What is kept of many rules across stations as bytes, and back."""

import io
import json
import zipfile
from collections.abc import Mapping

import numpy as np

from services.alerts.conditions.across.group import Kept
from services.alerts.conditions.checkpoint import Unreadable
from services.alerts.conditions.levels import LevelState
from services.alerts.conditions.readings import Readings, no_readings
from shared.levels import Colour

_VERSION = 1


def to_bytes(groups: Mapping[str, Kept]) -> bytes:
    """A NumPy archive of the readings, with all else as JSON."""
    heads = [
        {
            "key": key,
            "fingerprint": kept.fingerprint,
            "colour": kept.colour,
            "base": list(kept.base),
            "clock": kept.clock,
            "samples": [[datastream_id, len(found)] for datastream_id, found in kept.samples.items()],
        }
        for key, kept in groups.items()
    ]
    parts = [found for kept in groups.values() for found in kept.samples.values()] or [no_readings()]
    file = io.BytesIO()
    np.savez(
        file,
        allow_pickle=False,
        head=np.frombuffer(json.dumps({"version": _VERSION, "groups": heads}).encode(), np.uint8),
        time=np.concatenate([part.time for part in parts]),
        value=np.concatenate([part.value for part in parts]),
        over_range=np.concatenate([part.over_range for part in parts]),
    )
    return file.getvalue()


def from_bytes(stored: bytes) -> dict[str, Kept]:
    """The inverse; raises `Unreadable`."""
    try:
        with np.load(io.BytesIO(stored), allow_pickle=False) as archive:
            document = json.loads(archive["head"].tobytes())
            rows = Readings(archive["time"], archive["value"], archive["over_range"])
    except (ValueError, EOFError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise Unreadable(f"no checkpoint: {error}") from error
    if document.get("version") != _VERSION:
        raise Unreadable(f"a checkpoint of version {document.get('version')}, not {_VERSION}")
    found: dict[str, Kept] = {}
    first = 0
    for head in document["groups"]:
        samples = {}
        for datastream_id, count in head["samples"]:
            samples[datastream_id] = rows.take(slice(first, first + count))
            first += count
        level, over, below, last, peak = head["base"]
        base = LevelState(level, tuple(over), tuple(below), last, peak)
        colour = Colour(head["colour"]) if head["colour"] is not None else None
        found[head["key"]] = Kept(head["fingerprint"], colour, base, head["clock"], samples)
    return found
