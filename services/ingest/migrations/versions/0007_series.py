"""Roll-ups by the hour kept in a table where TimescaleDB keeps none, and functions that ask for a span of them.

The view `observation_hour` gives, at every moment, what the readings give: hours that are rolled up come from the
table `hour_roll_up`, but for those in `stale_hour`, which are computed from the readings, as are all from
`rolled_before` on. A trigger notes in `stale_hour` what is stored or corrected before `logged_before`, in the
transaction that does it. `services/ingest/rolling_up.py` works the stale hours off and moves both limits.

Rows of `stale_hour` are only added and deleted, and not unique: whoever rolls an hour up deletes the rows that it saw,
and one that was added meanwhile stays.
"""

from alembic import op

from shared.timescale import Edition, edition

revision = "0007"
down_revision = "0006"

_COLUMNS = "count, valid, over_range, mean, minimum, maximum, total, total_sine, total_cosine"
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
_ORIGIN = "timestamptz '2000-01-01 00:00:00+00'"
_HOUR_OF = f"date_bin(interval '1 hour', time, {_ORIGIN})"
_MINUTE_OF = f"date_bin(interval '1 minute', time, {_ORIGIN})"

_PROGRESS = """
    CREATE TABLE roll_up_progress (
        logged_before timestamptz NOT NULL,
        rolled_before timestamptz NOT NULL CHECK (rolled_before <= logged_before)
    )
"""
_TABLES = (
    """
    CREATE TABLE hour_roll_up (
        datastream_id integer NOT NULL,
        bucket timestamptz NOT NULL,
        count bigint NOT NULL,
        valid bigint NOT NULL,
        over_range bigint NOT NULL,
        mean float8,
        minimum float8,
        maximum float8,
        total float8,
        total_sine float8,
        total_cosine float8,
        PRIMARY KEY (datastream_id, bucket)
    )
    """,
    "CREATE TABLE stale_hour (datastream_id integer NOT NULL, bucket timestamptz NOT NULL)",
    "CREATE INDEX stale_hour_key ON stale_hour (datastream_id, bucket)",
)
_FILL = (
    """
    INSERT INTO roll_up_progress
    SELECT date_trunc('hour', now(), 'UTC') - interval '1 hour', date_trunc('hour', now(), 'UTC') - interval '1 hour'
    """,
    f"""
    INSERT INTO hour_roll_up (datastream_id, bucket, {_COLUMNS})
    SELECT datastream_id, {_HOUR_OF}, {_FROM_READINGS} FROM observation
    WHERE time < (SELECT rolled_before FROM roll_up_progress) GROUP BY 1, 2
    """,  # noqa: S608  (constants of this file)
)
_HOUR_OF_READINGS = f"""
    CREATE FUNCTION hour_of_readings(datastream integer, since timestamptz)
    RETURNS TABLE (
        count bigint, valid bigint, over_range bigint, mean float8, minimum float8, maximum float8, total float8,
        total_sine float8, total_cosine float8
    ) LANGUAGE sql STABLE AS $$
        SELECT {_FROM_READINGS} FROM {{schema}}.observation o
        WHERE o.datastream_id = datastream AND o.time >= since AND o.time < since + interval '1 hour'
    $$
"""  # noqa: S608  (constants of this file)
# The lock keeps `logged_before` where it is until whoever has read it has committed; it is shared between writers.
_TRIGGERS = (
    f"""
    CREATE FUNCTION note_stale_hours() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    DECLARE
        limit_of_log timestamptz;
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(hashtextextended('ingest.roll_up_progress', 0));
        SELECT logged_before INTO limit_of_log FROM roll_up_progress;
        INSERT INTO stale_hour (datastream_id, bucket)
        SELECT DISTINCT datastream_id, {_HOUR_OF} FROM stored WHERE time < limit_of_log;
        RETURN NULL;
    END
    $$
    """,  # noqa: S608  (constants of this file)
    *(
        f"""
        CREATE TRIGGER stale_hours_of_{event} AFTER {event} ON observation REFERENCING NEW TABLE AS stored
        FOR EACH STATEMENT EXECUTE FUNCTION note_stale_hours()
        """
        for event in ("insert", "update")
    ),
)
_VIEWS = (
    "DROP VIEW observation_day",
    "DROP VIEW observation_hour",
    f"""
    CREATE VIEW observation_hour AS
    SELECT datastream_id, bucket, {_COLUMNS} FROM hour_roll_up h
    WHERE NOT EXISTS (SELECT FROM stale_hour s WHERE s.datastream_id = h.datastream_id AND s.bucket = h.bucket)
    UNION ALL
    SELECT s.datastream_id, s.bucket, {_COLUMNS}
    FROM (SELECT DISTINCT datastream_id, bucket FROM stale_hour) s
    CROSS JOIN LATERAL hour_of_readings(s.datastream_id, s.bucket) r
    WHERE s.bucket < (SELECT rolled_before FROM roll_up_progress) AND r.count > 0
    UNION ALL
    SELECT datastream_id, {_HOUR_OF}, {_FROM_READINGS} FROM observation
    WHERE time >= (SELECT rolled_before FROM roll_up_progress) GROUP BY 1, 2
    """,  # noqa: S608  (constants of this file)
    f"""
    CREATE VIEW observation_day AS
    SELECT datastream_id, date_bin(interval '1 day', bucket, {_ORIGIN}) AS bucket,
           sum(count)::bigint AS count,
           sum(valid)::bigint AS valid,
           sum(over_range)::bigint AS over_range,
           sum(total) / nullif(sum(valid), 0)::float8 AS mean,
           min(minimum) AS minimum,
           max(maximum) AS maximum,
           sum(total) AS total,
           sum(total_sine) AS total_sine,
           sum(total_cosine) AS total_cosine
    FROM observation_hour GROUP BY 1, 2
    """,  # noqa: S608  (constants of this file)
)
# With a span: periods that begin from `since` on and before `until`. Written so that PostgreSQL puts the body in the
# place of the call and plans it with what the caller asks.
_SPAN = """
    CREATE FUNCTION {name}(ids integer[], since timestamptz, until timestamptz)
    RETURNS TABLE (
        datastream_id integer, bucket timestamptz, count bigint, valid bigint, over_range bigint, mean float8,
        minimum float8, maximum float8, total float8, total_sine float8, total_cosine float8
    ) LANGUAGE sql STABLE AS $$ {body} $$
"""
_OF_VIEW = """
    SELECT v.datastream_id, v.bucket, v.count, v.valid, v.over_range, v.mean, v.minimum, v.maximum, v.total,
           v.total_sine, v.total_cosine
    FROM {schema}.{view} v WHERE v.datastream_id = ANY(ids) AND v.bucket >= since AND v.bucket < until
"""
_CEILING = f"date_bin(interval '1 minute', {{}} + interval '59.999999 seconds', {_ORIGIN})"
_OF_READINGS = f"""
    SELECT o.datastream_id, {_MINUTE_OF}, {_FROM_READINGS} FROM {{schema}}.observation o
    WHERE o.datastream_id = ANY(ids) AND o.time >= {_CEILING.format("since")} AND o.time < {_CEILING.format("until")}
    GROUP BY 1, 2
"""  # noqa: S608  (constants of this file)


def upgrade() -> None:
    plain = edition(op.get_bind()) is not Edition.COMMUNITY
    schema = op.get_bind().exec_driver_sql("SELECT current_schema()").scalar_one()
    op.execute(_PROGRESS)
    if plain:
        for statement in (*_TABLES, *_FILL, *_TRIGGERS, _HOUR_OF_READINGS.format(schema=schema), *_VIEWS):
            op.execute(statement)
    minutes = _OF_READINGS if plain else _OF_VIEW
    op.execute(_SPAN.format(name="observation_minutes", body=minutes.format(schema=schema, view="observation_minute")))
    op.execute(_SPAN.format(name="observation_hours", body=_OF_VIEW.format(schema=schema, view="observation_hour")))


def downgrade() -> None:
    raise RuntimeError("the tables hold nothing of their own; drop the schema instead")
