"""Connections for questions: a pool of their own and a time-out, so that no question holds up what must not wait."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.state import State
from shared.problems import BadRequest, Unavailable

_CANCELLED = "57014"
_DATA = "22"
"""The class of SQLSTATE for what a statement was given."""
_BUSY_S = 5


@asynccontextmanager
async def asking(ingest: State) -> AsyncIterator[AsyncConnection]:
    """A connection to ask questions on. Raises Unavailable where one takes too long, or none can be asked;
    BadRequest where it holds what the database cannot."""
    try:
        async with ingest.questions.connect() as connection:
            yield connection
    except PoolTimeout:
        detail = "More questions are being answered than can be at once. Ask again in some seconds."
        raise Unavailable(detail, retry_after_s=_BUSY_S) from None
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None) or ""
        # The driver itself refuses, as a ValueError, what no parameter can hold.
        if state.startswith(_DATA) or (error.orig is not None and isinstance(error.orig.__cause__, ValueError)):
            detail = "The question names something that cannot be: too large a number, or a character of code 0."
            raise BadRequest(detail) from error
        if state == _CANCELLED:
            raise Unavailable(
                "The question took too long and was given up. Ask for a shorter span, fewer datastreams or a coarser "
                "resolution.",
                retry_after_s=_BUSY_S,
            ) from error
        if error.connection_invalidated:
            raise Unavailable("The database broke off in the middle of the question. Ask again.") from error
        raise
    except OSError as error:
        raise Unavailable("The database cannot be reached at the moment. Ask again in some seconds.") from error
