"""`recsvc customers`: every figure of every customer, to a file."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import click
import pyarrow as pa
from rich.console import Console
from rich.progress import track

from recsvc.cli.files import write_tables
from recsvc.cli.opening import live_recommender
from recsvc.cli.options import with_artifacts
from recsvc.serving.customer_file import CHUNK, customer_tables


@click.command(epilog="Example: recsvc customers --out customers.csv")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write: .parquet, .csv or .jsonl.")
@with_artifacts
def customers(out: Path, artifacts: str | None) -> None:
    """Write one row a customer as of the live bundle: the win-back list, the early warning list, then the others."""
    recommender = live_recommender(artifacts)
    bundle = recommender.bundle
    tables = customer_tables(bundle, recommender.live)
    first = next(tables)  # every bundle has a customer
    rows = write_tables(out, first.schema, _shown(chain([first], tables), len(bundle.customer_table)))
    click.echo(f"{rows} customers: {out}", err=True)


def _shown(tables: Iterable[pa.Table], n_customers: int) -> Iterable[pa.Table]:
    console = Console(stderr=True)
    return track(tables, "customers", -(-n_customers // CHUNK), console=console, disable=not console.is_terminal)
