"""`recsvc kpi`: win-back rate, repeat rate, retention, churn, value and satisfaction, beside the window before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from recsvc.cli.opening import live_recommender
from recsvc.cli.options import as_json, with_artifacts, write_json
from recsvc.domain.history import Histories
from recsvc.domain.layers import LABELS, LAYERS
from recsvc.experiments.assignment import held_out_of_everything
from recsvc.experiments.kpis import NEWCOMERS, KpiSums, kpi_by_layer
from recsvc.serving.customer_state import day_of, moment_of
from recsvc.serving.live_records import histories_now
from recsvc.serving.recommender import Recommender
from recsvc.settings import load_settings

CHUNK = 4096
WORDS = {
    "win_back_rate": "win-back rate: of the lapsed and lost, who ordered",
    "repeat_rate": "repeat rate: of who ordered, who had ordered before or again",
    "retention": "retention: of who ordered in the window before, who did again",
    "churn": "churn: the others of those",
    "average_order_value": "average order value",
    "clv_per_customer": "CLV a customer",
    "nps": "NPS",
    "csat": "CSAT: satisfied",
}
LAYER_RATES = {"win_back_rate": "won back", "retention": "kept", "average_order_value": "order"}
FEW = 10
SHARES = ("win_back_rate", "repeat_rate", "retention", "churn", "csat")


@click.command(epilog="Example: recsvc kpi --days 90")
@click.option("--days", type=click.IntRange(1), help="Length of the window [the bundle's horizon].")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Its end, exclusive [the bundle's as_of].")
@with_artifacts
@as_json
def kpi(days: int | None, until: datetime | None, artifacts: str | None, as_json: bool) -> None:
    """Show how the shop keeps its customers, in the last days and in as many before them; live orders count."""
    recommender = live_recommender(artifacts)
    days = days or recommender.bundle.models.economics.horizon_days
    end_day = recommender.bundle.items.as_of_day if until is None else day_of(until.replace(tzinfo=UTC))
    holdout = load_settings(artifacts=artifacts).global_holdout
    layers, before = _sums(recommender, end_day, days, holdout)
    now = sum(layers.values(), KpiSums())
    if as_json:
        by_layer = {name: _json(sums) for name, sums in layers.items()}
        figures = {"now": _json(now), "before": _json(before), "by_layer": by_layer}
        write_json({"until": moment_of(end_day).date(), "days": days, **figures})
        return
    window = f"{days} days before {moment_of(end_day):%Y-%m-%d}"
    _show(now, before, window, recommender.bundle.manifest.currency)
    _show_layers(layers, window)


def _sums(recommender: Recommender, end_day: int, days: int, holdout: float) -> tuple[dict[str, KpiSums], KpiSums]:
    """Sums by the layer customers were in when the window began, in the order of the layers; and of the one before."""
    layers, before = dict.fromkeys((*LAYERS, NEWCOMERS), KpiSums()), KpiSums()
    models, begin_day = recommender.bundle.models, end_day - days
    year, year_before = (str(moment_of(day).year) for day in (begin_day, begin_day - days))
    for histories in _records(recommender):
        held_out = held_out_of_everything(histories.customer_ids, holdout, year)
        for name, sums in kpi_by_layer(histories, models, held_out, end_day, days).items():
            layers[name] += sums
        held_out = held_out_of_everything(histories.customer_ids, holdout, year_before)
        before += sum(kpi_by_layer(histories, models, held_out, begin_day, days).values(), KpiSums())
    return {name: sums for name, sums in layers.items() if sums.customers}, before


def _records(recommender: Recommender) -> Iterator[Histories]:
    """Every customer with live orders appended; who was erased, or wants no personalisation, is not counted."""
    ids = recommender.bundle.customer_table["customer_id"].to_pylist()
    console = Console(stderr=True)
    starts = range(0, len(ids), CHUNK)
    for start in track(starts, "customers", console=console, disable=not console.is_terminal):
        some = ids[start : start + CHUNK]
        yield histories_now(recommender.bundle, recommender.live, some)


def _json(sums: KpiSums) -> dict[str, object]:
    lift = asdict(sums.contact_lift()) if sums.held_out_lapsed else None
    return {**asdict(sums), **sums.rates(), "lift_over_global_holdout": lift}


def _show(now: KpiSums, before: KpiSums, window: str, currency: str | None) -> None:
    table = Table("", window, "as many before")
    for name, told in (("customers", "customers"), ("buyers", "who ordered"), ("orders", "orders")):
        table.add_row(told, f"{getattr(now, name):,}", f"{getattr(before, name):,}")
    table.add_row("sales", *(f"{one.spend:,.2f} {currency or ''}".strip() for one in (now, before)))
    rates = now.rates(), before.rates()
    for name, told in WORDS.items():
        table.add_row(told, *(_told(name, one[name]) for one in rates))
    console = Console()
    console.print(table)
    if now.held_out_lapsed:
        lift = now.contact_lift()
        between = f"{100 * lift.low:+.1f} to {100 * lift.high:+.1f}"
        console.print(
            f"Win-back rate of who may be contacted, less that of the global holdout: {100 * lift.value:+.1f} points "
            f"({between}). Without campaigns it is chance."
        )


def _show_layers(layers: Mapping[str, KpiSums], window: str) -> None:
    """Some of the rates by layer, a row each; of a few customers none."""
    table = Table(title=f"By layer when the window began: {window}")
    table.add_column("layer", no_wrap=True)
    for heading in ("all", "bought", *LAYER_RATES.values()):
        table.add_column(heading, justify="right")
    for name, sums in layers.items():
        rates, counted = sums.rates(), (sums.lapsed, sums.bought_before, sums.orders)
        told = (_told(rate, rates[rate] if n >= FEW else None) for rate, n in zip(LAYER_RATES, counted, strict=True))
        table.add_row(LABELS.get(name, "no order before"), f"{sums.customers:,}", f"{sums.buyers:,}", *told)
    console = Console()
    console.print(table)
    console.print(f"-: of fewer than {FEW} customers, or orders, a rate says nothing.")


def _told(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{100 * value:.1f} %" if name in SHARES else f"{value:,.2f}"
