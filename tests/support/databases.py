"""Databases for tests: migrate one, empty one, make and drop one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

ROOT = Path(__file__).parents[2]

# A table that a test filled, in any schema of ours; what a migration filled itself is not in here.
_TABLES = """
    SELECT format('%I.%I', n.nspname, c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT LIKE '\\_timescaledb%'
      AND c.relname <> 'alembic_version'
    ORDER BY 1
"""


def services_with_migrations() -> list[str]:
    """The services that have a schema, by what is in the tree."""
    return sorted(path.parents[1].name for path in ROOT.glob("services/*/migrations/env.py"))


def migrate(database_url: str, *services: str) -> None:
    """Run the migrations of `services` (default: all) as a user does; fails with their words if they do."""
    chosen = list(services) or services_with_migrations()
    if not chosen:
        return
    done = subprocess.run(
        [sys.executable, "-m", "shared.migrate", *chosen],
        cwd=ROOT,
        env=os.environ | {"FENCELINE_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"migrations of {', '.join(chosen)} failed:\n{done.stdout}{done.stderr}"


def filled_tables(database_url: str) -> list[str]:
    """The tables of ours that hold rows, schema-qualified and quoted."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        names = [name for (name,) in connection.execute(_TABLES)]
        if not names:
            return []
        probe = " UNION ALL ".join(
            f"SELECT {index} WHERE EXISTS (SELECT FROM {name})" for index, name in enumerate(names)
        )
        return [names[index] for (index,) in connection.execute(probe.encode())]


def empty_tables(database_url: str, keep: frozenset[str]) -> None:
    """Empty every table of ours but those in `keep`, ending connections that a test left open on them."""
    filled = [name for name in filled_tables(database_url) if name not in keep]
    if not filled:
        return
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET lock_timeout = '2s'")
        statement = f"TRUNCATE {', '.join(filled)} RESTART IDENTITY CASCADE".encode()
        try:
            connection.execute(statement)
        except psycopg.errors.LockNotAvailable:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute(statement)


@contextmanager
def fresh_database(server_url: str, name: str) -> Iterator[str]:
    """An empty database for as long as the block lasts; gives its URL."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield server_url.rsplit("/", 1)[0] + f"/{name}"
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
