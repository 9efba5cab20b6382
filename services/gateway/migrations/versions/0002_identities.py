"""Organisations, keys, tokens."""

revision = "gateway_0002"
down_revision = "gateway_0001"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
