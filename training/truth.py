"""What customers bought first after a cut-off."""

from __future__ import annotations

import ibis
import pyarrow as pa

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
