"""`recsvc coupons`: pools of codes, imported or generated."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from recsvc.cli.files import read_codes
from recsvc.cli.options import as_json, with_artifacts, write_json
from recsvc.cli.stores import live_engine
from recsvc.store.coupons import CouponStore


@click.group()
def coupons() -> None:
    """Pools of coupon codes: each code goes to one customer, once."""


@coupons.command(epilog="Example: recsvc coupons add spring codes.csv")
@click.argument("pool")
@click.argument("file", type=click.Path(path_type=Path))
@with_artifacts
def add(pool: str, file: Path, artifacts: str | None) -> None:
    """Add the codes of FILE (CSV or Parquet, column `code`) that POOL does not hold yet."""
    codes = read_codes(file)
    new = CouponStore(live_engine(artifacts)).add(pool, codes)
    click.echo(f"added {new} codes to {pool}, {len(codes) - new} were there before")


@coupons.command(epilog="Example: recsvc coupons generate spring --count 5000")
@click.argument("pool")
@click.option("--count", required=True, type=click.IntRange(1, 1_000_000), help="How many.")
@with_artifacts
def generate(pool: str, count: int, artifacts: str | None) -> None:
    """Add codes to POOL that nobody can guess; `recsvc coupons export` hands them to your shop."""
    click.echo(f"added {CouponStore(live_engine(artifacts)).generate(pool, count)} codes to {pool}")


@coupons.command("list", epilog="Example: recsvc coupons list")
@with_artifacts
@as_json
def list_pools(artifacts: str | None, as_json: bool) -> None:
    """Show the pools: how many codes each has, and how many are left."""
    found = CouponStore(live_engine(artifacts)).pools()
    if as_json:
        write_json([{"pool": one.name, "codes": one.codes, "left": one.left} for one in found])
        return
    table = Table("pool", "codes", "drawn", "left")
    for one in found:
        table.add_row(one.name, f"{one.codes:,}", f"{one.drawn:,}", f"{one.left:,}")
    Console().print(table)


@coupons.command("export", epilog="Example: recsvc coupons export spring --out spring-codes.csv")
@click.argument("pool")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write, a code a line.")
@with_artifacts
def export(pool: str, out: Path, artifacts: str | None) -> None:
    """Write all codes of POOL, for the shop that has to accept them."""
    codes = CouponStore(live_engine(artifacts)).codes(pool)
    out.write_text("".join(f"{code}\n" for code in ("code", *codes)), "utf-8")
    click.echo(f"wrote {len(codes)} codes to {out}")
