"""Live events, and what is on sale at which price."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make both tables."""
    sequence = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "events",
        sa.Column("seq", sequence, primary_key=True, autoincrement=True),
        sa.Column("event_id", sa.String(200), nullable=False, unique=True),
        sa.Column("customer_key", sa.LargeBinary(16), nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("item_id", sa.Text),
        sa.Column("occurred_at", sa.String(32), nullable=False),
        sa.Column("received_at", sa.String(32), nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("events_of_customer", "events", ["customer_key", "occurred_at"])
    op.create_table(
        "availability",
        sa.Column("item_key", sa.LargeBinary(16), primary_key=True),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("available", sa.Boolean, nullable=False),
        sa.Column("price", sa.BigInteger),
        sa.Column("changed_at", sa.String(32), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False, unique=True),
    )
    op.execute("INSERT INTO schema_version (version) VALUES (2)")
