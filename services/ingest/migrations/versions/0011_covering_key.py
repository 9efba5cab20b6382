"""The key of observations holds what a question for them shows.

The readings of one datastream lie apart by all that the other datastreams sent between: a day by the minute is 1,440
pages of the table, and a dozen of its key. A page is read from the key alone once it is known that everybody sees all
of it, which is noted by vacuum: so that comes after so many new rows, not after a share of all.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

_KEY = "ALTER TABLE observation DROP CONSTRAINT observation_pkey, ADD PRIMARY KEY (datastream_id, time)"


def upgrade() -> None:
    op.execute(f"{_KEY} INCLUDE (value, quality, minimum, maximum)")
    op.execute(
        "ALTER TABLE observation "
        "SET (autovacuum_vacuum_insert_threshold = 1000000, autovacuum_vacuum_insert_scale_factor = 0)"
    )


def downgrade() -> None:
    op.execute(
        "ALTER TABLE observation RESET (autovacuum_vacuum_insert_threshold, autovacuum_vacuum_insert_scale_factor)"
    )
    op.execute(_KEY)
