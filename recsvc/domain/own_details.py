"""More of what a customer did with each item, in order with the entries of `ItemHistories`.

Apart from it because only ranking in trees asks for these, and every customer's taste needs the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Counts, Vector
from recsvc.domain.history import Histories
from recsvc.domain.pairs import CustomerBatch

MONTH_DAYS, YEAR_DAYS = 30.0, 365.0  # half-lives beside the one of taste
KEPT_PER_ORDER = 0.95  # an order-day counts this much less with every order after it


@dataclass(frozen=True, slots=True)
class OwnDetails:
    """One value per (customer, item) entry of the batch's `ItemHistories`; every array has shape (n_entries,).

    Attributes
    ----------
    decayed_month, decayed_year : order-days, each worth half as much every 30, 365 days; above 0
    decayed_by_order : order-days, each worth 5 % less with every order-day since
    in_last_3, in_last_10 : count of the customer's last 3, 10 orders that held the item
    orders_since : order-days since the last one that held it, 0 for the last
    amount : minor units paid for it in all
    """

    decayed_month: Vector
    decayed_year: Vector
    decayed_by_order: Vector
    in_last_3: Vector
    in_last_10: Vector
    orders_since: Vector
    amount: Vector


def own_details(batch: CustomerBatch, n_items: int) -> OwnDetails:
    """Details of every entry of `batch.own`, added up in order of day whatever the batch."""
    histories, own = batch.histories, batch.own
    customer = histories.line_customer()
    entry = np.searchsorted(own.keys(n_items), customer * n_items + histories.line_item)
    age_days = (batch.clock_day[customer] - histories.line_day).astype(np.float64)
    orders_back = _orders_back(histories, customer)
    n_entries = len(own.item)

    def added(weight: Vector) -> Vector:
        return np.bincount(entry, weight, n_entries).astype(np.float64)

    orders_since = np.full(n_entries, np.inf)
    np.minimum.at(orders_since, entry, orders_back)
    return OwnDetails(
        decayed_month=added(0.5 ** (age_days / MONTH_DAYS)),
        decayed_year=added(0.5 ** (age_days / YEAR_DAYS)),
        decayed_by_order=added(KEPT_PER_ORDER**orders_back),
        in_last_3=added((orders_back < 3).astype(np.float64)),
        in_last_10=added((orders_back < 10).astype(np.float64)),
        orders_since=orders_since,
        amount=added(histories.line_amount.astype(np.float64)),
    )


def _orders_back(histories: Histories, customer: Counts) -> Vector:
    """Order-days of the customer after each line's, 0 for the last; shape (n_lines,)."""
    width = np.int64(histories.order_day.max(initial=0)) + 1
    order = np.searchsorted(
        histories.order_customer() * width + histories.order_day, customer * width + histories.line_day
    )
    return (histories.order_offsets[customer + 1] - 1 - order).astype(np.float64)
