"""API keys and the record of what was done with them."""

from alembic import op

revision = "gateway_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE api_key (
            prefix text PRIMARY KEY,
            name text NOT NULL UNIQUE,
            secret_digest bytea NOT NULL CHECK (octet_length(secret_digest) = 32),
            parks text[] NOT NULL CHECK (cardinality(parks) > 0),
            scopes text[] NOT NULL CHECK (scopes <@ ARRAY['read', 'write', 'admin'] AND cardinality(scopes) > 0),
            created_at timestamptz NOT NULL DEFAULT now(),
            expires_at timestamptz,
            revoked_at timestamptz,
            last_used_at timestamptz
        )
        """
    )
    op.execute(
        """
        CREATE TABLE audit (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            at timestamptz NOT NULL,
            key_prefix text NOT NULL,
            actor text NOT NULL,
            method text NOT NULL,
            path text NOT NULL,
            park_id text,
            status integer NOT NULL,
            trace_id text NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX audit_park_at ON audit (park_id, at)")
    # Append only, whoever asks: the role of the gateway may insert, and the table itself refuses the rest.
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the audit is append only'; END $$
        """
    )
    op.execute(
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.execute("DROP TABLE audit")
    op.execute("DROP FUNCTION refuse_change()")
    op.execute("DROP TABLE api_key")
