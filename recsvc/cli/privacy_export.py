"""`recsvc privacy export`: what is held about a person."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from recsvc.api.replies import profile_json
from recsvc.cli.opening import live_recommender
from recsvc.cli.options import with_artifacts, write_json
from recsvc.cli.stores import live_engine
from recsvc.domain.touchpoints import KINDS
from recsvc.errors import BundleNotFound, UnknownCustomer
from recsvc.serving.customer_state import moment_of
from recsvc.serving.recommender import Recommender
from recsvc.store.campaigns import CampaignStore
from recsvc.store.erasures import ErasureStore
from recsvc.store.events import EVENT_KINDS, EventStore

Json = dict[str, Any]  # Any: JSON values


@click.command(epilog="Example: recsvc privacy export 1111 > their-data.json")
@click.argument("customer_id")
@with_artifacts
def export(customer_id: str, artifacts: str | None) -> None:
    """Write all that is held about CUSTOMER_ID, as JSON."""
    now, engine = datetime.now(UTC), live_engine(artifacts)
    events = EventStore(engine).of_customers([customer_id], EVENT_KINDS, since=moment_of(0))
    campaigns = CampaignStore(engine).of_customer(customer_id)
    held = {
        **_in_bundle(customer_id, artifacts, now),
        "events": [asdict(event) for event in events],
        "campaigns": [{"campaign_id": name, **asdict(member)} for name, member in campaigns],
    }
    ErasureStore(engine).note("export", {"events": len(events), "campaigns": len(campaigns)}, at=now)
    write_json({"customer_id": customer_id, **held})


def _in_bundle(customer_id: str, artifacts: str | None, now: datetime) -> Json:
    """What the live bundle holds; nothing where there is no bundle."""
    try:
        recommender = live_recommender(artifacts)
    except BundleNotFound:
        return {"bundle_id": None, "profile": None, "orders": [], "touchpoints": [], "attributes": None}
    return {
        "bundle_id": recommender.bundle_id,
        "profile": _profile(recommender, customer_id, now),
        **_record(recommender, customer_id),
    }


def _profile(recommender: Recommender, customer_id: str, now: datetime) -> Any:  # Any: JSON
    try:
        return profile_json(recommender.customer(customer_id, now=now))
    except UnknownCustomer:
        return None


def _record(recommender: Recommender, customer_id: str) -> Json:
    """Order lines, touchpoints and attributes of the record, as they were trained on."""
    bundle = recommender.bundle
    erased = recommender.live.erased([customer_id])
    record = None if erased else bundle.customers.get(customer_id)
    said = bundle.attributes
    attributes = (
        [] if said is None or erased else [row for row in said.to_pylist() if row["customer_id"] == customer_id]
    )
    if record is None:
        return {"orders": [], "touchpoints": [], "attributes": attributes}
    lines = zip(record.line_day, record.line_item, record.line_quantity, record.line_amount, strict=True)
    touched = record.touchpoints
    return {
        "orders": [
            {
                "day": moment_of(int(day)).date(),
                "item_id": bundle.items.ids.id(int(item)),
                "quantity": float(quantity),
                "amount": int(amount) / 100,
            }
            for day, item, quantity, amount in lines
        ],
        "touchpoints": [
            {"day": moment_of(int(day)).date(), "kind": KINDS[kind], "value": float(value)}
            for day, kind, value in zip(touched.day, touched.kind, touched.value, strict=True)
        ],
        "attributes": attributes,
    }
