"""The commands of `recsvc-train`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import orjson
from rich.console import Console
from threadpoolctl import threadpool_limits

from recsvc.bundle.remote import RemoteBundles
from recsvc.bundle.store import BundleStore
from recsvc.errors import RecsvcError
from recsvc.serving.mirror import Mirror
from training.check import check_data
from training.config import TrainingConfig, load_config, preset_names
from training.errors import QualityGateFailed
from training.page.write import write_page
from training.pipeline import Plan, backtest, day_number, fit
from training.progress import shown_progress
from training.report import print_backtest, print_data, print_findings, print_outcome
from training.report_targeting import print_targeting
from training.report_tune import print_search
from training.synth import synth
from training.tune import tune
from training.validate import raise_on_stop

DATE = click.DateTime(["%Y-%m-%d"])
with_orders = click.option("--orders", type=click.Path(), help="File or glob to use instead of orders.path.")
with_level = click.option("--item-level", metavar="COLUMN", help="Recommend at this column of items, not single items.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Train win-back recommendations from order history."""


cli.add_command(synth)


@cli.command(epilog="Example: recsvc-train presets")
def presets() -> None:
    """List the ready configs that ship with the trainer."""
    for name in preset_names():
        click.echo(name)


@cli.command("fit", epilog="Example: recsvc-train fit shop.toml --as-of 2026-01-01")
@click.argument("config")
@with_orders
@with_level
@click.option("--as-of", type=DATE, help="End of observation, exclusive; later rows are not seen.")
@click.option("--artifacts", type=click.Path(path_type=Path), default=Path("artifacts"), show_default=True)
@click.option("--no-publish", is_flag=True, help="Train and judge, but leave the live bundle alone.")
@click.option("--force", is_flag=True, help="Publish even if the gate refuses; recorded in the manifest.")
@click.option("--to", "url", help="Publish to this object store too, as fsspec writes it: s3://bucket/bundles.")
def fit_command(
    config: str,
    as_of: datetime | None,
    artifacts: Path,
    no_publish: bool,
    force: bool,
    url: str | None,
    **data: str | None,
) -> None:
    """Train, back-test, judge and publish; the last line is the bundle's id."""
    settings = _settings(config, **data)
    now = datetime.now(UTC)
    chosen = as_of.date() if as_of else settings.as_of
    plan = Plan(day_number(chosen or now.date()), now, chosen is None, publish=not no_publish, force=force)
    with shown_progress() as progress:
        store = BundleStore(artifacts)
        mirror = Mirror(RemoteBundles(url), store) if url else None
        if mirror:
            with progress.step("live bundle from the object store"):
                mirror.refresh()  # the gate compares with what is live
        outcome = fit(settings, plan, store, progress)
        if mirror and outcome.published:
            with progress.step("to the object store"):
                mirror.publish(outcome.manifest.bundle_id)
    console = Console(stderr=True)
    print_outcome(console, outcome)
    console.print(f"page: {write_page(store, outcome)}", markup=False, soft_wrap=True)
    if not outcome.manifest.may_go_live:
        raise QualityGateFailed(outcome.manifest.verdict.reasons)
    click.echo(outcome.manifest.bundle_id)


@cli.command("validate", epilog="Example: recsvc-train validate shop.toml")
@click.argument("config")
@with_orders
@click.option("--as-of", type=DATE, help="End of observation, exclusive; later rows are not seen.")
def validate_command(config: str, orders: str | None, as_of: datetime | None) -> None:
    """Say what is wrong with the data, and the fix; exit 2 when it cannot be trained on."""
    settings = load_config(config, {"orders.path": orders})
    chosen = as_of.date() if as_of else settings.as_of
    with shown_progress() as progress, progress.step("reading orders"):
        found = check_data(settings, day_number(chosen or datetime.now(UTC).date()))
    console = Console()
    print_findings(console, found.findings)
    if found.report is None:
        raise_on_stop(found.findings)
    else:
        print_data(console, found.report)
        console.print("The data can be trained on.")


@cli.command("backtest", epilog="Example: recsvc-train backtest shop.toml --as-of 2025-10-01 --as-of 2025-11-01")
@click.argument("config")
@with_orders
@with_level
@click.option("--as-of", "days", type=DATE, multiple=True, help="Cut-off; repeatable. Default: those of the config.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the tables there as JSON.")
def backtest_command(config: str, days: tuple[datetime, ...], json_file: Path | None, **data: str | None) -> None:
    """Replay the past: train at each cut-off, test on what returning customers then bought."""
    settings = _settings(config, **data)
    chosen = [day_number(day.date()) for day in days] or [day_number(day) for day in settings.backtest.as_of]
    if not chosen:
        raise click.UsageError("name at least one --as-of, or backtest.as_of in the config")
    with shown_progress() as progress:
        tested = backtest(settings, sorted(chosen), progress)
    print_backtest(Console(), tested.rows, len(chosen))
    print_targeting(Console(), tested.targeting)
    if json_file:
        json_file.write_bytes(orjson.dumps(tested.to_json(), option=orjson.OPT_INDENT_2))


@cli.command("tune", epilog="Example: recsvc-train tune shop.toml --trials 40")
@click.argument("config")
@with_orders
@with_level
@click.option("--trials", default=30, show_default=True, type=click.IntRange(1, 1000), help="In all; more go on.")
@click.option("--file", type=click.Path(path_type=Path), default=Path("artifacts/tune.log"), show_default=True)
def tune_command(config: str, trials: int, file: Path, **data: str | None) -> None:
    """Search settings on days whose horizon ends before the first test cut-off; what was tried lies in the file."""
    settings = _settings(config, **data)
    as_of_day = day_number(settings.as_of or datetime.now(UTC).date())
    with shown_progress() as progress:
        search = tune(settings, as_of_day, trials, file, progress)
    print_search(Console(), search)


def _settings(config: str, *, orders: str | None, item_level: str | None) -> TrainingConfig:
    return load_config(config, {"orders.path": orders, "item_level": item_level})


def program(arguments: Sequence[str] | None) -> None:
    """Run with one line an error: exit 2 for the caller's mistake, 1 when the gate refused."""
    try:
        with threadpool_limits(1):  # `implicit` and the engine are told their threads; the rest only gets in their way
            cli.main(arguments, standalone_mode=False)
    except QualityGateFailed as refusal:
        click.echo(f"error: {refusal}", err=True)
        sys.exit(1)
    except RecsvcError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
