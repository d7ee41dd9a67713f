"""Tables of the live data, as `migrations` make them.

Times are UTC, as ISO 8601 text, so that every database gives back the same; those of events have six decimals, so that
they sort as text. Whatever is about a customer names them by `customer_key`, 16 bytes that fit into any index.
"""

from __future__ import annotations

import sqlalchemy as sa

SCHEMA_VERSION = 5  # number of the last step in `migrations`

metadata = sa.MetaData()

schema_version = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True))

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("key_id", sa.String(16), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
    sa.Column("created_at", sa.String(32), nullable=False),
    sa.Column("revoked_at", sa.String(32)),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("event_id", sa.String(200), nullable=False, unique=True),
    sa.Column("customer_key", sa.LargeBinary(16), nullable=False),
    sa.Column("customer_id", sa.Text, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("item_id", sa.Text),
    sa.Column("occurred_at", sa.String(32), nullable=False),
    sa.Column("received_at", sa.String(32), nullable=False),
    sa.Column("details", sa.Text, nullable=False),  # the rest, as JSON
    sa.Index("events_of_customer", "customer_key", "occurred_at"),
    sqlite_autoincrement=True,
)

availability = sa.Table(
    "availability",
    metadata,
    sa.Column("item_key", sa.LargeBinary(16), primary_key=True),
    sa.Column("item_id", sa.Text, nullable=False),
    sa.Column("available", sa.Boolean, nullable=False),
    sa.Column("price", sa.BigInteger),  # minor units; none: what the bundle says
    sa.Column("changed_at", sa.String(32), nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False, unique=True),
)

campaigns = sa.Table(
    "campaigns",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("bundle_id", sa.String(64), nullable=False),
    sa.Column("document", sa.Text, nullable=False),  # the campaign's file and what was expected of it, as JSON
    sa.Column("begun_at", sa.String(32), nullable=False),
    sa.Column("launched_at", sa.String(32)),  # none: interrupted, and nobody sees any of it
    sa.Column("starts_at", sa.String(32), nullable=False),
    sa.Column("ends_at", sa.String(32), nullable=False),
    sa.Column("closed_at", sa.String(32)),
)

campaign_members = sa.Table(
    "campaign_members",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("campaign", sa.String(64), nullable=False),
    sa.Column("customer_key", sa.LargeBinary(16), nullable=False),
    sa.Column("customer_id", sa.Text, nullable=False),
    sa.Column("arm", sa.String(16), nullable=False),
    sa.Column("layer", sa.String(32), nullable=False),
    sa.Column("offer", sa.String(64), nullable=False),
    sa.Column("channel", sa.String(64)),
    sa.Column("send_at", sa.String(32)),
    sa.Column("slate_id", sa.String(64)),
    sa.Column("details", sa.Text, nullable=False),  # what the choice rested on, the slate and the code, as JSON
    sa.Column("pushed_at", sa.String(32)),  # when a webhook took the message
    sa.UniqueConstraint("campaign", "customer_key"),
    sa.Index("campaigns_of_customer", "customer_key"),
    sqlite_autoincrement=True,
)

coupons = sa.Table(
    "coupons",
    metadata,
    sa.Column("pool", sa.String(64), primary_key=True),
    sa.Column("code", sa.String(64), primary_key=True),
    sa.Column("campaign", sa.String(64)),
    sa.Column("customer_key", sa.LargeBinary(16)),
    sa.Column("drawn_at", sa.String(32)),
    sa.UniqueConstraint("pool", "campaign", "customer_key"),
)

erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("tombstone", sa.LargeBinary(16), nullable=False, unique=True),  # keyed hash of an id
    sa.Column("erased_at", sa.String(32), nullable=False),
)

privacy_log = sa.Table(
    "privacy_log",
    metadata,
    sa.Column("receipt_id", sa.String(36), primary_key=True),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("happened_at", sa.String(32), nullable=False),
    sa.Column("counts", sa.Text, nullable=False),  # of what was done, as JSON; names nobody
)

secrets = sa.Table(
    "secrets",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("value", sa.LargeBinary(32), nullable=False),
)
