"""JSON merge patch (RFC 7396): a document with changes; null takes a member away."""

from __future__ import annotations

from typing import Any


def merged(document: Any, patch: Any) -> Any:
    """Return `document` with the changes of `patch`."""
    if not isinstance(patch, dict):
        return patch
    result = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result
