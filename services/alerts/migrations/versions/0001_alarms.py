"""Alarms, their journal, the state of the evaluation, the parks' rules and the outbox."""

from alembic import op

from shared.outbox import CREATE_OUTBOX

revision = "0001"
down_revision = None

CREATE = (
    # Where the evaluation stands in each stream of readings: moved in the transaction of what the readings did.
    """
    CREATE TABLE position (
        stream text PRIMARY KEY,
        position bigint NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE evaluation_state (
        datastream_id bigint NOT NULL,
        rule_id text NOT NULL,
        document jsonb NOT NULL,
        too_late bigint NOT NULL DEFAULT 0,
        backfilled bigint NOT NULL DEFAULT 0,
        ahead bigint NOT NULL DEFAULT 0,
        updated_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (datastream_id, rule_id)
    )
    """,
    # One row a park: what its park file says about rules. `version` tells the evaluation that it changed.
    """
    CREATE TABLE rule_override (
        park_id text PRIMARY KEY,
        version bigint NOT NULL,
        rules jsonb NOT NULL,
        updated_by text NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE alarm (
        id uuid PRIMARY KEY,
        park_id text NOT NULL,
        station_id text NOT NULL,
        station_name_zh text NOT NULL,
        station_name_en text NOT NULL,
        ring text NOT NULL,
        subject_key text NOT NULL,
        datastream_id bigint,
        property_id text,
        unit text,
        rule_id text NOT NULL,
        serial integer NOT NULL,
        entries integer NOT NULL,
        state text NOT NULL
            CHECK (state IN ('normal', 'unacknowledged', 'acknowledged', 'returned_unacknowledged')),
        active boolean NOT NULL,
        colour text NOT NULL CHECK (colour IN ('blue', 'yellow', 'orange', 'red')),
        peak_colour text NOT NULL CHECK (peak_colour IN ('blue', 'yellow', 'orange', 'red')),
        value double precision,
        peak_value double precision,
        threshold double precision,
        raised_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        withdrawn boolean NOT NULL DEFAULT false,
        acknowledged_by text,
        acknowledged_at timestamptz,
        comment text,
        returned_at timestamptz,
        closed_at timestamptz,
        UNIQUE (subject_key, rule_id, serial),
        CHECK ((state = 'normal') = (closed_at IS NOT NULL))
    )
    """,
    # One open alarm of a subject and a rule, whoever writes.
    "CREATE UNIQUE INDEX alarm_one_open ON alarm (subject_key, rule_id) WHERE closed_at IS NULL",
    "CREATE INDEX alarm_by_park ON alarm (park_id, raised_at DESC, id DESC)",
    "CREATE INDEX alarm_open_by_park ON alarm (park_id, raised_at DESC, id DESC) WHERE closed_at IS NULL",
    # `alarm_id` is null for what raised no alarm but must be known: readings of long ago that reach a level.
    """
    CREATE TABLE journal (
        id uuid PRIMARY KEY,
        alarm_id uuid REFERENCES alarm (id),
        number integer NOT NULL,
        park_id text NOT NULL,
        station_id text NOT NULL,
        datastream_id bigint,
        rule_id text NOT NULL,
        action text NOT NULL,
        told_as text,
        state_before text,
        state_after text,
        colour_before text,
        colour_after text NOT NULL,
        value double precision,
        threshold double precision,
        event_time timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        actor text,
        comment text,
        detail jsonb,
        UNIQUE (alarm_id, number)
    )
    """,
    "CREATE INDEX journal_by_park ON journal (park_id, recorded_at DESC)",
    # Facts that could not be used, with the reason: set aside so that they do not stop the ones behind them.
    """
    CREATE TABLE refused_fact (
        stream text NOT NULL,
        position bigint NOT NULL,
        reason text NOT NULL,
        payload bytea NOT NULL,
        refused_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (stream, position)
    )
    """,
    *CREATE_OUTBOX,
)


def upgrade() -> None:
    for statement in CREATE:
        op.execute(statement)


def downgrade() -> None:
    for table in (
        "outbox_stream",
        "outbox",
        "refused_fact",
        "journal",
        "alarm",
        "rule_override",
        "evaluation_state",
        "position",
    ):
        op.execute(f"DROP TABLE {table}")
