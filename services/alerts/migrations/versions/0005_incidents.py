"""Incidents, what grouping needs to know of the surroundings, and each park's policy."""

from alembic import op

revision = "0005"
down_revision = "0004"

UPGRADE = (
    # Where stations stand and how the wind was, as ingest told: grouping asks in the transaction of the alarms.
    """
    CREATE TABLE station_place (
        station_id text PRIMARY KEY,
        longitude double precision NOT NULL,
        latitude double precision NOT NULL
    )
    """,
    """
    CREATE TABLE park_wind (
        park_id text NOT NULL,
        at timestamptz NOT NULL,
        from_deg double precision NOT NULL,
        speed_m_s double precision NOT NULL,
        PRIMARY KEY (park_id, at)
    )
    """,
    """
    CREATE TABLE park_policy (
        park_id text PRIMARY KEY,
        version bigint NOT NULL,
        document jsonb NOT NULL,
        updated_by text NOT NULL,
        reason text NOT NULL,
        updated_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE incident (
        id uuid PRIMARY KEY,
        park_id text NOT NULL,
        state text NOT NULL CHECK (state IN ('active', 'settled', 'closed')),
        colour text NOT NULL,
        peak_colour text NOT NULL,
        property_ids text[] NOT NULL,
        station_ids text[] NOT NULL,
        alarms integer NOT NULL,
        active integer NOT NULL,
        unacknowledged integer NOT NULL,
        opened_at timestamptz NOT NULL,
        last_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        entries integer NOT NULL,
        closed_at timestamptz,
        closed_by text,
        reason_kind text,
        reason text,
        CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
        CHECK ((closed_at IS NULL) = (reason IS NULL))
    )
    """,
    "CREATE INDEX incident_by_park ON incident (park_id, recorded_at DESC, id DESC)",
    "CREATE INDEX incident_open_by_park ON incident (park_id, recorded_at DESC, id DESC) WHERE closed_at IS NULL",
    # An alarm is put into its incident first; how that stands is counted from its alarms, and written then.
    """
    CREATE TABLE incident_alarm (
        incident_id uuid NOT NULL REFERENCES incident (id) DEFERRABLE INITIALLY DEFERRED,
        alarm_id uuid NOT NULL REFERENCES alarm (id),
        PRIMARY KEY (incident_id, alarm_id)
    )
    """,
    "CREATE INDEX incident_of_alarm ON incident_alarm (alarm_id)",
    """
    CREATE TABLE incident_entry (
        id uuid PRIMARY KEY,
        incident_id uuid NOT NULL REFERENCES incident (id),
        number integer NOT NULL,
        change text NOT NULL,
        colour text NOT NULL,
        alarms integer NOT NULL,
        active integer NOT NULL,
        event_time timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        actor text,
        comment text,
        detail jsonb,
        UNIQUE (incident_id, number)
    )
    """,
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for table in ("incident_entry", "incident_alarm", "incident", "park_policy", "park_wind", "station_place"):
        op.execute(f"DROP TABLE {table}")
