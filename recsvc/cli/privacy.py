"""`recsvc privacy`: what is held about a person, and making them a stranger."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import orjson
from markupsafe import escape

from recsvc.cli.late import Late, LateGroup
from recsvc.cli.options import with_artifacts, write_json
from recsvc.cli.stores import live_engine
from recsvc.settings import load_settings
from recsvc.store.erasures import ErasureStore, Receipt

Json = dict[str, Any]  # Any: JSON values


@click.group(
    cls=LateGroup, late={"export": Late("recsvc.cli.privacy_export", "Write all that is held about a customer.")}
)
def privacy() -> None:
    """Answer a person who asks what is held about them, or wants it gone; keep a log that names nobody."""


@privacy.command("erase", epilog="Example: recsvc privacy erase 1111")
@click.argument("customer_id")
@with_artifacts
def erase(customer_id: str, artifacts: str | None) -> None:
    """Make CUSTOMER_ID a stranger to every answer from now on, delete what is held, print a receipt."""
    now, store = datetime.now(UTC), ErasureStore(live_engine(artifacts))
    counts = {**store.erase(customer_id, at=now), "pages": _delete_pages(customer_id, artifacts)}
    write_json(_receipt(store.note("erase", counts, at=now)))


@privacy.command("expire", epilog="Example: recsvc privacy expire --events-older-than 730")
@click.option("--events-older-than", "days", required=True, type=click.IntRange(1), help="Days.")
@with_artifacts
def expire(days: int, artifacts: str | None) -> None:
    """Delete live events older than so many days, but unsubscriptions: those hold for ever."""
    now, store = datetime.now(UTC), ErasureStore(live_engine(artifacts))
    write_json(_receipt(store.note("expire", {"events": store.expire(now - timedelta(days=days))}, at=now)))


@privacy.command("log", epilog="Example: recsvc privacy log")
@with_artifacts
def log(artifacts: str | None) -> None:
    """Show what was exported, erased and expired, and when; it names nobody."""
    write_json([_receipt(one) for one in ErasureStore(live_engine(artifacts)).log()])


@privacy.command("tombstones", epilog="Example: recsvc privacy tombstones erased.json")
@click.argument("file", type=click.Path(path_type=Path))
@with_artifacts
def tombstones(file: Path, artifacts: str | None) -> None:
    """Write FILE for `[erasures] path` of a training config: hashes of who was erased, and their key."""
    found = ErasureStore(live_engine(artifacts)).tombstones()
    content = {"key": found.key.hex(), "tombstones": sorted(one.hex() for one in found.hashes)}
    file.touch(mode=0o600)
    file.write_bytes(orjson.dumps(content))
    click.echo(f"wrote {len(found.hashes)} tombstones to {file}")


def _receipt(receipt: Receipt) -> Json:
    return {**asdict(receipt), "counts": dict(receipt.counts)}


def _delete_pages(customer_id: str, artifacts: str | None) -> int:
    """Delete the pages of trainings that name somebody; the next training writes a new one. How many there were."""
    written = f">{escape(customer_id)}<".encode("utf-8", "surrogatepass")  # as the template writes it, whole
    pages = (load_settings(artifacts=artifacts).folder / "reports").glob("*.html")
    naming = [page for page in pages if written in page.read_bytes()]
    for page in naming:
        page.unlink()
    return len(naming)
