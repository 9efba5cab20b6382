"""Subscriptions: who is told what, the log of what there is to tell, and what could not be told."""

from alembic import op

revision = "gateway_0003"
down_revision = "gateway_0002"

_RESOURCES = ("parks", "observations", "devices", "alarms", "rules", "runs")
_BEFORE = [
    "read",
    "write",
    "admin",
    "audit:read",
    *(f"{name}:{verb}" for name in _RESOURCES for verb in ("read", "write")),
]
_NOW = [*_BEFORE, "subscriptions:read", "subscriptions:write"]
_EVENT = """
    seq bigint NOT NULL,
    stream text NOT NULL,
    position bigint NOT NULL,
    kind text NOT NULL,
    park_id text NOT NULL,
    level smallint,
    data text NOT NULL,
    at timestamptz NOT NULL
"""


def _words(scopes: list[str]) -> str:
    return ", ".join(f"'{scope}'" for scope in scopes)


def _allow(table: str, scopes: list[str]) -> tuple[str, str]:
    check = f"CHECK (scopes <@ ARRAY[{_words(scopes)}] AND cardinality(scopes) > 0)"
    constraint = f"{table}_scopes_check"
    return (
        f"ALTER TABLE {table} DROP CONSTRAINT {constraint}",
        f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {check}",
    )


UPGRADE = (
    *_allow("api_key", _NOW),
    *_allow("member", _NOW),
    """
    CREATE TABLE subscription (
        id uuid PRIMARY KEY,
        name text NOT NULL,
        organisation_id text REFERENCES organisation,
        created_by text NOT NULL,
        created_at timestamptz NOT NULL,
        parks text[] NOT NULL CHECK (cardinality(parks) > 0),
        kinds text[] NOT NULL CHECK (cardinality(kinds) > 0),
        least_level smallint,
        channel text NOT NULL,
        target text NOT NULL,
        language text NOT NULL CHECK (language IN ('zh', 'en', 'both')),
        secrets jsonb NOT NULL,
        enabled boolean NOT NULL DEFAULT true,
        disabled_reason text,
        cursor bigint NOT NULL,
        resumed_at timestamptz NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        next_attempt_at timestamptz NOT NULL,
        failing_since timestamptz,
        last_error text,
        last_sent_at timestamptz
    )
    """,
    "CREATE INDEX subscription_by_age ON subscription (created_at, id)",
    # One row, locked by whoever adds to the log: numbers are seen in the order in which they were given.
    "CREATE TABLE subscription_head (id integer PRIMARY KEY CHECK (id = 1), seq bigint NOT NULL)",
    "CREATE TABLE subscription_source (stream text PRIMARY KEY, position bigint NOT NULL)",
    f"CREATE TABLE subscription_event ({_EVENT}, only_for uuid, PRIMARY KEY (seq))",
    "CREATE INDEX subscription_event_by_time ON subscription_event (at)",
    f"""
    CREATE TABLE subscription_dead (
        subscription_id uuid NOT NULL REFERENCES subscription ON DELETE CASCADE,
        {_EVENT},
        died_at timestamptz NOT NULL,
        error text NOT NULL,
        PRIMARY KEY (subscription_id, seq)
    )
    """,
    "CREATE INDEX subscription_dead_by_time ON subscription_dead (died_at)",
)
_LACKING = f"NOT scopes <@ ARRAY[{_words(_BEFORE)}]"
DOWNGRADE = (
    "DROP TABLE subscription_dead",
    "DROP TABLE subscription_event",
    "DROP TABLE subscription_source",
    "DROP TABLE subscription_head",
    "DROP TABLE subscription",
    f"DELETE FROM api_key WHERE {_LACKING} OR member_id IN (SELECT id FROM member WHERE {_LACKING})",  # noqa: S608
    f"DELETE FROM member WHERE {_LACKING}",  # noqa: S608
    *_allow("member", _BEFORE),
    *_allow("api_key", _BEFORE),
)


def upgrade() -> None:
    for statement in UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWNGRADE:
        op.execute(statement)
