"""Hypertables, compression, roll-ups and retention: by TimescaleDB where its community edition is, else plain.

The roll-ups have the same names and columns in both cases, so that nothing above them knows which it reads:
`count` of rows, `valid` ones (normal or over range, with a value), `over_range` ones; `mean`, `minimum`, `maximum`
of the valid ones, `total` = their sum, and the sums of sine and cosine, from which directions are averaged.
"""

from alembic import op

from shared.timescale import Edition, edition

revision = "0002"
down_revision = "0001"

_VALID = "FILTER (WHERE quality IN ('N', 'T') AND value IS NOT NULL)"
_FROM_READINGS = f"""
    count(*) AS count,
    count(*) {_VALID} AS valid,
    count(*) FILTER (WHERE quality = 'T') AS over_range,
    avg(value) {_VALID} AS mean,
    min(coalesce(minimum, value)) {_VALID} AS minimum,
    max(coalesce(maximum, value)) {_VALID} AS maximum,
    sum(value) {_VALID} AS total,
    sum(sind(value)) {_VALID} AS total_sine,
    sum(cosd(value)) {_VALID} AS total_cosine
"""
_FROM_ROLL_UP = """
    sum(count)::bigint AS count,
    sum(valid)::bigint AS valid,
    sum(over_range)::bigint AS over_range,
    sum(total) / nullif(sum(valid), 0)::float8 AS mean,
    min(minimum) AS minimum,
    max(maximum) AS maximum,
    sum(total) AS total,
    sum(total_sine) AS total_sine,
    sum(total_cosine) AS total_cosine
"""
# name, width, source, its time column, columns
_ROLL_UPS = (
    ("observation_minute", "1 minute", "observation", "time", _FROM_READINGS),
    ("observation_hour", "1 hour", "observation_minute", "bucket", _FROM_ROLL_UP),
    ("observation_day", "1 day", "observation_hour", "bucket", _FROM_ROLL_UP),
)
# A policy refreshes what changed since, up to the retention of the readings: a refresh of what retention has dropped
# would empty the roll-up. name, start offset, end offset, schedule
_REFRESH = (
    ("observation_minute", "1800 days", "2 minutes", "1 minute"),
    ("observation_hour", "1800 days", "2 hours", "10 minutes"),
    ("observation_day", "1800 days", "2 days", "1 hour"),
)


def upgrade() -> None:
    found = edition(op.get_bind())
    if found is not Edition.NONE:
        _hypertables()
    if found is Edition.COMMUNITY:
        _compression_and_retention()
        # A continuous aggregate cannot be made inside a transaction. All before it is committed here, so that a run
        # that fails from here on is repeated from the start: every step can be done twice.
        with op.get_context().autocommit_block():
            _continuous_aggregates()
    else:
        _views()


def downgrade() -> None:
    raise RuntimeError("a hypertable does not become a plain table again; restore a backup instead")


def _hypertables() -> None:
    for table, column in (("observation", "time"), ("raw_frame", "received_at")):
        op.execute(
            f"SELECT create_hypertable('{table}', '{column}', chunk_time_interval => interval '1 day', "
            "if_not_exists => true)"
        )


def _compression_and_retention() -> None:
    for statement in (
        """
        ALTER TABLE observation SET (
            timescaledb.compress,
            timescaledb.compress_segmentby = 'datastream_id',
            timescaledb.compress_orderby = 'time DESC'
        )
        """,
        "SELECT add_compression_policy('observation', interval '7 days', if_not_exists => true)",
        "ALTER TABLE raw_frame SET (timescaledb.compress, timescaledb.compress_orderby = 'received_at DESC')",
        "SELECT add_compression_policy('raw_frame', interval '2 days', if_not_exists => true)",
        "SELECT add_retention_policy('observation', interval '1830 days', if_not_exists => true)",
        "SELECT add_retention_policy('raw_frame', interval '30 days', if_not_exists => true)",
        "UPDATE retention SET by_policy = true",
    ):
        op.execute(statement)


def _continuous_aggregates() -> None:
    for name, width, source, column, columns in _ROLL_UPS:
        op.execute(
            f"""
            CREATE MATERIALIZED VIEW IF NOT EXISTS {name}
            WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
            SELECT datastream_id, time_bucket(interval '{width}', {column}) AS bucket, {columns}
            FROM {source} GROUP BY 1, 2
            WITH NO DATA
            """  # noqa: S608  (constants of this file)
        )
    for name, start, end, every in _REFRESH:
        op.execute(
            f"""
            SELECT add_continuous_aggregate_policy('{name}',
                start_offset => interval '{start}', end_offset => interval '{end}',
                schedule_interval => interval '{every}', if_not_exists => true)
            """
        )


def _views() -> None:
    for name, width, source, column, columns in _ROLL_UPS:
        op.execute(
            f"""
            CREATE VIEW {name} AS
            SELECT datastream_id,
                   date_bin(interval '{width}', {column}, timestamptz '2000-01-01 00:00:00+00') AS bucket, {columns}
            FROM {source} GROUP BY 1, 2
            """  # noqa: S608  (constants of this file)
        )
