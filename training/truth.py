"""What customers did after a cut-off: what they bought first, and what they spent in all."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import pyarrow as pa

from recsvc.domain.rfm import MINOR_UNITS
from training.split import Truth
from training.tables import Prepared


def first_orders(prepared: Prepared, from_day: int) -> Truth:
    """Items of each customer's first order on or after a day.

    Parameters
    ----------
    prepared
        Cut at the end of the horizon, so that nothing later is seen.
    from_day : days since 1970-01-01
    """
    lines = prepared.record_lines
    later = lines.filter(lines.day >= from_day, lines.item_row.notnull())
    first = later.group_by("customer_row").aggregate(day=later.day.min())
    bought = later.semi_join(first, ["customer_row", "day"]).select("customer_row", "item_row").distinct()
    found: pa.Table = bought.order_by(ibis.asc("customer_row"), ibis.asc("item_row")).to_pyarrow()
    item_ids = prepared.items["item_id"].take(found["item_row"]).to_pylist()
    truth: dict[str, set[str]] = {}
    for customer_row, item_id in zip(found["customer_row"].to_pylist(), item_ids, strict=True):
        truth.setdefault(prepared.customer_ids[customer_row], set()).add(item_id)
    return {customer_id: frozenset(items) for customer_id, items in truth.items()}


def spend_after(prepared: Prepared, from_day: int) -> Mapping[str, float]:
    """What each customer who ordered on or after a day spent from then on, in currency units.

    Parameters
    ----------
    prepared
        Cut at the end of the horizon, so that nothing later is seen.
    from_day : days since 1970-01-01
    """
    lines = prepared.record_lines
    by_day = lines.filter(lines.day >= from_day).group_by("customer_row", "day")
    days = by_day.aggregate(amount=lines.amount.sum(), products=lines.item_row.count())
    orders = days.filter(days.products > 0)
    spent = orders.group_by("customer_row").aggregate(amount=ibis.greatest(orders.amount, 0).sum())
    found: pa.Table = spent.order_by("customer_row").to_pyarrow()
    ids = (prepared.customer_ids[row] for row in found["customer_row"].to_pylist())
    return {one: int(amount) / MINOR_UNITS for one, amount in zip(ids, found["amount"].to_pylist(), strict=True)}
