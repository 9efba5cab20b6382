"""PostgreSQL: one factory for SQLAlchemy engines on asyncpg, one for psycopg connections (COPY, migrations).

Each service logs in with the one database URL and takes on its own role, `fenceline_<service>`, at connect: the
server itself then refuses it every other service's schema.
"""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 30_000
_GRACE_S = 2.0
# Whoever is gone without a word holds locks no longer than this: a machine that lost its power, a process that stands.
_UNTIL_GONE = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "idle_in_transaction_session_timeout": "30000",
}


def service_role(service: str) -> str:
    """The PostgreSQL role of a service; owner of nothing, allowed in its own schema only."""
    return f"fenceline_{service}"


def create_engine(
    database_url: str, service: str, pool_size: int = 8, statement_timeout_ms: int = STATEMENT_TIMEOUT_MS
) -> AsyncEngine:
    """An engine for `service` on asyncpg. Connects lazily: it can be made while the database is down."""
    return create_async_engine(
        _asyncpg_url(database_url),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=True,
        hide_parameters=True,  # they hold passwords of devices, and errors are logged
        connect_args={
            "timeout": CONNECT_TIMEOUT_S,
            # The server gives up first, and says so; the client does where the server is gone.
            "command_timeout": statement_timeout_ms / 1000 + _GRACE_S,
            "server_settings": {
                "role": service_role(service),
                "search_path": service,
                "application_name": f"fenceline-{service}",
                "statement_timeout": str(statement_timeout_ms),
                "timezone": "UTC",
                **_UNTIL_GONE,
            },
        },
    )


async def connect(database_url: str, service: str, *, autocommit: bool = False) -> psycopg.AsyncConnection[Any]:
    """A psycopg connection for `service`, for what asyncpg does slower: bulk COPY."""
    options = (
        f"-c role={service_role(service)} -c search_path={service} "
        f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC "
        + " ".join(f"-c {name}={value}" for name, value in _UNTIL_GONE.items())
    )
    return await psycopg.AsyncConnection.connect(
        make_conninfo(
            database_url,
            options=options,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name=f"fenceline-{service}-copy",
        ),
        autocommit=autocommit,
    )


async def ping(engine: AsyncEngine) -> None:
    """Raise unless the database answers; for the readiness path."""
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))


def _asyncpg_url(database_url: str) -> URL:
    """`postgresql://...` for SQLAlchemy's asyncpg dialect, which takes a socket folder as `host` in the query."""
    parts = urlsplit(database_url)
    query = dict(parse_qsl(parts.query))
    query.pop("sslmode", None) if query.get("sslmode") in ("disable", "prefer", "allow") else None
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    scheme = "postgresql+asyncpg"
    return make_url(urlunsplit((scheme, parts.netloc, parts.path, urlencode(query), "")))
