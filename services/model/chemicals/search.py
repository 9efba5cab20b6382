"""Find substances by CAS number, English or Chinese name, or HJ 212 factor."""

from __future__ import annotations

from services.model.chemicals.catalogue import Chemical, all_chemicals


def search(text: str) -> list[Chemical]:
    """Return the substances that match, best first: the whole of a key, its beginning, then anywhere in it.

    Case, blanks and hyphens do not count ("7782505" finds chlorine). A text of nothing else finds all.
    """
    wanted = _folded(text)
    ranked = [(_rank(entry, wanted), entry) for entry in all_chemicals()]
    return [entry for rank, entry in sorted(ranked, key=lambda pair: pair[0]) if rank < _NO_MATCH]


_NO_MATCH = 3


def _rank(entry: Chemical, wanted: str) -> int:
    keys = [_folded(key) for key in _keys(entry)]
    if wanted in keys:
        return 0
    if any(key.startswith(wanted) for key in keys):
        return 1
    return 2 if any(wanted in key for key in keys) else _NO_MATCH


def _keys(entry: Chemical) -> list[str]:
    keys = [entry.cas, entry.name.en, entry.name.zh, *entry.also_named, *entry.factors]
    if entry.observed is not None:
        keys += [entry.observed.name.en, entry.observed.name.zh]
    return keys


def _folded(text: str) -> str:
    return "".join(text.casefold().replace("-", "").split())
