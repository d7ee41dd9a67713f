"""What a customer did with each item, from the record: how often, how lately, how much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Counts, Days, Floats, Offsets, Rows, Vector
from recsvc.domain.history import Histories


@dataclass(frozen=True, slots=True)
class ItemHistories:
    """Purchases of a batch of customers, one entry per (customer, item) pair.

    Customer `c` owns the entries `offsets[c]:offsets[c + 1]`, in ascending order of item row.

    Attributes
    ----------
    customer : shape (n_pairs,), position in the batch
    item : shape (n_pairs,), item row
    order_days : shape (n_pairs,), count of distinct days, at least 1
    decayed_order_days : shape (n_pairs,), order-days, each worth half as much every `half_life_days`; above 0
    first_day, last_day : shape (n_pairs,), days since 1970-01-01
    quantity : shape (n_pairs,), units
    """

    offsets: Offsets
    customer: Counts
    item: Rows
    order_days: Counts
    decayed_order_days: Vector
    first_day: Days
    last_day: Days
    quantity: Floats

    def keys(self, n_items: int) -> Counts:
        """One ascending integer per entry: `customer * n_items + item`."""
        return self.customer * n_items + self.item


def item_histories(histories: Histories, clock_day: Days, half_life_days: float) -> ItemHistories:
    """Purchases per (customer, item).

    Parameters
    ----------
    histories
        Records of the batch.
    clock_day : shape (n_customers,), days since 1970-01-01
        The ranking clock: the day each customer's purchases are decayed to; never before their last line.
    half_life_days : above 0
        Time after which an order-day counts half.
    """
    customer = histories.line_customer()
    order = np.lexsort((histories.line_day, histories.line_item, customer))
    customer, item, day = customer[order], histories.line_item[order], histories.line_day[order]
    starts = _starts(customer, item)
    ends = np.append(starts[1:], len(order)) - 1 if len(starts) else starts
    age_days = (clock_day[customer] - day).astype(np.float64)
    return ItemHistories(
        offsets=np.searchsorted(customer[starts], np.arange(len(histories) + 1)).astype(np.int64),
        customer=customer[starts],
        item=item[starts],
        order_days=np.diff(np.append(starts, len(order))),
        decayed_order_days=_sum_runs(0.5 ** (age_days / half_life_days), starts),
        first_day=day[starts],
        last_day=day[ends],
        quantity=_sum_runs(histories.line_quantity[order].astype(np.float64), starts).astype(np.float32),
    )


def _starts(customer: Counts, item: Rows) -> Counts:
    changed = np.ones(len(item), bool)
    changed[1:] = (customer[1:] != customer[:-1]) | (item[1:] != item[:-1])
    return np.flatnonzero(changed)


def _sum_runs(values: Vector, starts: Counts) -> Vector:
    """Sums of consecutive runs that begin at `starts`, added left to right whatever the batch."""
    return np.add.reduceat(values, starts) if len(starts) else np.zeros(0)
