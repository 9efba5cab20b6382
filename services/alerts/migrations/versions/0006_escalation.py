"""Alarms that wait for their acknowledgement, who was called about them, and floods."""

from alembic import op

revision = "0006"
down_revision = "0005"

UPGRADE = (
    # One row an alarm that needs acknowledgement. `look_at` is when somebody may have to be called; null: not unless
    # the alarm changes.
    """
    CREATE TABLE waiting (
        alarm_id uuid PRIMARY KEY REFERENCES alarm (id),
        park_id text NOT NULL,
        colour text NOT NULL,
        since timestamptz NOT NULL,
        called text[] NOT NULL DEFAULT '{}',
        look_at timestamptz
    )
    """,
    "CREATE INDEX waiting_by_time ON waiting (look_at) WHERE look_at IS NOT NULL",
    # Who waits already has been seen or not, nobody knows: call at once.
    """
    INSERT INTO waiting (alarm_id, park_id, colour, since, look_at)
    SELECT id, park_id, colour, recorded_at, now() FROM alarm
    WHERE state IN ('unacknowledged', 'returned_unacknowledged', 'latched_unacknowledged')
    """,
    """
    CREATE TABLE notification (
        id uuid PRIMARY KEY,
        park_id text NOT NULL,
        incident_id uuid REFERENCES incident (id),
        role text NOT NULL,
        after_s double precision NOT NULL,
        colour text NOT NULL,
        alarm_ids uuid[] NOT NULL,
        flood boolean NOT NULL,
        recorded_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX notification_by_park ON notification (park_id, recorded_at DESC, id DESC)",
    "CREATE INDEX notification_by_incident ON notification (incident_id, role, recorded_at DESC)",
    """
    CREATE TABLE flood (
        id uuid PRIMARY KEY,
        park_id text NOT NULL,
        began_at timestamptz NOT NULL,
        counted_from timestamptz NOT NULL,
        ended_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX flood_one_open ON flood (park_id) WHERE ended_at IS NULL",
    "CREATE INDEX flood_by_park ON flood (park_id, began_at DESC)",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for table in ("flood", "notification", "waiting"):
        op.execute(f"DROP TABLE {table}")
