"""Raw frames that can be paged and read again, silence of devices, what SensorThings tells of a station."""

from alembic import op

revision = "0004"
down_revision = "0003"

FRAMES = (
    # A column without a default, then the default: TimescaleDB takes no other on a table that it compresses. Frames
    # from before stay without a number.
    "CREATE SEQUENCE raw_frame_number",
    "ALTER TABLE raw_frame ADD COLUMN number bigint",
    "ALTER TABLE raw_frame ALTER COLUMN number SET DEFAULT nextval('raw_frame_number')",
    "ALTER TABLE raw_frame ADD COLUMN unmapped integer",
    # A device's frames belong to the park that had it when they came.
    "ALTER TABLE device ADD COLUMN registered_at timestamptz NOT NULL DEFAULT now()",
    """
    CREATE TABLE replay (
        id uuid PRIMARY KEY,
        park_id text NOT NULL REFERENCES park,
        mn text NOT NULL,
        since timestamptz,
        until timestamptz,
        verdicts text[] NOT NULL,
        unmapped boolean NOT NULL DEFAULT false,
        requested_by text NOT NULL,
        requested_at timestamptz NOT NULL DEFAULT now(),
        state text NOT NULL DEFAULT 'queued',
        detail text,
        read_at timestamptz,
        read_number bigint,
        touched_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz,
        frames bigint NOT NULL DEFAULT 0,
        read_frames bigint NOT NULL DEFAULT 0,
        accepted bigint NOT NULL DEFAULT 0,
        duplicate bigint NOT NULL DEFAULT 0,
        conflicting bigint NOT NULL DEFAULT 0,
        unmapped_readings bigint NOT NULL DEFAULT 0
    )
    """,
    "CREATE INDEX replay_of_park ON replay (park_id, requested_at DESC, id DESC)",
    "CREATE INDEX replay_unfinished ON replay (touched_at) WHERE finished_at IS NULL",
    # An unknown device is listed for as long as its frames are kept.
    """
    INSERT INTO retention (relation, time_column, keep) VALUES
        ('replay', 'requested_at', interval '366 days'),
        ('unknown_device', 'last_seen', interval '30 days')
    """,
)

SILENCE = (
    "ALTER TABLE device ADD COLUMN silent_after_s float8",
    """
    CREATE TABLE silent_device (
        mn text PRIMARY KEY,
        noticed_at timestamptz NOT NULL
    )
    """,
)

# What OGC SensorThings tells of a Thing, its Sensors and HistoricalLocations.
DESCRIPTION = (
    "ALTER TABLE station ADD COLUMN description jsonb",
    "ALTER TABLE station ADD COLUMN properties jsonb NOT NULL DEFAULT '{}'",
    "ALTER TABLE datastream ADD COLUMN sensor text",
    "ALTER TABLE datastream ADD COLUMN sensor_metadata text",
    """
    CREATE TABLE station_location (
        station_id text NOT NULL REFERENCES station,
        since timestamptz NOT NULL,
        longitude float8 NOT NULL,
        latitude float8 NOT NULL,
        height_m float8 NOT NULL,
        PRIMARY KEY (station_id, since)
    )
    """,
    "INSERT INTO station_location SELECT id, now(), longitude, latitude, height_m FROM station",
)


def upgrade() -> None:
    for statement in (*FRAMES, *SILENCE, *DESCRIPTION):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("a column cannot leave a compressed table; restore a backup instead")
