"""Errors that pass by themselves: whoever meets one waits and tries again. Everything else is a fault of ours."""

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

DATABASE_OUTAGES = (DBAPIError, PoolTimeout, OSError, TimeoutError)
"""PostgreSQL is down, starting, too slow, or has no connection left for us."""
