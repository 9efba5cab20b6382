"""Which errors pass by themselves."""

import httpx
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

from shared.outages import DATABASE_OUTAGES

OUTAGES = (*DATABASE_OUTAGES, RedisError, httpx.HTTPError)
"""Wait and try again. Everything else is about the fact that is evaluated."""


def is_outage(error: Exception) -> bool:
    """Whether waiting helps. Data that the database refuses (SQLSTATE class 22) will be refused again."""
    refused = isinstance(error, DBAPIError) and str(getattr(error.orig, "sqlstate", "")).startswith("22")
    return isinstance(error, OUTAGES) and not refused
