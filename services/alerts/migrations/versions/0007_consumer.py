"""Facts that were set aside can be evaluated again; the alarms of a span of time are found."""

from alembic import op

revision = "0007"
down_revision = "0006"

UPGRADE = (
    # Set aside -> asked for again (`replay_asked_at`) -> evaluated (`replayed_at`), or refused again with a new reason.
    """
    ALTER TABLE refused_fact
        ADD COLUMN replay_asked_at timestamptz,
        ADD COLUMN replay_asked_by text,
        ADD COLUMN replayed_at timestamptz,
        ADD COLUMN attempts integer NOT NULL DEFAULT 1
    """,
    "CREATE INDEX refused_fact_by_time ON refused_fact (refused_at DESC, stream, position)",
    "CREATE INDEX refused_fact_to_replay ON refused_fact (stream, position) WHERE replay_asked_at IS NOT NULL",
    "CREATE INDEX alarm_by_closing ON alarm (park_id, closed_at)",
)
DOWNGRADE = (
    "DROP INDEX alarm_by_closing",
    "DROP INDEX refused_fact_to_replay",
    "DROP INDEX refused_fact_by_time",
    """
    ALTER TABLE refused_fact
        DROP COLUMN replay_asked_at, DROP COLUMN replay_asked_by, DROP COLUMN replayed_at, DROP COLUMN attempts
    """,
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
