"""Overrides of rules that are set over the API, every version of them, and trials of draft rules."""

from alembic import op

revision = "0004"
down_revision = "0003"

CREATE = (
    # What is in force. One override about one thing; `rule_override.version` counts in both kinds of a park's changes.
    """
    CREATE TABLE override (
        id uuid PRIMARY KEY,
        park_id text NOT NULL,
        version integer NOT NULL,
        name text NOT NULL,
        property_id text NOT NULL,
        ring text,
        station_id text,
        datastream_id bigint,
        numbers jsonb NOT NULL,
        reason text NOT NULL,
        updated_by text NOT NULL,
        updated_at timestamptz NOT NULL
    )
    """,
    """
    CREATE UNIQUE INDEX override_about ON override (park_id, name, property_id, ring, station_id, datastream_id)
        NULLS NOT DISTINCT
    """,
    "CREATE INDEX override_by_park ON override (park_id, id)",
    # Every version that was in force; the last of one that was removed has no numbers.
    """
    CREATE TABLE override_version (
        id uuid NOT NULL,
        version integer NOT NULL,
        park_id text NOT NULL,
        numbers jsonb,
        reason text NOT NULL,
        updated_by text NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (id, version)
    )
    """,
    # A draft rule over history. Whoever runs one says so by `beat_at`; where that falls silent another takes it over.
    """
    CREATE TABLE trial (
        id uuid PRIMARY KEY,
        park_id text NOT NULL,
        name text NOT NULL,
        property_id text NOT NULL,
        ring text,
        station_id text,
        datastream_id bigint,
        numbers jsonb NOT NULL,
        start_at timestamptz NOT NULL,
        end_at timestamptz NOT NULL,
        created_by text NOT NULL,
        created_at timestamptz NOT NULL,
        state text NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
        attempts integer NOT NULL DEFAULT 0,
        started_at timestamptz,
        beat_at timestamptz,
        ended_at timestamptz,
        progress double precision NOT NULL DEFAULT 0,
        readings bigint NOT NULL DEFAULT 0,
        problem text,
        result jsonb
    )
    """,
    "CREATE INDEX trial_by_park ON trial (park_id, created_at DESC, id DESC)",
    "CREATE INDEX trial_unfinished ON trial (created_at) WHERE state IN ('queued', 'running')",
)


def upgrade() -> None:
    for statement in CREATE:
        op.execute(statement)


def downgrade() -> None:
    for table in ("trial", "override_version", "override"):
        op.execute(f"DROP TABLE {table}")
