"""Realistic orders at any size: lapses, comebacks, rhythms, seasons, repeats, new arrivals and returns.

For trying the product without data of one's own, and for measuring it at sizes nobody's data has. Files are
written part by part, a group of customers at a time, so that memory does not grow with the number of lines.
Equal arguments give equal files. Nothing here is read by a fit other than as files.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import track

from training.synth_customers import OrderDays, find_mean_gap, usual_orders
from training.synth_effects import with_campaigns
from training.synth_orders import FIRST_DAY, Group, Rhythm, draw_group, draw_group_days, make_ids
from training.synth_shop import WINDOW_DAYS, Shop, build_shop, category_paths, item_brands, item_titles
from training.synth_touchpoints import draw_contacts, draw_course, draw_events, draw_feedback

LINES_PER_PART = 1_000_000
CUTOFFS_BEFORE_END_DAYS = (150, 120, 90)

CONFIG = """\
# Written by: recsvc-train synth --customers {customers} --items {items} --lines {lines} --seed {seed}{flag}
as_of = {end}
horizon_days = 90

[orders]
path = "orders/*.parquet"
return_order_pattern = "^R"

[items]
path = "items.parquet"
{more}
[backtest]
as_of = [{cutoffs}]
"""

SECTION = """
[{name}]
path = "{name}/*.parquet"
"""
DRAWN = {"contacts": draw_contacts, "events": draw_events, "feedback": draw_feedback}


@dataclass(frozen=True, slots=True)
class SynthSize:
    """How much to make, each at least 1, the seed it follows from, and whether there is more than orders and items."""

    customers: int
    items: int
    lines: int
    seed: int
    touchpoints: bool = False
    campaigns: bool = False

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables beside orders and items that a config reads."""
        return tuple(DRAWN) if self.touchpoints else ("contacts",) if self.campaigns else ()


def write_synth(size: SynthSize, out: Path) -> Path:
    """Write orders, items and a config that trains on them; parts of an earlier run in `out` are replaced.

    Returns
    -------
    Path of the config, `out/config.toml`
        Beside it stand `items.parquet` and `orders/part-0000.parquet` and so on: `size.lines` lines together; with
        touchpoints also parts of contacts, events and feedback. The orders are the same with and without them. With
        campaigns parts of contacts, and of `truth`: of what kind everybody is, and what a contact adds. Orders differ
        then, by what campaigns did.
    """
    shop = build_shop(size.items, np.random.default_rng([size.seed, 0]))
    orders_per_customer = usual_orders(size.customers, size.lines)
    gap = find_mean_gap(orders_per_customer, np.random.default_rng([size.seed, 1]))
    _clear(out, ("orders", *size.tables, *(["truth"] if size.campaigns else [])))
    pq.write_table(_item_table(shop), out / "items.parquet")
    for number, group in _progress(plan_groups(size)):
        rng = np.random.default_rng([size.seed, 2, number])
        orders = draw_group_days(group, Rhythm(gap, orders_per_customer), rng)
        drawn = draw_group(group, orders, shop, rng)
        if size.campaigns:
            affected = with_campaigns(drawn, np.random.default_rng([size.seed, 4, number]))
            drawn = affected.orders
            _write_part(out, "contacts", number, affected.contacts)
            _write_part(out, "truth", number, affected.truth)
        _write_part(out, "orders", number, drawn)
        if size.touchpoints:
            _write_touchpoints(out, number, group, orders, np.random.default_rng([size.seed, 3, number]))
    config = out / "config.toml"
    config.write_text(_config_text(size), encoding="utf-8")
    return config


def _write_touchpoints(out: Path, number: int, group: Group, orders: OrderDays, rng: np.random.Generator) -> None:
    course = draw_course(orders, rng)
    for name, draw in DRAWN.items():
        _write_part(out, name, number, draw(group, course, rng))


def _write_part(out: Path, name: str, number: int, table: pa.Table) -> None:
    pq.write_table(table, out / name / f"part-{number:04d}.parquet")


def plan_groups(size: SynthSize) -> list[Group]:
    """Divide customers and lines into parts of about a million lines; no part is without a customer."""
    n_groups = min(-(-size.lines // LINES_PER_PART), size.customers)
    customers = [size.customers * g // n_groups for g in range(n_groups + 1)]
    lines = [size.lines * g // n_groups for g in range(n_groups + 1)]
    return [
        Group(customers[g], customers[g + 1] - customers[g], lines[g], lines[g + 1] - lines[g]) for g in range(n_groups)
    ]


def _progress(groups: list[Group]) -> Iterator[tuple[int, Group]]:
    console = Console(file=sys.stderr)
    quiet = len(groups) < 3 or not console.is_terminal
    yield from track(list(enumerate(groups)), "Writing orders", console=console, disable=quiet)


def _clear(out: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (out / name).mkdir(parents=True, exist_ok=True)
        for part in (out / name).glob("part-*.parquet"):
            part.unlink()


def _item_table(shop: Shop) -> pa.Table:
    paths = category_paths(shop)
    return pa.table(
        {
            "item_id": make_ids("I", np.arange(shop.n_items)),
            "title": item_titles(shop),
            "category": [paths[c] for c in shop.item_category()],
            "brand": item_brands(shop),
            "price": shop.base_price / 100,
        }
    )


def _config_text(size: SynthSize) -> str:
    end = FIRST_DAY + WINDOW_DAYS
    cutoffs = ", ".join(str(end - days) for days in CUTOFFS_BEFORE_END_DAYS)
    return CONFIG.format(
        customers=size.customers,
        items=size.items,
        lines=size.lines,
        seed=size.seed,
        end=end,
        cutoffs=cutoffs,
        flag=" --touchpoints" if size.touchpoints else " --campaigns" if size.campaigns else "",
        more="".join(SECTION.format(name=name) for name in size.tables),
    )


@click.command(epilog="Example: recsvc-train synth --customers 10000 --items 2000 --lines 1000000 --seed 7 --out shop")
@click.option("--customers", type=click.IntRange(1), required=True, help="How many customers.")
@click.option("--items", type=click.IntRange(1), required=True, help="How many products.")
@click.option("--lines", type=click.IntRange(1), required=True, help="How many order lines, returns included.")
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True, help="Equal seeds, equal files.")
@click.option("--touchpoints", is_flag=True, help="Also contacts, events and feedback that tell who will not be back.")
@click.option("--campaigns", is_flag=True, help="Also contacts decided by lot, whose effect is known.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write to.")
def synth(  # noqa: PLR0913 - one parameter an option
    customers: int, items: int, lines: int, seed: int, touchpoints: bool, campaigns: bool, out: Path
) -> None:
    """Make realistic orders with lapses, seasons, repeats and returns, at any size."""
    if touchpoints and campaigns:
        raise click.UsageError("name either --touchpoints or --campaigns: both make contacts")
    config = write_synth(SynthSize(customers, items, lines, seed, touchpoints, campaigns), out)
    about = "about " if campaigns else ""
    click.echo(f"{about}{lines:,} order lines of {customers:,} customers and {items:,} items; train with:")
    click.echo(f"recsvc-train fit {config}")
