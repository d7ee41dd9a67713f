"""What customers did after a cut-off: what they bought first, and what they spent in all."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import pyarrow as pa
from ibis.expr.types import Table

from recsvc.domain.rfm import MINOR_UNITS
from training.cleaning import clean
from training.products import at_level
from training.split import Truth
from training.summaries import daily_lines
from training.tables import Tables


def lines_between(tables: Tables, from_day: int, until_day: int) -> Table:
    """What known customers bought from a day to before another, as it was known on the latter.

    Columns: customer_id, day, item_id (null for what is no product), amount (minor units); stored.
    """
    cleaned = clean(tables.session, tables.orders.lines, until_day)
    lines = at_level(cleaned.lines, tables.products.levels)
    daily = daily_lines(lines.filter(lines.day >= from_day, lines.customer_key.notnull()))
    owned = daily.inner_join(tables.orders.customers, "customer_key")
    named = owned.left_join(tables.products.names.select("item_key", "item_id"), "item_key")
    item_id = ibis.ifelse(named.is_product, named.item_id, ibis.null("string"))
    return tables.session.store("later", named.select("customer_id", "day", "amount", item_id=item_id))


def first_orders(lines: Table) -> Truth:
    """Items of each customer's first order.

    Parameters
    ----------
    lines
        Result of `lines_between`: the horizon after the cut-off.
    """
    bought = lines.filter(lines.item_id.notnull())
    first = bought.group_by("customer_id").aggregate(day=bought.day.min())
    items = bought.semi_join(first, ["customer_id", "day"]).select("customer_id", "item_id").distinct()
    found: pa.Table = items.order_by("customer_id", "item_id").to_pyarrow()
    truth: dict[str, set[str]] = {}
    for customer_id, item_id in zip(*(column.to_pylist() for column in found.columns), strict=True):
        truth.setdefault(customer_id, set()).add(item_id)
    return {customer_id: frozenset(ids) for customer_id, ids in truth.items()}


def spend_after(lines: Table) -> Mapping[str, float]:
    """What each customer who ordered spent, in currency units; parameters as above."""
    by_day = lines.group_by("customer_id", "day")
    days = by_day.aggregate(amount=lines.amount.sum(), products=lines.item_id.count())
    orders = days.filter(days.products > 0)
    spent = orders.group_by("customer_id").aggregate(amount=ibis.greatest(orders.amount, 0).sum())
    found: pa.Table = spent.order_by("customer_id").to_pyarrow()
    return {
        customer_id: int(amount) / MINOR_UNITS
        for customer_id, amount in zip(*(column.to_pylist() for column in found.columns), strict=True)
    }
