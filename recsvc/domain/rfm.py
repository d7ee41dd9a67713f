"""Frequency, recency, age and money of customers: what the value models and the personal clock are fitted on.

Computed from the customer record alone, vectorised, the same for a million customers in training and for
one in a request. It must not know a model: whatever is fitted on these numbers lives elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Vector
from recsvc.domain.history import Histories
from recsvc.errors import DataError

MINOR_UNITS = 100.0


@dataclass(frozen=True, slots=True)
class Rfm:
    """The classical summary of a batch of customers; every array has shape (n_customers,).

    Attributes
    ----------
    frequency : count, 0 or more
        Repeat orders: order-days after the first one.
    recency : days, 0 to T
        Age at the last order (*not* the days since it); 0 where `frequency` is 0.
    T : days, above 0
        Age at the end of observation, counted from the first order.
    monetary_value : currency units, 0 or more
        Mean amount of a repeat order, the first order left out; 0.0 where `frequency` is 0.
    first_value : currency units, 0 or more
        Amount of the first order.
    """

    frequency: Vector
    recency: Vector
    T: Vector
    monetary_value: Vector
    first_value: Vector

    def __len__(self) -> int:
        return len(self.frequency)


@dataclass(frozen=True, slots=True)
class Gaps:
    """Days between successive orders, summed per customer; every array has shape (n_customers,).

    Attributes
    ----------
    n_gaps : count, 0 or more
    sum_days : days, `n_gaps` or more
    sum_log_days : sum of natural logarithms of days, 0 or more
        With the other two it is all the likelihood of the personal clock needs.
    """

    n_gaps: Vector
    sum_days: Vector
    sum_log_days: Vector

    def __len__(self) -> int:
        return len(self.n_gaps)


def rfm(histories: Histories, as_of_day: int) -> Rfm:
    """Summarise customer records at the end of observation.

    Parameters
    ----------
    histories
        Records of customers who all have at least one order.
    as_of_day : days since 1970-01-01
        Exclusive end of observation.

    Raises
    ------
    DataError
        If a customer has no order, or one on or after `as_of_day`.

    Examples
    --------
    Orders on days 0, 10 and 40 worth 5, 20 and 30, seen from day 100.

    >>> lines = (np.zeros(0, np.int32),) * 4
    >>> offsets, none = np.array([0, 3]), np.array([0, 0])
    >>> days, amounts = np.array([0, 10, 40], np.int32), np.array([500, 2000, 3000])
    >>> found = rfm(Histories(("a",), offsets, days, amounts, none, *lines), as_of_day=100)
    >>> found.frequency, found.recency, found.T, found.monetary_value, found.first_value
    (array([2.]), array([40.]), array([100.]), array([25.]), array([5.]))
    """
    first, last = _first_and_last_day(histories)
    if np.any(last >= as_of_day):
        raise DataError("customer records", f"an order lies on or after the end of observation, day {as_of_day}")
    frequency = np.diff(histories.order_offsets).astype(np.float64) - 1.0
    first_value = histories.order_amount[histories.order_offsets[:-1]] / MINOR_UNITS
    return Rfm(frequency, last - first, as_of_day - first, _mean_repeat_amount(histories, frequency), first_value)


def gaps(histories: Histories) -> Gaps:
    """Sum up the days between each customer's successive orders.

    Raises
    ------
    DataError
        If a customer has no order.
    """
    first, last = _first_and_last_day(histories)
    n_gaps = np.diff(histories.order_offsets).astype(np.float64) - 1.0
    days = np.diff(histories.order_day, prepend=0).astype(np.float64)
    days[histories.order_offsets[:-1]] = 1.0  # the first order ends no gap; log 1 adds nothing
    return Gaps(n_gaps, last - first, np.add.reduceat(np.log(days), histories.order_offsets[:-1]))


def _first_and_last_day(histories: Histories) -> tuple[Vector, Vector]:
    if np.any(np.diff(histories.order_offsets) < 1):
        raise DataError("customer records", "a customer has no order", "leave customers without orders out")
    first = histories.order_day[histories.order_offsets[:-1]]
    return first.astype(np.float64), histories.last_order_day().astype(np.float64)


def _mean_repeat_amount(histories: Histories, frequency: Vector) -> Vector:
    starts = histories.order_offsets[:-1]
    repeat_amount = np.add.reduceat(histories.order_amount, starts) - histories.order_amount[starts]
    return repeat_amount / np.maximum(frequency, 1.0) / MINOR_UNITS
