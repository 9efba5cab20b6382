"""What is usual for a datastream by the hour of the day."""

from alembic import op

revision = "0009"
down_revision = "0008"

UPGRADE = (
    # Of each day, from `over_days` days before it; the arrays are by hour of the day in `time_zone`.
    """
    CREATE TABLE baseline (
        datastream_id bigint NOT NULL,
        over_days smallint NOT NULL,
        day date NOT NULL,
        time_zone text NOT NULL,
        median float8[] NOT NULL,
        mad float8[] NOT NULL,
        readings integer[] NOT NULL,
        days smallint[] NOT NULL,
        learned_at timestamptz NOT NULL,
        PRIMARY KEY (datastream_id, over_days, day)
    )
    """,
    "CREATE INDEX baseline_by_day ON baseline (day)",
)
DOWNGRADE = ("DROP TABLE baseline",)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
