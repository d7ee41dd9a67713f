"""From flagged lines to clean purchases before `as_of`, with a count for every rule.

The cut comes first: a return dated after `as_of` must not undo a purchase before it. Rules that need only the line
are in `rules`, netting in `netting`; here they are applied and accounted for.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
from ibis.expr.types import Column, Table

from training.netting import PAIR, net_returns, pairs_with_returns
from training.rules import LINE_RULES
from training.session import Session

RULES = {
    "after_as_of": "on or after the end of observation",
    **LINE_RULES,
    "return_netted": "a return, taken off the purchases before it",
    "unmatched_return": "a return of more than was bought before, as far as the data goes",
    "fully_returned": "a purchase that was wholly returned",
}
NOTES = {
    "partly_returned": "a purchase of which some units were returned: the rest is kept",
    "service": "not a product: no taste, but its money is in the books",
    "no_customer": "counts for popularity only",
}


@dataclass(frozen=True, slots=True)
class RuleCount:
    """What one rule did: lines it touched and their money in minor units."""

    rule: str
    meaning: str
    rows: int
    amount: int


@dataclass(frozen=True, slots=True)
class CleaningReport:
    """Where every line went: `rows_read` is `rows_kept` plus the rows of all `dropped`.

    `notes` count among the kept; the amount of `partly_returned` is what was given back.
    """

    rows_read: int
    rows_kept: int
    amount_kept: int
    dropped: tuple[RuleCount, ...]
    notes: tuple[RuleCount, ...]


@dataclass(frozen=True, slots=True)
class CleanOrders:
    """Purchases before `as_of`, net of returns.

    `lines` has customer_key (null where unknown), item_key, ordered_at, day, quantity DECIMAL above 0, amount
    in minor units, is_product, and title if there is one.
    """

    lines: Table
    report: CleaningReport


def clean(session: Session, orders: Table, as_of_day: int) -> CleanOrders:
    """Cut the flagged orders at `as_of`, net the returns, and count.

    Parameters
    ----------
    orders
        Lines of `rules.FlaggedOrders`.
    as_of_day : days since 1970-01-01
        First day that is not seen.
    """
    past = orders.filter(orders.dropped_by.isnull(), orders.day < as_of_day).drop("dropped_by")
    named = past.filter(past.customer_key.notnull())
    pairs = session.store("pairs_with_returns", pairs_with_returns(named))
    netted = session.store("netted", net_returns(named.semi_join(pairs, PAIR)))
    bought = netted.filter(~netted.is_return, netted.left > 0)
    partly = bought.mutate(amount=_share(bought.amount, bought.left, bought.quantity), quantity=bought.left)
    whole = past.anti_join(pairs, PAIR)
    lines = whole.union(partly.select(*whole.columns).cast(whole.schema())).drop("is_return")
    return CleanOrders(lines, _report(orders, netted, lines, as_of_day))


def _share(amount: Column, part: Column, whole: Column) -> Column:
    """Amount x part / whole, rounded to minor units."""
    return (amount.cast("float64") * part.cast("float64") / whole.cast("float64")).round().cast("int64")


def _report(orders: Table, netted: Table, lines: Table, as_of_day: int) -> CleaningReport:
    fate = ibis.cases((orders.day >= as_of_day, "after_as_of"), (orders.dropped_by.notnull(), orders.dropped_by))
    cut = _counts(orders.select("amount", rule=fate))
    undone = _counts(_outcomes(netted))
    kept = _counts(lines.select("amount", rule=_note(lines)))
    total = _counts(orders.select("amount", rule=ibis.literal("read")))
    dropped = cut | {rule: undone.get(rule, (0, 0)) for rule in RULES if rule not in cut}
    return CleaningReport(
        rows_read=total.get("read", (0, 0))[0],
        rows_kept=sum(rows for rows, _ in kept.values()),
        amount_kept=sum(amount for _, amount in kept.values()),
        dropped=tuple(RuleCount(rule, meaning, *dropped[rule]) for rule, meaning in RULES.items()),
        notes=tuple(RuleCount(rule, meaning, *(kept | undone).get(rule, (0, 0))) for rule, meaning in NOTES.items()),
    )


def _outcomes(netted: Table) -> Table:
    """What netting did to each line; the amount of a partly returned one is what was given back."""
    rule = ibis.cases(
        (netted.is_return & (netted.left > 0), "unmatched_return"),
        (netted.is_return, "return_netted"),
        (netted.left == 0, "fully_returned"),
        (netted.left < netted.quantity, "partly_returned"),
    )
    given_back = netted.amount - _share(netted.amount, netted.left, netted.quantity)
    return netted.select(rule=rule, amount=netted.is_return.ifelse(netted.amount, given_back))


def _note(lines: Table) -> Column:
    return ibis.cases((~lines.is_product, "service"), (lines.customer_key.isnull(), "no_customer"), else_="product")


def _counts(lines: Table) -> dict[str, tuple[int, int]]:
    """Rows and money by `rule`; lines without one are left out."""
    named = lines.filter(lines.rule.notnull())
    counted = named.group_by("rule").agg(rows=named.count(), amount=named.amount.sum().fill_null(0).cast("int64"))
    return {row["rule"]: (row["rows"], row["amount"]) for row in counted.to_pyarrow().to_pylist()}
