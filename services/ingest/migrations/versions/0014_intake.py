"""What is kept for some time only is found by its time, however large the table; refused MQTT messages are kept."""

from alembic import op

from shared.timescale import Edition, edition

revision = "0014"
down_revision = "0013"

RETENTION = (
    # Rows of a key that begins with the datastream are found by it, datastream by datastream.
    "ALTER TABLE retention ADD COLUMN by_datastream boolean NOT NULL DEFAULT false",
    "UPDATE retention SET by_datastream = true WHERE relation IN ('observation', 'observation_as_sent')",
    "CREATE INDEX conflict_last_at ON conflict USING brin (last_at)",
    "CREATE INDEX correction_made_at ON correction USING brin (made_at)",
)
REFUSALS = (
    """
    CREATE TABLE mqtt_refusal (
        id bigint GENERATED ALWAYS AS IDENTITY,
        park_id text NOT NULL,
        received_at timestamptz NOT NULL,
        topic text NOT NULL,
        payload bytea NOT NULL,
        reason text NOT NULL,
        faults integer NOT NULL,
        PRIMARY KEY (park_id, id)
    )
    """,
    "INSERT INTO retention (relation, time_column, keep) VALUES ('mqtt_refusal', 'received_at', interval '30 days')",
)
# A hypertable has an index of its time.
PLAIN = "CREATE INDEX raw_frame_received_at ON raw_frame USING brin (received_at)"


def upgrade() -> None:
    for statement in (*RETENTION, *REFUSALS):
        op.execute(statement)
    if edition(op.get_bind()) is Edition.NONE:
        op.execute(PLAIN)


def downgrade() -> None:
    for statement in (
        "DELETE FROM retention WHERE relation = 'mqtt_refusal'",
        "DROP TABLE mqtt_refusal",
        "DROP INDEX IF EXISTS raw_frame_received_at",
        "DROP INDEX correction_made_at",
        "DROP INDEX conflict_last_at",
        "ALTER TABLE retention DROP COLUMN by_datastream",
    ):
        op.execute(statement)
