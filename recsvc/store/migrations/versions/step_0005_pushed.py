"""When a webhook took a message."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column."""
    op.add_column("campaign_members", sa.Column("pushed_at", sa.String(32)))
    op.execute("INSERT INTO schema_version (version) VALUES (5)")
