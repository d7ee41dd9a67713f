"""`recsvc privacy`: what is held about a person, and making them a stranger."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import orjson
from markupsafe import escape

from recsvc.api.replies import profile_json
from recsvc.cli.opening import live_engine, live_recommender, with_artifacts, write_json
from recsvc.domain.touchpoints import KINDS
from recsvc.errors import BundleNotFound, UnknownCustomer
from recsvc.serving.customer_state import moment_of
from recsvc.serving.recommender import Recommender
from recsvc.settings import load_settings
from recsvc.store.campaigns import CampaignStore
from recsvc.store.erasures import ErasureStore, Receipt
from recsvc.store.events import EVENT_KINDS, EventStore

Json = dict[str, Any]  # Any: JSON values


@click.group()
def privacy() -> None:
    """Answer a person who asks what is held about them, or wants it gone; keep a log that names nobody."""


@privacy.command("export", epilog="Example: recsvc privacy export 1111 > their-data.json")
@click.argument("customer_id")
@with_artifacts
def export(customer_id: str, artifacts: Path | None) -> None:
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


@privacy.command("erase", epilog="Example: recsvc privacy erase 1111")
@click.argument("customer_id")
@with_artifacts
def erase(customer_id: str, artifacts: Path | None) -> None:
    """Make CUSTOMER_ID a stranger to every answer from now on, delete what is held, print a receipt."""
    now, store = datetime.now(UTC), ErasureStore(live_engine(artifacts))
    counts = {**store.erase(customer_id, at=now), "pages": _delete_pages(customer_id, artifacts)}
    write_json(_receipt(store.note("erase", counts, at=now)))


@privacy.command("expire", epilog="Example: recsvc privacy expire --events-older-than 730")
@click.option("--events-older-than", "days", required=True, type=click.IntRange(1), help="Days.")
@with_artifacts
def expire(days: int, artifacts: Path | None) -> None:
    """Delete live events older than so many days, but unsubscriptions: those hold for ever."""
    now, store = datetime.now(UTC), ErasureStore(live_engine(artifacts))
    write_json(_receipt(store.note("expire", {"events": store.expire(now - timedelta(days=days))}, at=now)))


@privacy.command("log", epilog="Example: recsvc privacy log")
@with_artifacts
def log(artifacts: Path | None) -> None:
    """Show what was exported, erased and expired, and when; it names nobody."""
    write_json([_receipt(one) for one in ErasureStore(live_engine(artifacts)).log()])


@privacy.command("tombstones", epilog="Example: recsvc privacy tombstones erased.json")
@click.argument("file", type=click.Path(path_type=Path))
@with_artifacts
def tombstones(file: Path, artifacts: Path | None) -> None:
    """Write FILE for `[erasures] path` of a training config: hashes of who was erased, and their key."""
    found = ErasureStore(live_engine(artifacts)).tombstones()
    content = {"key": found.key.hex(), "tombstones": sorted(one.hex() for one in found.hashes)}
    file.touch(mode=0o600)
    file.write_bytes(orjson.dumps(content))
    click.echo(f"wrote {len(found.hashes)} tombstones to {file}")


def _receipt(receipt: Receipt) -> Json:
    return {**asdict(receipt), "counts": dict(receipt.counts)}


def _in_bundle(customer_id: str, artifacts: Path | None, now: datetime) -> Json:
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


def _delete_pages(customer_id: str, artifacts: Path | None) -> int:
    """Delete the pages of trainings that name somebody; the next training writes a new one. How many there were."""
    written = f">{escape(customer_id)}<".encode("utf-8", "surrogatepass")  # as the template writes it, whole
    pages = (load_settings(artifacts=artifacts).artifacts / "reports").glob("*.html")
    naming = [page for page in pages if written in page.read_bytes()]
    for page in naming:
        page.unlink()
    return len(naming)
