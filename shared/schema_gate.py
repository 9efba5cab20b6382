"""Wait until the schema is as new as this code: `python -m shared.schema_gate ingest --wait 600`.

For what starts beside its migration (a container of Kubernetes, whose Job may still run). A schema that is newer than
the code is let pass: during an upgrade the last version runs on the next one's schema, and may start again.
"""

import argparse
import sys
import time

import psycopg
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql

from shared.migrate import SERVICES, MigrationSettings

EVERY_S = 1.0
_CONNECT_S = 5
_STATEMENT_MS = 5_000


def is_new_enough(database_url: str, service: str) -> bool:
    """Whether the schema of `service` has every revision that this code knows.

    A revision that this code does not know is a newer one. Raises psycopg.Error where the database cannot be asked.
    """
    options = f"-c statement_timeout={_STATEMENT_MS}"
    with psycopg.connect(database_url, connect_timeout=_CONNECT_S, options=options, autocommit=True) as connection:
        table = sql.Identifier(service, "alembic_version")
        try:
            found = connection.execute(sql.SQL("SELECT version_num FROM {}").format(table)).fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return False
    config = Config()
    config.set_main_option("script_location", str(SERVICES / service / "migrations"))
    script = ScriptDirectory.from_config(config)
    known = {revision.revision for revision in script.walk_revisions()}
    return found is not None and (found[0] == script.get_current_head() or found[0] not in known)


def wait(database_url: str, service: str, wait_s: float) -> str | None:
    """Wait at most `wait_s`; None when the schema is new enough, else why it is not known to be."""
    limit = time.monotonic() + wait_s
    while True:
        try:
            if is_new_enough(database_url, service):
                return None
            reason = "its migration has not run: python -m shared.migrate " + service
        except psycopg.Error as error:
            reason = f"the database at FENCELINE_DATABASE_URL cannot be asked: {' '.join(str(error).split())}"
        if time.monotonic() >= limit:
            return reason
        time.sleep(EVERY_S)


def main(arguments: list[str] | None = None) -> int:
    """The command line. Exit status 2 with one line where the schema does not come to be new enough."""
    known = sorted(path.parent.name for path in SERVICES.glob("*/migrations"))
    parser = argparse.ArgumentParser(prog="python -m shared.schema_gate", description=__doc__.splitlines()[0])
    parser.add_argument("service", choices=known, metavar="SERVICE", help=", ".join(known))
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="how long to wait (default: 0)")
    given = parser.parse_args(arguments)
    reason = wait(MigrationSettings.load().database_url, given.service, given.wait)
    if reason is not None:
        print(f"{given.service}: the schema is too old after {given.wait:g} s: {reason}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
