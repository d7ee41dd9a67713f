"""Purchases sent to a running service, each followed at once by a question that must know of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from tests.live_service import LiveService


def unseen_purchases(
    replicas: Sequence[LiveService], customer_ids: list[str], item_ids: list[str], pairs: int, seed: int
) -> list[str]:
    """Event ids of the purchases that the next answer, of the next replica, did not know of; of so many random ones."""
    rng = np.random.default_rng(seed)
    unseen = []
    for number in range(pairs):
        customer_id, item_id = str(rng.choice(customer_ids)), str(rng.choice(item_ids))
        event_id = f"pair-{seed}-{number}"
        event = purchase(event_id, customer_id, item_id)
        told, asked = replicas[number % len(replicas)], replicas[(number + 1) % len(replicas)]
        reply = told.post("/v1/events", {"events": [event]})
        slate = asked.get("/v1/recommendations", customer_id=customer_id, k=100, exclude_purchased="true")
        knows = slate["customer"] and slate["customer"]["days_since_last_purchase"] <= 1
        if reply["accepted"] != 1 or not knows or item_id in {one["item_id"] for one in slate["items"]}:
            unseen.append(event_id)
    return unseen


def purchase(event_id: str, customer_id: str, item_id: str) -> dict[str, str | float]:
    """A purchase of this moment."""
    return {
        "event_id": event_id,
        "kind": "purchase",
        "customer_id": customer_id,
        "item_id": item_id,
        "price": 2.5,
        "occurred_at": datetime.now(UTC).isoformat(),
    }
