"""Keys of devices that encrypt, and what sessions count of a device."""

from alembic import op

revision = "0009"
down_revision = "0008"

STEPS = (
    "ALTER TABLE device ADD COLUMN sm4_key text",
    """
    CREATE TABLE device_session (
        mn text PRIMARY KEY,
        connections bigint NOT NULL,
        connected_at timestamptz,
        resent bigint NOT NULL,
        incomplete bigint NOT NULL,
        wrong_passwords bigint NOT NULL
    )
    """,
)


def upgrade() -> None:
    for statement in STEPS:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE device_session")
    op.execute("ALTER TABLE device DROP COLUMN sm4_key")
