"""All the state of `Columns` as bytes, and back: what is needed to go on as if nothing had happened."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.alerts.conditions.columns import Columns, States
from services.alerts.conditions.levels import LevelRule
from services.alerts.conditions.readings import Bools, Readings
from shared.levels import Colour

_VERSION = 2
_STATES = ("head", "middle", "base")
_OF_STIRRED = ("level", "over", "below", "peak")
_COLOURS = tuple(Colour)


Arrays = dict[str, NDArray[Any]]


class Unreadable(ValueError):
    """Bytes that are no checkpoint of this version."""


def to_bytes(columns: Columns) -> bytes:
    """A NumPy archive. Of calm datastreams, which are most, it holds the times and the recent readings alone."""
    stirred = np.flatnonzero(~columns.calm)
    recent = columns.recent
    kept = recent.all()
    rule_names, rule_name = np.unique(np.array([rule.rule_id for rule in columns.rules], np.str_), return_inverse=True)
    arrays: Arrays = {
        "version": np.array(_VERSION),
        "id": columns.ids,
        "rule": columns.fingerprints,
        "prepared": columns.prepared,
        "rule_name": rule_names,
        "rule_id": rule_name,
        "stirred": stirred,
        "stirred_since": columns.stirred[:, stirred],
        # By which the levels that stand are found again should the rule be another by then.
        "colour": np.array(
            [
                _COLOURS.index(columns.rules[slot].levels[level - 1].colour) if level else -1
                for slot, level in zip(stirred.tolist(), columns.head.level[stirred].tolist(), strict=True)
            ],
            np.int64,
        ),
        "kept": recent.count - recent.start,
        "kept_to_base": recent.base - recent.start,
        "kept_to_middle": recent.mid - recent.start,
        "time": kept.time,
        "value": kept.value,
        "over_range": kept.over_range,
    }
    for name in _STATES:
        states: States = getattr(columns, name)
        arrays[f"{name}_last"] = states.last
        for column in _OF_STIRRED:
            arrays[f"{name}_{column}"] = getattr(states, column)[stirred]
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def from_bytes(stored: bytes, bound: int, rule_of: Callable[[int, str], LevelRule | None]) -> Columns:
    """The columns again, under the rules as they are now, by datastream and rule id; what has none is left out.

    Where a rule changed since, the level that stood goes on and nothing else. Raises `Unreadable`.
    """
    try:
        with np.load(io.BytesIO(stored), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise Unreadable(f"no checkpoint: {error}") from error
    if arrays.get("version") != _VERSION:
        raise Unreadable(f"a checkpoint of version {arrays.get('version')}, not {_VERSION}")
    ids = arrays["id"].tolist()
    columns = Columns(bound)
    names = arrays["rule_name"].tolist()
    rules = [rule_of(i, names[name]) for i, name in zip(ids, arrays["rule_id"].tolist(), strict=True)]
    present = np.array([rule is not None for rule in rules], np.bool_)
    columns.add([i for i, rule in zip(ids, rules, strict=True) if rule], [rule for rule in rules if rule])
    _restore_readings(columns, arrays, present)
    _restore_states(columns, arrays, present)
    return columns


def _restore_readings(columns: Columns, arrays: Arrays, present: Bools) -> None:
    rows = np.repeat(present, arrays["kept"])
    kept = arrays["kept"][present]
    readings = Readings(arrays["time"][rows], arrays["value"][rows], arrays["over_range"][rows])
    columns.recent.append(np.arange(len(columns)), kept, np.cumsum(kept) - kept, readings)
    columns.recent.base[:] = arrays["kept_to_base"][present]
    columns.recent.mid[:] = arrays["kept_to_middle"][present]


def _restore_states(columns: Columns, arrays: Arrays, present: Bools) -> None:
    slot_of = np.cumsum(present) - 1
    which = present[arrays["stirred"]]
    slot = slot_of[arrays["stirred"][which]]
    columns.calm[slot] = False
    columns.stirred[:, slot] = arrays["stirred_since"][:, which]
    for name in _STATES:
        states: States = getattr(columns, name)
        states.last[:] = arrays[f"{name}_last"][present]
        for column in _OF_STIRRED:
            getattr(states, column)[slot] = arrays[f"{name}_{column}"][which]
    level = np.zeros(len(columns), np.int64)
    peak = np.full(len(columns), np.nan)
    colour = np.full(len(columns), -1)
    level[slot], peak[slot] = columns.head.level[slot], columns.head.peak[slot]
    colour[slot] = arrays["colour"][which]
    was_prepared = arrays["prepared"][present] if "prepared" in arrays else np.zeros(len(columns), np.bool_)
    for changed in np.flatnonzero(columns.fingerprints != arrays["rule"][present]).tolist():
        rule = columns.rules[changed]
        columns.prepared[changed] = was_prepared[changed]
        stood = rule.level_of(_COLOURS[colour[changed]]) if level[changed] else 0
        columns.begin_anew(changed, rule, stood, None if np.isnan(peak[changed]) else float(peak[changed]))
