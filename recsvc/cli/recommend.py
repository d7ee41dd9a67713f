"""`recsvc recommend`: one customer's slate, on the terminal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from recsvc.api.replies import slate_json
from recsvc.cli.opening import live_recommender
from recsvc.cli.options import as_json, with_artifacts, write_json
from recsvc.cli.wishes import with_wishes
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Explanation, Query, Slate

SHOWN_EFFECTS = 5  # of fifty: the rest is in --json


@click.command(epilog="Example: recsvc recommend 1234 --k 5 --where 'price < 20'")
@click.argument("customer_id")
@with_wishes(100)
@click.option("--explain", is_flag=True, help="Who proposed each item, and what each feature added.")
@with_artifacts
@as_json
def recommend(customer_id: str, wishes: Query, explain: bool, artifacts: str | None, as_json: bool) -> None:
    """Recommend products to one customer, with the reasons."""
    recommender = live_recommender(artifacts)
    query = replace(wishes, customer_id=customer_id, explain=explain)
    slate = recommender.recommend(query, now=datetime.now(UTC))
    if as_json:
        write_json(slate_json(slate, recommender))
        return
    Console().print(shown(slate, recommender))


def shown(slate: Slate, recommender: Recommender) -> Table:
    """Slate as a table to read."""
    who = slate.customer
    if who is None:
        title = "not a known customer: what is popular now"
    else:
        value = "high value, " if who.high_value else ""
        title = f"{value}{who.state} since {who.state_since:%Y-%m-%d}; {who.orders} orders"
    applied = Text("; ".join(slate.filters_applied)) if slate.filters_applied else None
    how = ("how",) if slate.query.explain else ()
    table = Table("", "item", "title", "why", *how, title=title, caption=applied)
    for item in slate.items:
        why = "; ".join(reason.text for reason in item.reasons)
        how = () if item.explanation is None else (told(item.explanation),)
        table.add_row(str(item.rank), item.item_id, recommender.item(item.item_id).title or "", why, *how)
    return table


def told(explanation: Explanation) -> str:
    """Sources, and the features that moved the item most."""
    effects = [f"{one.feature} {one.contribution:+.2f}" for one in explanation.features[:SHOWN_EFFECTS]]
    return f"{', '.join(explanation.sources)}; {explanation.ranked_by}: {', '.join(effects)}"
