"""What devices report of themselves, the password that a command sets, and gaps in records of days."""

from alembic import op

revision = "0013"
down_revision = "0012"

_STATEMENTS = (
    # One row for each thing that a message tells of: an analyser, a plant, the data logger itself (empty). The same
    # message again adds none; times alone do not tell two entries of a log apart.
    """
    CREATE TABLE device_report (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        park_id text NOT NULL,
        mn text NOT NULL,
        kind text NOT NULL,
        subject text NOT NULL,
        time timestamptz NOT NULL,
        received_at timestamptz NOT NULL,
        content jsonb NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX device_report_once ON device_report (mn, kind, time, subject, md5(content::text))",
    "CREATE INDEX device_report_latest ON device_report (park_id, mn, time, id)",
    "CREATE INDEX device_report_kind ON device_report (park_id, mn, kind, time, id)",
    "CREATE INDEX device_report_received ON device_report (received_at)",
    "INSERT INTO retention (relation, time_column, keep) VALUES ('device_report', 'received_at', interval '400 days')",
    # Taken beside the registered one: whether a device has changed its password is not known before it tells.
    "ALTER TABLE device ADD COLUMN password_set text",
    "ALTER TABLE gap_filling ADD COLUMN day_until timestamptz",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE gap_filling DROP COLUMN day_until")
    op.execute("ALTER TABLE device DROP COLUMN password_set")
    op.execute("DROP TABLE device_report")
    op.execute("DELETE FROM retention WHERE relation = 'device_report'")
