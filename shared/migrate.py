"""Migrations: `python -m shared.migrate ingest alerts model gateway`.

Each service keeps its Alembic revisions in `services/<service>/migrations/versions` and its version table in its own
schema. Its `env.py` is one call of `run_environment`. Before the revisions run, the schema and the service's role are
made; after them, the role is granted what its service does with its tables.
"""

import argparse
import sys
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, create_engine, pool, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from shared.database import service_role
from shared.settings import Settings

SERVICES = Path(__file__).parent.parent / "services"
_LOCK = 0x66656E63  # any number: two migrators at once take turns


class MigrationSettings(Settings):
    """Only the database; a migration Job needs no other secret."""

    database_url: str


def migrate(database_url: str, service: str, revision: str = "head") -> None:
    """Bring the schema of `service` to `revision`. Idempotent; concurrent calls take turns."""
    config = Config()
    config.set_main_option("script_location", str(SERVICES / service / "migrations"))
    config.attributes["database_url"] = database_url
    config.attributes["service"] = service
    command.upgrade(config, revision)


def run_environment() -> None:
    """The whole `env.py` of a service: called by Alembic inside `migrate`."""
    attributes = context.config.attributes
    service: str = attributes["service"]
    url = make_url(attributes["database_url"]).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=pool.NullPool, connect_args={"connect_timeout": 5})
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        _prepare(connection, service)
        context.configure(
            connection=connection,
            version_table_schema=service,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        _grant(connection, service)
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
        connection.commit()
    engine.dispose()


def _prepare(connection: Connection, service: str) -> None:
    role = service_role(service)
    exists = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).first()
    if exists is None:
        connection.execute(text(f"CREATE ROLE {role} NOLOGIN"))
    # From PostgreSQL 16 on, who makes a role is its member only with the SET option; ask for it, and do no harm before.
    connection.execute(text(f"GRANT {role} TO CURRENT_USER"))
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {service}"))
    connection.execute(text(f"SET search_path TO {service}, public"))
    connection.commit()


def _grant(connection: Connection, service: str) -> None:
    role = service_role(service)
    for statement in (
        f"GRANT USAGE ON SCHEMA {service} TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {service} TO {role}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {service} TO {role}",
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {service} TO {role}",
    ):
        connection.execute(text(statement))
    connection.commit()


def main(arguments: list[str] | None = None) -> int:
    """The command line. Exit status 2 with one line where the database cannot be used."""
    known = sorted(path.parent.name for path in SERVICES.glob("*/migrations"))
    parser = argparse.ArgumentParser(prog="python -m shared.migrate", description=__doc__.splitlines()[0])
    parser.add_argument("services", nargs="+", choices=known, metavar="SERVICE", help=", ".join(known))
    chosen = parser.parse_args(arguments).services
    settings = MigrationSettings.load()
    for service in chosen:
        try:
            migrate(settings.database_url, service)
        except OperationalError as error:
            reason = " ".join(str(error.orig).split())
            print(f"{service}: the database at FENCELINE_DATABASE_URL cannot be used: {reason}", file=sys.stderr)
            return 2
        except DBAPIError as error:
            print(f"{service}: migration failed: {' '.join(str(error.orig).split())}", file=sys.stderr)
            return 2
        print(f"{service}: schema is up to date", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
