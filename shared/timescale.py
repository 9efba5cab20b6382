"""Which TimescaleDB, if any, a database has. Only migrations and scheduled upkeep ask; nothing above the store does."""

from enum import StrEnum

from sqlalchemy import Connection, text


class Edition(StrEnum):
    """What the database can do."""

    COMMUNITY = "community"
    """Hypertables, compression, continuous aggregates, policies."""
    APACHE = "apache"
    """Hypertables only; everything else falls back as on plain PostgreSQL."""
    NONE = "none"
    """Plain PostgreSQL."""


def edition(connection: Connection) -> Edition:
    """The edition in use, creating the extension where the server offers it and the user may."""
    offered = connection.execute(
        text("SELECT installed_version FROM pg_available_extensions WHERE name = 'timescaledb'")
    ).first()
    if offered is None:
        return Edition.NONE
    if offered[0] is None:
        connection.execute(text("CREATE EXTENSION IF NOT EXISTS timescaledb SCHEMA public"))
    licence = connection.execute(text("SELECT current_setting('timescaledb.license', true)")).scalar()
    return Edition.COMMUNITY if licence == "timescale" else Edition.APACHE
