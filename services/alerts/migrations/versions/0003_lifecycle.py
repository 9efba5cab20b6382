"""Alarms that latch, are shelved, suppressed by design or out of service; who is to see to one; bad habits."""

from alembic import op

revision = "0003"
down_revision = "0002"

UPGRADE = (
    "ALTER TABLE alarm DROP CONSTRAINT alarm_state_check",
    """
    ALTER TABLE alarm
        ADD CONSTRAINT alarm_state_check CHECK (state IN ('normal', 'unacknowledged', 'acknowledged',
            'returned_unacknowledged', 'latched_unacknowledged', 'latched', 'shelved', 'suppressed',
            'out_of_service')),
        ADD COLUMN amount boolean NOT NULL DEFAULT false,
        ADD COLUMN latching boolean NOT NULL DEFAULT false,
        ADD COLUMN raises timestamptz[] NOT NULL DEFAULT '{}',
        ADD COLUMN chattering boolean NOT NULL DEFAULT false,
        ADD COLUMN assigned_to text,
        ADD COLUMN shelved_until timestamptz,
        ADD COLUMN shelved_once boolean NOT NULL DEFAULT false,
        ADD COLUMN suppressed_by text[] NOT NULL DEFAULT '{}',
        ADD COLUMN out_of_service boolean NOT NULL DEFAULT false,
        ADD CHECK (state <> 'shelved' OR shelved_until IS NOT NULL)
    """,
    "UPDATE alarm SET amount = datastream_id IS NOT NULL",
    # What an operator says about a station or one of its datastreams; its alarms follow. Kept after its end.
    """
    CREATE TABLE suppression (
        id uuid PRIMARY KEY,
        park_id text NOT NULL,
        station_id text NOT NULL,
        datastream_id bigint,
        kind text NOT NULL CHECK (kind IN ('maintenance', 'out_of_service')),
        reason text NOT NULL,
        until timestamptz,
        begun_at timestamptz NOT NULL,
        begun_by text NOT NULL,
        ended_at timestamptz,
        ended_by text,
        end_comment text,
        CHECK (kind <> 'maintenance' OR until IS NOT NULL)
    )
    """,
    """
    CREATE UNIQUE INDEX suppression_in_force ON suppression (station_id, kind, coalesce(datastream_id, -1))
    WHERE ended_at IS NULL
    """,
    "CREATE INDEX suppression_by_park ON suppression (park_id, begun_at DESC, id DESC)",
)
DOWNGRADE = (
    "DROP TABLE suppression",
    # Nothing is hidden any more: what stands has to be acknowledged, what is over too.
    """
    UPDATE alarm SET state = CASE WHEN active THEN 'unacknowledged' ELSE 'returned_unacknowledged' END
    WHERE state NOT IN ('normal', 'unacknowledged', 'acknowledged', 'returned_unacknowledged')
    """,
    "ALTER TABLE alarm DROP CONSTRAINT alarm_state_check",
    """
    ALTER TABLE alarm
        ADD CONSTRAINT alarm_state_check
            CHECK (state IN ('normal', 'unacknowledged', 'acknowledged', 'returned_unacknowledged')),
        DROP COLUMN amount,
        DROP COLUMN latching,
        DROP COLUMN raises,
        DROP COLUMN chattering,
        DROP COLUMN assigned_to,
        DROP COLUMN shelved_until,
        DROP COLUMN shelved_once,
        DROP COLUMN suppressed_by,
        DROP COLUMN out_of_service
    """,
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
