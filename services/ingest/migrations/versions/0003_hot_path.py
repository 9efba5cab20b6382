"""The outbox of readings tells whom a fact concerns, and does not compress what it keeps for days only."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE outbox ADD COLUMN parks text[]")
    # Compression of columns that go out again at once costs more than the bytes that it saves.
    op.execute("ALTER TABLE outbox ALTER COLUMN payload SET STORAGE EXTERNAL")


def downgrade() -> None:
    op.execute("ALTER TABLE outbox ALTER COLUMN payload SET STORAGE EXTENDED")
    op.execute("ALTER TABLE outbox DROP COLUMN parks")
