"""Which optional libraries are here."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def library_version(name: str) -> str | None:
    """Return the version of an installed library, None when it is absent."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
