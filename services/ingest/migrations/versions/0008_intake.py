"""Answers by idempotency key; uploads of history, and the rows of them that were refused."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    """
    CREATE TABLE idempotency (
        park_id text NOT NULL,
        caller text NOT NULL,
        key text NOT NULL,
        fingerprint bytea NOT NULL,
        answer bytea,
        begun_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (park_id, caller, key)
    )
    """,
    "CREATE INDEX idempotency_begun ON idempotency (begun_at)",
    """
    CREATE TABLE upload (
        park_id text NOT NULL,
        id text NOT NULL,
        attempt uuid NOT NULL,
        caller text NOT NULL,
        state text NOT NULL,
        detail text,
        begun_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        bytes bigint NOT NULL DEFAULT 0,
        lines bigint NOT NULL DEFAULT 0,
        accepted bigint NOT NULL DEFAULT 0,
        duplicate bigint NOT NULL DEFAULT 0,
        conflicting bigint NOT NULL DEFAULT 0,
        refused bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (park_id, id)
    )
    """,
    "CREATE INDEX upload_updated ON upload (updated_at)",
    """
    CREATE TABLE upload_refusal (
        park_id text NOT NULL,
        upload_id text NOT NULL,
        line bigint NOT NULL,
        detail text NOT NULL,
        PRIMARY KEY (park_id, upload_id, line),
        FOREIGN KEY (park_id, upload_id) REFERENCES upload ON DELETE CASCADE
    )
    """,
    """
    INSERT INTO retention (relation, time_column, keep) VALUES
        ('idempotency', 'begun_at', interval '1 day'),
        ('upload', 'updated_at', interval '30 days')
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for statement in (
        "DELETE FROM retention WHERE relation IN ('idempotency', 'upload')",
        "DROP TABLE upload_refusal",
        "DROP TABLE upload",
        "DROP TABLE idempotency",
    ):
        op.execute(statement)
