"""Facts that were set aside can be replayed; the alarms of a span of time are found."""

from alembic import op

revision = "0007"
down_revision = "0006"

UPGRADE = (
    # A replay has ingest announce the fact again, under a new position.
    "ALTER TABLE refused_fact ADD COLUMN replayed_at timestamptz, ADD COLUMN replayed_by text",
    "CREATE INDEX refused_fact_by_time ON refused_fact (refused_at, stream, position)",
    "CREATE INDEX alarm_by_closing ON alarm (park_id, closed_at)",
)
DOWNGRADE = (
    "DROP INDEX alarm_by_closing",
    "DROP INDEX refused_fact_by_time",
    "ALTER TABLE refused_fact DROP COLUMN replayed_at, DROP COLUMN replayed_by",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
