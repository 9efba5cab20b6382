"""The state of the evaluation as one checkpoint a stream, instead of a document a datastream."""

from alembic import op

revision = "0002"
down_revision = "0001"

UPGRADE = (
    # The state as of `position`; `position.position` says up to where facts have had their effects, and is not below.
    """
    CREATE TABLE checkpoint (
        stream text PRIMARY KEY,
        position bigint NOT NULL,
        state bytea NOT NULL,
        written_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    # Megabytes that are replaced every few seconds are not worth compressing.
    "ALTER TABLE checkpoint ALTER COLUMN state SET STORAGE EXTERNAL",
    # Readings that were not evaluated, by reason.
    """
    CREATE TABLE passed_over (
        datastream_id bigint PRIMARY KEY,
        too_late bigint NOT NULL DEFAULT 0,
        backfilled bigint NOT NULL DEFAULT 0,
        ahead bigint NOT NULL DEFAULT 0
    )
    """,
    """
    INSERT INTO passed_over
    SELECT datastream_id, sum(too_late), sum(backfilled), sum(ahead) FROM evaluation_state GROUP BY datastream_id
    """,
    # Nothing is taken over but where each stream stands: alarms that are active go on from their colour.
    "INSERT INTO checkpoint (stream, position, state) SELECT stream, position, '' FROM position",
    "DROP TABLE evaluation_state",
    "CREATE INDEX alarm_active ON alarm (datastream_id) WHERE active AND datastream_id IS NOT NULL",
)
DOWNGRADE = (
    "DROP INDEX alarm_active",
    """
    CREATE TABLE evaluation_state (
        datastream_id bigint NOT NULL,
        rule_id text NOT NULL,
        document jsonb NOT NULL,
        too_late bigint NOT NULL DEFAULT 0,
        backfilled bigint NOT NULL DEFAULT 0,
        ahead bigint NOT NULL DEFAULT 0,
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (datastream_id, rule_id)
    )
    """,
    "DROP TABLE passed_over",
    "DROP TABLE checkpoint",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
