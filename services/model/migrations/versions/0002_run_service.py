"""Progress, cancelling, computed-once and repeats of runs; scenarios and their atlases."""

from alembic import op

revision = "0002"
down_revision = "0001"

_UP = (
    "ALTER TABLE run DROP CONSTRAINT run_state_check",
    """
    ALTER TABLE run ADD CONSTRAINT run_state_check
        CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled'))
    """,
    "ALTER TABLE run DROP CONSTRAINT run_trigger_check",
    "ALTER TABLE run ADD CONSTRAINT run_trigger_check CHECK (trigger IN ('manual', 'alarm', 'atlas'))",
    # Results are handed out as they were stored; nothing in the database looks into them.
    "ALTER TABLE run ALTER COLUMN result TYPE json USING result::json",
    """
    ALTER TABLE run
        ADD COLUMN progress real,
        ADD COLUMN step text,
        ADD COLUMN cancel_asked boolean NOT NULL DEFAULT false,
        ADD COLUMN content_key text,
        ADD COLUMN cached_from uuid,
        ADD COLUMN repeats uuid
    """,
    "CREATE INDEX run_computed ON run (content_key) WHERE state = 'succeeded' AND cached_from IS NULL",
    "CREATE INDEX run_in_line ON run (content_key) WHERE state IN ('queued', 'running')",
    "CREATE INDEX run_waiting ON run (created_at) WHERE state = 'queued'",
    """
    CREATE TABLE scenario (
        park_id text NOT NULL,
        id text NOT NULL,
        risk_source_id text NOT NULL,
        name_zh text NOT NULL,
        name_en text NOT NULL,
        request jsonb NOT NULL,
        updated_at timestamptz NOT NULL,
        updated_by text NOT NULL,
        PRIMARY KEY (park_id, id)
    )
    """,
    """
    CREATE TABLE atlas (
        id uuid PRIMARY KEY,
        park_id text NOT NULL,
        scenario_id text NOT NULL,
        matrix jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        requested_by text NOT NULL,
        UNIQUE (park_id, scenario_id),
        FOREIGN KEY (park_id, scenario_id) REFERENCES scenario (park_id, id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE atlas_member (
        atlas_id uuid NOT NULL REFERENCES atlas ON DELETE CASCADE,
        run_id uuid PRIMARY KEY,
        wind_from_deg double precision NOT NULL,
        wind_speed_m_s double precision NOT NULL,
        stability double precision NOT NULL
    )
    """,
    "CREATE INDEX atlas_member_atlas ON atlas_member (atlas_id)",
)
_DOWN = (
    "DROP TABLE atlas_member, atlas, scenario",
    "DELETE FROM run WHERE state = 'cancelled' OR trigger = 'atlas' OR cached_from IS NOT NULL",
    "DROP INDEX run_computed, run_in_line, run_waiting",
    """
    ALTER TABLE run
        DROP COLUMN progress, DROP COLUMN step, DROP COLUMN cancel_asked, DROP COLUMN content_key,
        DROP COLUMN cached_from, DROP COLUMN repeats
    """,
    "ALTER TABLE run ALTER COLUMN result TYPE jsonb USING result::jsonb",
    "ALTER TABLE run DROP CONSTRAINT run_state_check",
    """
    ALTER TABLE run ADD CONSTRAINT run_state_check
        CHECK (state IN ('queued', 'running', 'succeeded', 'failed'))
    """,
    "ALTER TABLE run DROP CONSTRAINT run_trigger_check",
    "ALTER TABLE run ADD CONSTRAINT run_trigger_check CHECK (trigger IN ('manual', 'alarm'))",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
