"""Errors that pass by themselves: whoever meets one waits and tries again. Everything else is a fault of ours."""

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

DATABASE_OUTAGES = (DBAPIError, PoolTimeout, OSError, TimeoutError)
"""PostgreSQL is down, starting, too slow, or has no connection left for us; for loops that go on whatever it says."""

# SQLSTATE: connection, rolled back for another's sake, resources, cancelled or shut down, system.
_PASSING = ("08", "40", "53", "57", "58")


def is_database_outage(error: Exception) -> bool:
    """Whether the same statement may succeed later. What is wrong with the statement or its data stays wrong."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, DATABASE_OUTAGES)
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return error.connection_invalidated or not state or state.startswith(_PASSING)
