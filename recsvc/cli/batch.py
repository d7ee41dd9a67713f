"""`recsvc batch`: slates for many customers, to a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.progress import track

from recsvc.cli.files import read_customer_ids, read_shown, write_tables
from recsvc.cli.opening import live_recommender
from recsvc.cli.options import with_artifacts
from recsvc.cli.wishes import with_wishes
from recsvc.domain.lapse import STATES
from recsvc.serving.live_records import strangers
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Query, Slate

CHUNK = 1024
SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("rank", pa.int32()),
        ("item_id", pa.string()),
        ("score", pa.float64()),
        ("reasons", pa.string()),
    ]
)


@click.command(epilog="Example: recsvc batch --state lapsed --k 10 --shown last-week.parquet --out slates.parquet")
@click.option("--customers", type=click.Path(path_type=Path), help="CSV or Parquet with a customer_id column.")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Customers in a state; repeatable.")
@click.option("--all", "everybody", is_flag=True, help="Every customer on record.")
@with_wishes(1000)
@click.option(
    "--shown",
    "shown_files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="File of an earlier send, as written here: what it shows steps back; repeatable.",
)
@click.option("--shown-since", type=click.DateTime(["%Y-%m-%d"]), help="Day of the earliest of these sends.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write: .parquet, .csv or .jsonl.")
@with_artifacts
def batch(  # noqa: PLR0913 - one parameter an option
    customers: Path | None,
    states: tuple[str, ...],
    everybody: bool,
    wishes: Query,
    shown_files: tuple[Path, ...],
    shown_since: datetime | None,
    out: Path,
    artifacts: str | None,
) -> None:
    """Write slates, one row an item, for a file of customers, for some states, or for everybody."""
    if (customers is not None) + bool(states) + everybody != 1:
        raise click.UsageError("name exactly one of --customers FILE, --state STATE and --all")
    recommender = live_recommender(artifacts)
    ids = read_customer_ids(customers) if customers else customers_in(recommender, states)
    shown = read_shown(shown_files)
    template = replace(wishes, shown_since=shown_since and shown_since.date())
    rows = write_tables(out, SCHEMA, _shown(slate_tables(recommender, ids, template, shown), len(ids)))
    click.echo(f"{len(ids)} customers, {rows} rows: {out}", err=True)


def customers_in(recommender: Recommender, states: Sequence[str]) -> list[str]:
    """Ids of the customers in some states as of the bundle, or of all for none; the win-back list comes first.

    Who was erased, or wants no personalisation, is in neither.
    """
    table = recommender.bundle.customer_table
    if states:
        table = table.filter(pc.is_in(table["state"], value_set=pa.array(states)))
    ids: list[str] = table["customer_id"].to_pylist()
    hidden = strangers(recommender.bundle, recommender.live, ids)
    return [one for one in ids if one not in hidden]


def slate_tables(
    recommender: Recommender, ids: Sequence[str], template: Query, shown: Mapping[str, tuple[str, ...]]
) -> Iterator[pa.Table]:
    """Slates as tables of rows, a chunk of customers at a time; `shown` holds what customers were sent before."""
    now = datetime.now(UTC)  # dates the state of customers, which these rows do not hold
    for start in range(0, len(ids), CHUNK):
        some = ids[start : start + CHUNK]
        queries = [replace(template, customer_id=one, shown=shown.get(one, ())) for one in some]
        slates = recommender.recommend_many(queries, now=now)
        yield pa.Table.from_pylist([row for slate in slates for row in _rows(slate)], SCHEMA)


def _rows(slate: Slate) -> Iterator[dict[str, object]]:
    for item in slate.items:
        reasons = orjson.dumps([{"code": reason.code, "text": reason.text} for reason in item.reasons]).decode()
        yield {
            "customer_id": slate.query.customer_id,
            "rank": item.rank,
            "item_id": item.item_id,
            "score": item.score,
            "reasons": reasons,
        }


def _shown(tables: Iterable[pa.Table], n_customers: int) -> Iterable[pa.Table]:
    console = Console(stderr=True)
    total = -(-n_customers // CHUNK)
    return track(tables, "slates", total, console=console, disable=not console.is_terminal)
