"""Strategies for customer records: what a shop may write down, small enough to collide often."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from recsvc.domain.history import Histories, Lines, build_histories

line = st.tuples(
    st.integers(0, 4),  # day
    st.none() | st.integers(0, 3),  # item row; None is a service
    st.integers(1, 5),  # quantity
    st.integers(0, 10_000),  # amount
)
purchases = st.lists(line, min_size=1, max_size=12).filter(lambda rows: any(item is not None for _, item, _, _ in rows))
ids = st.text(st.characters(exclude_categories=()), min_size=1, max_size=8)  # lone surrogates included


def summary(customers: dict[str, list[tuple[int, int | None, int, int]]]) -> Histories:
    """Records of customers, from their lines added up by day and item as the aggregation does."""
    rows = []
    for position, bought in enumerate(customers.values()):
        added: dict[tuple[int, int], list[int]] = {}
        for day, item, quantity, amount in bought:
            total = added.setdefault((day, -1 if item is None else item), [0, 0])
            total[0] += quantity
            total[1] += amount
        rows += [(position, day, item, *total) for (day, item), total in sorted(added.items())]
    columns = np.array(rows, np.int64).reshape(-1, 5).T
    lines = Lines(
        day=columns[1].astype(np.int32),
        item=np.maximum(columns[2], 0).astype(np.int32),
        is_product=columns[2] >= 0,
        quantity=columns[3].astype(np.float32),
        amount=columns[4],
    )
    return build_histories(list(customers), columns[0], lines)


histories = st.dictionaries(ids, purchases, min_size=1, max_size=5).map(summary)


def plain(found: Histories) -> list[dict[str, object]]:
    """Records as plain Python, one per customer, to compare whole."""
    records = []
    for position, customer_id in enumerate(found.customer_ids):
        orders = slice(*found.order_offsets[position : position + 2])
        lines = slice(*found.line_offsets[position : position + 2])
        record: dict[str, object] = {"customer_id": customer_id}
        record |= {name: getattr(found, name)[orders].tolist() for name in ("order_day", "order_amount")}
        names = ("line_day", "line_item", "line_quantity", "line_amount")
        record |= {name: getattr(found, name)[lines].tolist() for name in names}
        records.append(record)
    return records
