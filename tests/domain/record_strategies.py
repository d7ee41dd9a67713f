"""Strategies for customer records: what a shop may write down, small enough to collide often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from recsvc.domain.history import Histories, Lines, build_histories
from recsvc.domain.touchpoints import KINDS, Touchpoints

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


def touchpoints_of(customers: Sequence[dict[tuple[int, str], float]]) -> Touchpoints:
    """Touchpoints of customers, each as values by day and kind."""
    rows = [sorted((day, KINDS.index(kind), value) for (day, kind), value in own.items()) for own in customers]
    columns = np.array([row for own in rows for row in own], np.float64).reshape(-1, 3).T
    return Touchpoints(
        offsets=np.cumsum([0, *map(len, rows)]).astype(np.int64),
        day=columns[0].astype(np.int32),
        kind=columns[1].astype(np.int8),
        value=columns[2].astype(np.float32),
    )


touches = st.dictionaries(st.tuples(st.integers(0, 4), st.sampled_from(KINDS)), st.integers(1, 9), max_size=4)


def touched(
    customers: dict[str, tuple[list[tuple[int, int | None, int, int]], dict[tuple[int, str], int]]],
) -> Histories:
    """Records of customers from their lines and their touchpoints."""
    found = summary({customer_id: bought for customer_id, (bought, _) in customers.items()})
    return replace(found, touchpoints=touchpoints_of([own for _, own in customers.values()]))


histories = st.dictionaries(ids, st.tuples(purchases, touches), min_size=1, max_size=5).map(touched)


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
        touchpoints = found.touchpoints
        own = slice(*touchpoints.offsets[position : position + 2])
        record |= {f"touch_{name}": getattr(touchpoints, name)[own].tolist() for name in ("day", "kind", "value")}
        records.append(record)
    return records
