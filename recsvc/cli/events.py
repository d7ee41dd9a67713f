"""`recsvc events`: live events out of the store into a file, and from a file into the store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import click
import pyarrow as pa

from recsvc.api.event_schemas import DETAILS, EventsRequest
from recsvc.cli.files import read_table, write_tables
from recsvc.cli.options import as_json, with_artifacts, write_json
from recsvc.settings import load_settings
from recsvc.store.engine import open_store
from recsvc.store.events import Event, EventStore

NUMBERS = ("quantity", "price", "score")
COLUMNS = ("event_id", "kind", "customer_id", "occurred_at", "item_id", *DETAILS)
SCHEMA = pa.schema([(name, pa.float64() if name in NUMBERS else pa.string()) for name in COLUMNS])
AT_ONCE = 1_000
SHOWN = 3  # rejected rows that are told of one by one


@click.group()
def events() -> None:
    """Export live events for the next training, or import them."""


@events.command("export", epilog="Example: recsvc events export events.parquet")
@click.argument("file", type=click.Path(path_type=Path))
@with_artifacts
def export_events(file: Path, artifacts: str | None) -> None:
    """Write every event to FILE (.parquet, .csv or .jsonl), in the order they came; `[live]` of a config reads it."""
    rows = write_tables(file, SCHEMA, _tables(_store(artifacts).all()))
    click.echo(f"wrote {rows} events to {file}")


@events.command("import", epilog="Example: recsvc events import events.csv")
@click.argument("file", type=click.Path(path_type=Path))
@with_artifacts
@as_json
def import_events(file: Path, artifacts: str | None, as_json: bool) -> None:
    """Add the events of FILE that are not there yet, under the rules of POST /v1/events; the rest is told."""
    store, now = _store(artifacts), datetime.now(UTC)
    accepted, duplicate, rejected, first_row = 0, 0, [], 1
    for batch in read_table(file, SCHEMA).to_batches(AT_ONCE):
        request = _request(batch)
        kept, wrong = request.sorted_out(now)
        added = store.add(kept, received_at=now)
        accepted, duplicate = accepted + added.accepted, duplicate + added.duplicate
        rejected += [
            {"row": first_row + one.index, "reason": one.reason} for one in request.all_rejected(wrong, added.erased)
        ]
        first_row += len(batch)
    if as_json:
        write_json({"accepted": accepted, "duplicate": duplicate, "rejected": rejected})
        return
    click.echo(f"accepted {accepted}, there before {duplicate}, rejected {len(rejected)}")
    for one in rejected[:SHOWN]:
        click.echo(f"row {one['row']}: {one['reason']}", err=True)


def _store(artifacts: str | None) -> EventStore:
    return EventStore(open_store(load_settings(artifacts=artifacts).live_store_url))


def _request(batch: pa.RecordBatch) -> EventsRequest:
    rows = [{name: value for name, value in row.items() if value is not None} for row in batch.to_pylist()]
    return EventsRequest.model_validate({"events": tuple(rows)}, strict=True)


def _tables(found: Iterator[Event]) -> Iterator[pa.Table]:
    while some := [_flat(event) for event in islice(found, AT_ONCE)]:
        yield pa.Table.from_pylist(some, SCHEMA)


def _flat(event: Event) -> dict[str, object]:
    one = {"quantity": 1.0} if event.kind == "purchase" else {}
    return {
        **one,
        **event.details,
        "event_id": event.event_id,
        "kind": event.kind,
        "customer_id": event.customer_id,
        "occurred_at": event.occurred_at.isoformat(),
        "item_id": event.item_id,
    }
