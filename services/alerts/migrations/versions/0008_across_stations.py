"""Rules across stations, every version of them, their trials, and the state of their evaluation."""

from alembic import op

revision = "0008"
down_revision = "0007"

CREATE = (
    # What is in force. `rule_override.version` counts these changes of a park too. One that was set over the API takes
    # the place of the park file's of the same name.
    """
    CREATE TABLE across_rule (
        id uuid PRIMARY KEY,
        park_id text NOT NULL,
        name text NOT NULL,
        origin text NOT NULL CHECK (origin IN ('park_file', 'api')),
        version integer NOT NULL,
        document jsonb NOT NULL,
        reason text NOT NULL,
        updated_by text NOT NULL,
        updated_at timestamptz NOT NULL,
        UNIQUE (park_id, name, origin)
    )
    """,
    # Every version that was in force; the last of one that was removed has no document.
    """
    CREATE TABLE across_rule_version (
        id uuid NOT NULL,
        version integer NOT NULL,
        park_id text NOT NULL,
        document jsonb,
        reason text NOT NULL,
        updated_by text NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (id, version)
    )
    """,
    # One row a share of the parks, written in the transaction of what the readings did. `version` moves by one at each
    # writing: of two processes that evaluate the same parks one comes through.
    """
    CREATE TABLE across_state (
        share text PRIMARY KEY,
        version bigint NOT NULL,
        positions jsonb NOT NULL,
        state bytea NOT NULL,
        written_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "ALTER TABLE across_state ALTER COLUMN state SET STORAGE EXTERNAL",
    # Set where the draft is a rule across stations.
    "ALTER TABLE trial ADD COLUMN across jsonb",
    "CREATE INDEX alarm_active_across ON alarm (park_id) WHERE active AND subject_key = park_id",
)


def upgrade() -> None:
    for statement in CREATE:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX alarm_active_across")
    op.execute("DELETE FROM trial WHERE across IS NOT NULL")
    op.execute("ALTER TABLE trial DROP COLUMN across")
    for table in ("across_state", "across_rule_version", "across_rule"):
        op.execute(f"DROP TABLE {table}")
