"""Facts get their positions as the transaction commits."""

from alembic import op

from shared.outbox import POSITIONS_AT_COMMIT, POSITIONS_BY_RELAY

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for statement in POSITIONS_AT_COMMIT:
        op.execute(statement)


def downgrade() -> None:
    for statement in POSITIONS_BY_RELAY:
        op.execute(statement)
