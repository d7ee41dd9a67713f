"""What is said of bundles, and what may be asked about them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from recsvc.api.outbound import Reply
from recsvc.api.schemas import Request


class RollbackRequest(Request):
    """Which bundle to leave."""

    leave: Annotated[
        str, Field(min_length=1, max_length=80, description="The bundle that is live: so that a retry goes back once.")
    ]


class GateReply(Reply):
    """What the gate said of a bundle when it was trained."""

    passed: bool
    forced: bool
    reasons: list[str]


class BundleReply(Reply):
    """A trained bundle."""

    bundle_id: str
    live: bool
    as_of: datetime
    created_at: datetime
    customers: int
    items: int
    catalogue: Annotated[int, Field(description="Items that may be recommended.")]
    gate: GateReply


class BundlesReply(Reply):
    """Bundles, the newest first."""

    bundles: list[BundleReply]
