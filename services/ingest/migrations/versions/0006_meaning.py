"""Corrections beside what they correct, conversions by time, clocks of devices."""

from alembic import op

revision = "0006"
down_revision = "0005"

CORRECTIONS = (
    # The observation holds what counts now, so that every question and roll-up sees it; the journal holds the rest.
    # The first row of a key is what was sent.
    """
    CREATE TABLE correction (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        park_id text NOT NULL,
        datastream_id integer NOT NULL,
        time timestamptz NOT NULL,
        before_value float8,
        before_quality character(1) NOT NULL,
        before_minimum float8,
        before_maximum float8,
        after_value float8,
        after_quality character(1) NOT NULL,
        after_minimum float8,
        after_maximum float8,
        author text NOT NULL,
        reviewer text,
        reason text NOT NULL,
        made_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX correction_key ON correction (datastream_id, time, id)",
    "CREATE INDEX correction_park ON correction (park_id, id)",
    # Contradictions and corrections are kept for as long as the readings that they tell of.
    """
    INSERT INTO retention (relation, time_column, keep) VALUES
        ('correction', 'made_at', interval '1830 days'), ('conflict', 'last_at', interval '1830 days')
    """,
)

# How a datastream's values came to its stored unit: what a row says holds for readings stored from `since` on. By
# trigger, so that no way of changing a mapping forgets it.
CONVERSIONS = (
    "ALTER TABLE datastream ADD COLUMN at_measured_state boolean NOT NULL DEFAULT false",
    """
    CREATE TABLE conversion (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        datastream_id integer NOT NULL REFERENCES datastream,
        since timestamptz NOT NULL DEFAULT now(),
        device_unit text NOT NULL,
        standard_state_c float8 NOT NULL,
        at_measured_state boolean NOT NULL
    )
    """,
    "CREATE INDEX conversion_datastream ON conversion (datastream_id, id)",
    """
    INSERT INTO conversion (datastream_id, device_unit, standard_state_c, at_measured_state)
    SELECT id, device_unit, standard_state_c, at_measured_state FROM datastream ORDER BY id
    """,
    """
    CREATE FUNCTION note_conversion() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
        IF TG_OP = 'INSERT' OR (old.device_unit, old.standard_state_c, old.at_measured_state)
            IS DISTINCT FROM (new.device_unit, new.standard_state_c, new.at_measured_state) THEN
            INSERT INTO conversion (datastream_id, device_unit, standard_state_c, at_measured_state)
            VALUES (new.id, new.device_unit, new.standard_state_c, new.at_measured_state);
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER note_conversion AFTER INSERT OR UPDATE ON datastream
    FOR EACH ROW EXECUTE FUNCTION note_conversion()
    """,
)

CLOCKS = (
    """
    CREATE TABLE device_clock (
        mn text PRIMARY KEY,
        skew_s float8 NOT NULL,
        beyond_limit boolean NOT NULL,
        measured_at timestamptz NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in (*CORRECTIONS, *CONVERSIONS, *CLOCKS):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("corrections without their journal would pass for what was sent; restore a backup instead")
