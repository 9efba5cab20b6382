"""Registry, observations, raw frames, conflicts, counters, outbox."""

from alembic import op

from shared.outbox import CREATE_OUTBOX

revision = "0001"
down_revision = None

REGISTRY = (
    """
    CREATE TABLE park (
        id text PRIMARY KEY,
        name jsonb NOT NULL,
        fictitious boolean NOT NULL,
        timezone text NOT NULL,
        boundary jsonb NOT NULL
    )
    """,
    """
    CREATE TABLE enterprise (
        id text PRIMARY KEY,
        park_id text NOT NULL REFERENCES park,
        name jsonb NOT NULL,
        area jsonb,
        active boolean NOT NULL DEFAULT true
    )
    """,
    "CREATE INDEX enterprise_park ON enterprise (park_id)",
    """
    CREATE TABLE station (
        id text PRIMARY KEY,
        park_id text NOT NULL REFERENCES park,
        code text NOT NULL,
        name jsonb NOT NULL,
        ring text NOT NULL,
        enterprise_id text,
        longitude float8 NOT NULL,
        latitude float8 NOT NULL,
        height_m float8 NOT NULL,
        active boolean NOT NULL DEFAULT true
    )
    """,
    "CREATE INDEX station_park ON station (park_id)",
    """
    CREATE TABLE device (
        mn text PRIMARY KEY,
        station_id text NOT NULL UNIQUE REFERENCES station,
        password text,
        crc_mode text NOT NULL,
        acknowledge text NOT NULL
    )
    """,
    """
    CREATE TABLE datastream (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        station_id text NOT NULL REFERENCES station,
        property_id text NOT NULL,
        cadence text NOT NULL,
        factor text,
        device_unit text NOT NULL,
        standard_state_c float8 NOT NULL,
        range_upper float8,
        detection_limit float8,
        active boolean NOT NULL DEFAULT true,
        UNIQUE (station_id, property_id, cadence)
    )
    """,
)

READINGS = (
    # No foreign key to datastream: this is the hot path, and only the registry's ids reach it.
    """
    CREATE TABLE observation (
        datastream_id integer NOT NULL,
        time timestamptz NOT NULL,
        value float8,
        quality character(1) NOT NULL,
        minimum float8,
        maximum float8,
        PRIMARY KEY (datastream_id, time)
    )
    """,
    # One row a contradiction: a device that keeps sending the other value is counted, not stored again.
    """
    CREATE TABLE conflict (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        datastream_id integer NOT NULL,
        time timestamptz NOT NULL,
        stored_value float8,
        stored_quality character(1) NOT NULL,
        value float8,
        quality character(1) NOT NULL,
        minimum float8,
        maximum float8,
        source text NOT NULL,
        times bigint NOT NULL DEFAULT 1,
        first_at timestamptz NOT NULL DEFAULT now(),
        last_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE NULLS NOT DISTINCT (datastream_id, time, value, quality, minimum, maximum)
    )
    """,
    """
    CREATE TABLE raw_frame (
        received_at timestamptz NOT NULL,
        mn text,
        remote text NOT NULL,
        verdict text NOT NULL,
        detail text,
        frame bytea NOT NULL
    )
    """,
    "CREATE INDEX raw_frame_mn ON raw_frame (mn, received_at DESC)",
    """
    CREATE TABLE device_counter (
        mn text PRIMARY KEY,
        frames bigint NOT NULL,
        accepted bigint NOT NULL,
        crc_errors bigint NOT NULL,
        bad_length bigint NOT NULL,
        refused bigint NOT NULL,
        resync_bytes bigint NOT NULL,
        unmapped bigint NOT NULL,
        last_seen timestamptz
    )
    """,
    """
    CREATE TABLE unknown_device (
        mn text PRIMARY KEY,
        frames bigint NOT NULL,
        remote text NOT NULL,
        first_seen timestamptz NOT NULL,
        last_seen timestamptz NOT NULL
    )
    """,
)

# How long rows are kept. Where `by_policy` is false, the service deletes them by schedule; else TimescaleDB does.
RETENTION = (
    """
    CREATE TABLE retention (
        relation text PRIMARY KEY,
        time_column text NOT NULL,
        keep interval NOT NULL,
        by_policy boolean NOT NULL DEFAULT false
    )
    """,
    # Monitoring records of a permitted emitter are kept for five years at least (Regulation on pollutant discharge
    # permits, State Council order 736, article 21); raw frames serve to mend mappings and need a month.
    """
    INSERT INTO retention (relation, time_column, keep) VALUES
        ('observation', 'time', interval '1830 days'),
        ('raw_frame', 'received_at', interval '30 days')
    """,
)


def upgrade() -> None:
    for statement in (*REGISTRY, *READINGS, *RETENTION, *CREATE_OUTBOX):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("the first revision has nothing below it; drop the schema instead")
