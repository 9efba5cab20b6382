"""Commands to devices, and the records of devices that are missing."""

from alembic import op

revision = "0005"
down_revision = "0004"

_STATEMENTS = (
    # `request` is what was asked; the message is made from it when it goes out. One row is small and written a few
    # times; those that are open are found by the partial indexes, however many have ended.
    """
    CREATE TABLE command (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        park_id text NOT NULL,
        mn text NOT NULL,
        cn text NOT NULL,
        request jsonb NOT NULL,
        origin text NOT NULL,
        requested_by text NOT NULL,
        requested_at timestamptz NOT NULL,
        state text NOT NULL,
        qn text,
        attempts integer NOT NULL,
        sent_at timestamptz,
        due_at timestamptz,
        expires_at timestamptz NOT NULL,
        finished_at timestamptz,
        qn_rtn integer,
        exe_rtn integer,
        records bigint NOT NULL,
        answer jsonb NOT NULL,
        detail text
    )
    """,
    "CREATE INDEX command_device ON command (park_id, mn, id)",
    "CREATE UNIQUE INDEX command_qn ON command (mn, qn) WHERE qn IS NOT NULL",
    "CREATE INDEX command_open ON command (mn, id) WHERE due_at IS NOT NULL",
    "CREATE INDEX command_due ON command (due_at) WHERE due_at IS NOT NULL",
    # Up to where the records of a device were looked through, and whether it may be asked.
    """
    CREATE TABLE gap_filling (
        mn text PRIMARY KEY,
        enabled boolean NOT NULL DEFAULT true,
        minute_until timestamptz,
        hour_until timestamptz
    )
    """,
    """
    CREATE TABLE gap (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        park_id text NOT NULL,
        mn text NOT NULL,
        cadence text NOT NULL,
        begins timestamptz NOT NULL,
        ends timestamptz NOT NULL,
        interval_s integer NOT NULL,
        found_at timestamptz NOT NULL,
        state text NOT NULL,
        tries integer NOT NULL DEFAULT 0,
        try_at timestamptz,
        command_id bigint,
        UNIQUE (mn, cadence, begins)
    )
    """,
    "CREATE INDEX gap_device ON gap (park_id, mn, id)",
    "CREATE INDEX gap_open ON gap (mn, try_at) WHERE state = 'missing'",
    "CREATE INDEX gap_asked ON gap (command_id) WHERE state = 'asked'",
    """
    INSERT INTO retention (relation, time_column, keep) VALUES
        ('command', 'requested_at', interval '400 days'),
        ('gap', 'found_at', interval '400 days')
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("gap", "gap_filling", "command"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DELETE FROM retention WHERE relation IN ('command', 'gap')")
