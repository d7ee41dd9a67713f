"""What a past day knew of customers, and what they did after it: the test the transaction models compete in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Counts, Vector
from recsvc.domain.history import Histories


@dataclass(frozen=True, slots=True)
class Holdout:
    """Customers who had ordered by a past day; every array has shape (n_customers,).

    Attributes
    ----------
    frequency, recency, T
        As in `Rfm`, at that day.
    orders_after : count, 0 or more
        Order-days from that day to the end of observation.
    """

    frequency: Vector
    recency: Vector
    T: Vector
    orders_after: Counts

    def __len__(self) -> int:
        return len(self.frequency)


def hold_out(histories: Histories, as_of_day: int, days: int) -> Holdout:
    """Hold the last days before the end of observation out.

    Parameters
    ----------
    histories
        Records of customers who all have at least one order, before `as_of_day`.
    as_of_day : days since 1970-01-01, exclusive
    days
        How many of them to hold out.

    Examples
    --------
    Orders on days 0, 10 and 40, seen from day 50, with the last 20 days held out.

    >>> lines = (np.zeros(0, np.int32),) * 4
    >>> offsets, none = np.array([0, 3]), np.array([0, 0])
    >>> history = Histories(("a",), offsets, np.array([0, 10, 40], np.int32), np.zeros(3, np.int64), none, *lines)
    >>> hold_out(history, as_of_day=50, days=20)
    Holdout(frequency=array([1.]), recency=array([10.]), T=array([30.]), orders_after=array([1]))
    """
    cut_off, starts = as_of_day - days, histories.order_offsets[:-1]
    n_orders = np.diff(histories.order_offsets)
    before = np.add.reduceat((histories.order_day < cut_off).astype(np.int64), starts)
    known = before > 0
    starts, before, n_orders = starts[known], before[known], n_orders[known]
    first = histories.order_day[starts].astype(np.float64)
    last = histories.order_day[starts + before - 1].astype(np.float64)
    return Holdout((before - 1).astype(np.float64), last - first, cut_off - first, n_orders - before)
