"""Why customers left, as a person reads it: what they said, what is suggested, and how much that explains."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from training.churn_compare import Explained
from training.churn_reasons import ChurnReasons

SAYS = {
    "complaint": "complaint, low satisfaction or return",
    "favourite_gone": "a favourite is no longer sold",
    "price_rise": "own items became dearer",
    "category_faded": "gave up the main category",
    "any": "any of these",
}


def print_reasons(console: Console, reasons: ChurnReasons) -> None:
    """Stated reasons where there are any, then how much each suggestion explains."""
    if reasons.stated:
        console.print(_stated(reasons))
    if not reasons.explained:
        return
    table = Table(title=f"Why {reasons.n_left:,} lapsed and lost customers left; not causal")
    table.add_column("suggested by the record")
    for heading in ("of those who left", "of comparable who stayed", "explains"):
        table.add_column(heading, justify="right")
    for one in reasons.explained:
        table.add_row(SAYS[one.reason], f"{one.lapsed_share:.1%}", f"{one.stayed_share:.1%}", _explains(one))
    console.print(table)


def _stated(reasons: ChurnReasons) -> Table:
    table = Table("segment", "reason", "customers", title="Why customers say they left")
    for one in reasons.stated:
        table.add_row(one.segment.replace("_", " "), escape(one.reason), f"{one.customers:,}")
    return table


def _explains(one: Explained) -> str:
    interval = f"{one.excess:+.1%} ({one.low:+.1%} to {one.high:+.1%})"
    return interval if one.low > 0 else f"nothing: {interval}"
