"""What was sent in another unit than it is stored in: a row for each such observation, for as long as that is kept.

An observation without a row was sent as it is stored, if it was stored since this table is there. Where some were
stored before, `as_sent_since` tells from which time on that is certain: of older ones nothing is known.
"""

from alembic import op

from shared.timescale import Edition, edition

revision = "0012"
down_revision = "0011"

TABLES = (
    """
    CREATE TABLE observation_as_sent (
        datastream_id integer NOT NULL,
        time timestamptz NOT NULL,
        unit text NOT NULL,
        value float8,
        minimum float8,
        maximum float8,
        PRIMARY KEY (datastream_id, time)
    )
    """,
    "CREATE TABLE as_sent_since (since timestamptz NOT NULL)",
    # A device's clock may lead a little, so that what is stored already may be of times that are still to come.
    """
    INSERT INTO as_sent_since SELECT now() + interval '1 hour' WHERE EXISTS (SELECT FROM observation)
    """,
    """
    INSERT INTO retention (relation, time_column, keep)
    SELECT 'observation_as_sent', time_column, keep FROM retention WHERE relation = 'observation'
    """,
)
POLICIES = (
    """
    ALTER TABLE observation_as_sent SET (
        timescaledb.compress,
        timescaledb.compress_segmentby = 'datastream_id',
        timescaledb.compress_orderby = 'time DESC'
    )
    """,
    "SELECT add_compression_policy('observation_as_sent', interval '7 days')",
    "SELECT add_retention_policy('observation_as_sent', keep) FROM retention WHERE relation = 'observation_as_sent'",
    "UPDATE retention SET by_policy = true WHERE relation = 'observation_as_sent'",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    found = edition(op.get_bind())
    if found is not Edition.NONE:
        op.execute("SELECT create_hypertable('observation_as_sent', 'time', chunk_time_interval => interval '1 day')")
    if found is Edition.COMMUNITY:
        for statement in POLICIES:
            op.execute(statement)


def downgrade() -> None:
    for statement in (
        "DELETE FROM retention WHERE relation = 'observation_as_sent'",
        "DROP TABLE as_sent_since",
        "DROP TABLE observation_as_sent",
    ):
        op.execute(statement)
