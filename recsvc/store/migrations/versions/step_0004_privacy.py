"""Erasures, the log of them, and the key of their hashes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the three tables."""
    op.create_table(
        "erasures",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("tombstone", sa.LargeBinary(16), nullable=False, unique=True),
        sa.Column("erased_at", sa.String(32), nullable=False),
    )
    op.create_table(
        "privacy_log",
        sa.Column("receipt_id", sa.String(36), primary_key=True),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("happened_at", sa.String(32), nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.LargeBinary(32), nullable=False),
    )
    op.execute("INSERT INTO schema_version (version) VALUES (4)")
