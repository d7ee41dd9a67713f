"""Campaigns, whom they were launched for, and coupon codes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the three tables."""
    op.create_table(
        "campaigns",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("bundle_id", sa.String(64), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("begun_at", sa.String(32), nullable=False),
        sa.Column("launched_at", sa.String(32)),
        sa.Column("starts_at", sa.String(32), nullable=False),
        sa.Column("ends_at", sa.String(32), nullable=False),
        sa.Column("closed_at", sa.String(32)),
    )
    sequence = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "campaign_members",
        sa.Column("seq", sequence, primary_key=True, autoincrement=True),
        sa.Column("campaign", sa.String(64), nullable=False),
        sa.Column("customer_key", sa.LargeBinary(16), nullable=False),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("arm", sa.String(16), nullable=False),
        sa.Column("layer", sa.String(32), nullable=False),
        sa.Column("offer", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(64)),
        sa.Column("send_at", sa.String(32)),
        sa.Column("slate_id", sa.String(64)),
        sa.Column("details", sa.Text, nullable=False),
        sa.UniqueConstraint("campaign", "customer_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("campaigns_of_customer", "campaign_members", ["customer_key"])
    op.create_table(
        "coupons",
        sa.Column("pool", sa.String(64), primary_key=True),
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("campaign", sa.String(64)),
        sa.Column("customer_key", sa.LargeBinary(16)),
        sa.Column("drawn_at", sa.String(32)),
        sa.UniqueConstraint("pool", "campaign", "customer_key"),
    )
    op.execute("INSERT INTO schema_version (version) VALUES (3)")
