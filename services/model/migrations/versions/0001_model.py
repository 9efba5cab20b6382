"""Registry, runs, the alarms that are followed, and the outbox."""

from alembic import op

from shared.outbox import CREATE_OUTBOX

revision = "0001"
down_revision = None

_TABLES = (
    """
    CREATE TABLE risk_source (
        id text PRIMARY KEY,
        park_id text NOT NULL,
        name_zh text NOT NULL,
        name_en text NOT NULL,
        enterprise_id text,
        chemical text NOT NULL,
        longitude double precision NOT NULL,
        latitude double precision NOT NULL,
        height_m double precision NOT NULL,
        inventory_kg double precision
    )
    """,
    "CREATE INDEX risk_source_park ON risk_source (park_id, chemical)",
    """
    CREATE TABLE receptor (
        id text PRIMARY KEY,
        park_id text NOT NULL,
        name_zh text NOT NULL,
        name_en text NOT NULL,
        kind text NOT NULL,
        population integer NOT NULL,
        longitude double precision NOT NULL,
        latitude double precision NOT NULL,
        height_m double precision NOT NULL
    )
    """,
    "CREATE INDEX receptor_park ON receptor (park_id)",
    """
    CREATE TABLE run (
        id uuid PRIMARY KEY,
        park_id text NOT NULL,
        state text NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed')),
        trigger text NOT NULL CHECK (trigger IN ('manual', 'alarm')),
        requested_by text NOT NULL,
        chemical text NOT NULL,
        inputs jsonb NOT NULL,
        source jsonb,
        result jsonb,
        error jsonb,
        created_at timestamptz NOT NULL,
        finished_at timestamptz,
        attempts integer NOT NULL DEFAULT 0,
        worker text,
        seen_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX run_park_created ON run (park_id, created_at DESC, id DESC)",
    "CREATE INDEX run_unfinished ON run (seen_at) WHERE state IN ('queued', 'running')",
    """
    CREATE TABLE followed_alarm (
        alarm_id uuid PRIMARY KEY,
        park_id text NOT NULL,
        station_id text NOT NULL,
        chemical text NOT NULL,
        colour text NOT NULL,
        threshold_mg_m3 double precision,
        raised_at timestamptz NOT NULL,
        event_time timestamptz NOT NULL
    )
    """,
    "CREATE INDEX followed_alarm_park ON followed_alarm (park_id, chemical)",
    """
    CREATE TABLE auto_run (
        park_id text NOT NULL,
        chemical text NOT NULL,
        event_time timestamptz NOT NULL,
        created_at timestamptz NOT NULL,
        PRIMARY KEY (park_id, chemical)
    )
    """,
    "CREATE TABLE fact_position (stream text PRIMARY KEY, position bigint NOT NULL)",
)


def upgrade() -> None:
    for statement in (*_TABLES, *CREATE_OUTBOX):
        op.execute(statement)


def downgrade() -> None:
    tables = "outbox_stream, outbox, fact_position, auto_run, followed_alarm, run, receptor, risk_source"
    op.execute(f"DROP TABLE {tables}")
