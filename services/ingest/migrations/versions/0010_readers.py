"""How far those who read the facts have come: what they have not read is not forgotten."""

from alembic import op

from shared.fact_readers import CREATE_READERS

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute(CREATE_READERS)


def downgrade() -> None:
    op.execute("DROP TABLE outbox_reader")
