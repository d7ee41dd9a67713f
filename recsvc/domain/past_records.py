"""Records as they were: cut before a day, and what happened between two days."""

from __future__ import annotations

import numpy as np

from recsvc.domain.arrays import AnyArray, Mask, Vector
from recsvc.domain.history import LINE_COLUMNS, ORDER_COLUMNS, Histories, take
from recsvc.domain.ragged import rows_before
from recsvc.domain.rfm import MINOR_UNITS
from recsvc.domain.touchpoints import touchpoints_before


def records_before(histories: Histories, day: int) -> tuple[Histories, Mask]:
    """Records cut before a day, of those who had ordered by then, and who they are among all."""
    orders, order_offsets = rows_before(histories.order_day, histories.order_offsets, day)
    lines, line_offsets = rows_before(histories.line_day, histories.line_offsets, day)
    cut = Histories(
        customer_ids=histories.customer_ids,
        order_offsets=order_offsets,
        line_offsets=line_offsets,
        touchpoints=touchpoints_before(histories.touchpoints, day),
        **{name: getattr(histories, name)[orders] for name in ORDER_COLUMNS},
        **{name: getattr(histories, name)[lines] for name in LINE_COLUMNS},
    )
    known = np.diff(order_offsets) > 0
    return take(cut, np.flatnonzero(known)), known


def spend_between(histories: Histories, from_day: int, to_day: int) -> tuple[Vector, AnyArray]:
    """What each customer spent from a day to before another, in currency units, and in how many orders."""
    inside = (histories.order_day >= from_day) & (histories.order_day < to_day)
    whose, n_customers = histories.order_customer()[inside], len(histories)
    spent = np.bincount(whose, histories.order_amount[inside], minlength=n_customers) / MINOR_UNITS
    return spent, np.bincount(whose, minlength=n_customers)
