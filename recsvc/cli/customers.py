"""`recsvc customers`: every figure of every customer, to a file."""

from __future__ import annotations

from pathlib import Path

import click

from recsvc.bundle.reader import open_bundle
from recsvc.cli.files import write_tables
from recsvc.cli.opening import bundle_store, with_artifacts


@click.command(epilog="Example: recsvc customers --out customers.csv")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write: .parquet, .csv or .jsonl.")
@with_artifacts
def customers(out: Path, artifacts: Path | None) -> None:
    """Write one row a customer as of the live bundle, the win-back list first."""
    table = open_bundle(bundle_store(artifacts).current()).customer_table
    rows = write_tables(out, table.schema, [table])
    click.echo(f"{rows} customers: {out}", err=True)
