"""Organisations, their members, keys that are rotated, and an audit that says by which way somebody came in."""

from alembic import op

revision = "gateway_0002"
down_revision = "gateway_0001"

_RESOURCES = ("parks", "observations", "devices", "alarms", "rules", "runs")
_FINE = [f"'{resource}:{verb}'" for resource in _RESOURCES for verb in ("read", "write")]
_SCOPES = ", ".join(["'read'", "'write'", "'admin'", "'audit:read'", *_FINE])

UPGRADE = (
    """
    CREATE TABLE organisation (
        id text PRIMARY KEY,
        kind text NOT NULL CHECK (kind IN ('province', 'park', 'vendor')),
        name text NOT NULL,
        parks text[] NOT NULL CHECK (cardinality(parks) > 0),
        created_at timestamptz NOT NULL,
        disabled_at timestamptz
    )
    """,
    f"""
    CREATE TABLE member (
        id text PRIMARY KEY,
        organisation_id text NOT NULL REFERENCES organisation,
        kind text NOT NULL CHECK (kind IN ('user', 'machine')),
        parks text[] NOT NULL CHECK (cardinality(parks) > 0),
        scopes text[] NOT NULL CHECK (scopes <@ ARRAY[{_SCOPES}] AND cardinality(scopes) > 0),
        issuer text,
        subject text,
        created_at timestamptz NOT NULL,
        disabled_at timestamptz,
        CHECK ((issuer IS NULL) = (subject IS NULL)),
        UNIQUE (issuer, subject)
    )
    """,
    "CREATE INDEX member_by_organisation ON member (organisation_id)",
    "ALTER TABLE api_key ADD COLUMN member_id text REFERENCES member, ADD COLUMN successor text",
    "CREATE INDEX api_key_by_member ON api_key (member_id)",
    "ALTER TABLE api_key DROP CONSTRAINT api_key_scopes_check",
    f"""
    ALTER TABLE api_key ADD CONSTRAINT api_key_scopes_check
        CHECK (scopes <@ ARRAY[{_SCOPES}] AND cardinality(scopes) > 0)
    """,
    # A key and the one that follows it have one name: journals go on naming the same holder.
    "ALTER TABLE api_key DROP CONSTRAINT api_key_name_key",
    "CREATE UNIQUE INDEX api_key_name ON api_key (name) WHERE successor IS NULL",
    "ALTER TABLE audit ADD COLUMN via text NOT NULL DEFAULT 'key', ADD COLUMN organisation_id text",
    "DROP INDEX audit_park_at",
    "CREATE INDEX audit_by_park ON audit (park_id, at, id)",
    "CREATE INDEX audit_by_time ON audit (at, id)",
)
DOWNGRADE = (
    "DROP INDEX audit_by_time",
    "DROP INDEX audit_by_park",
    "CREATE INDEX audit_park_at ON audit (park_id, at)",
    "ALTER TABLE audit DROP COLUMN via, DROP COLUMN organisation_id",
    "DROP INDEX api_key_name",
    "DELETE FROM api_key WHERE successor IS NOT NULL OR NOT scopes <@ ARRAY['read', 'write', 'admin']",
    "ALTER TABLE api_key ADD CONSTRAINT api_key_name_key UNIQUE (name)",
    "ALTER TABLE api_key DROP CONSTRAINT api_key_scopes_check",
    """
    ALTER TABLE api_key ADD CONSTRAINT api_key_scopes_check
        CHECK (scopes <@ ARRAY['read', 'write', 'admin'] AND cardinality(scopes) > 0)
    """,
    "ALTER TABLE api_key DROP COLUMN member_id, DROP COLUMN successor",
    "DROP TABLE member",
    "DROP TABLE organisation",
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
