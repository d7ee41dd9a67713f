"""What the records say about items: how soon they are bought again, and whether they end lapses.

Added up batch by batch, so that memory is bounded by the catalogue; shrunk once at the end.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from recsvc.domain.arrays import AnyArray, Counts, Days, Mask, Rows, Vector
from recsvc.domain.history import Histories
from recsvc.serving.masks import CATEGORY_SEPARATOR
from training.comeback import comeback_counts

PRIOR_GAPS = 5.0  # gaps of its category's kind that each item begins with, and each category of everyone's
MIN_VARIANCE = 0.05  # of log days: two equal gaps do not make a clock
PRIOR_ORDERS = 5.0  # comebacks that each item begins with, of its own ordinary share
MEDIAN_MONTH = (np.log(28.0), 1.0)  # mean and variance of log days where nobody ever bought anything twice


class ItemStatistics:
    """Sums over customers, one entry an item."""

    def __init__(self, n_items: int) -> None:
        self._n_rebuys = np.zeros(n_items, np.int64)
        self._log_days, self._log_days_squared = np.zeros(n_items), np.zeros(n_items)
        self._n_comeback_buyers = np.zeros(n_items, np.int64)
        self._n_comeback_orders = np.zeros(n_items, np.int64)
        self._comebacks, self._orders = 0, 0

    def add(self, histories: Histories, comeback: Mask) -> None:
        """Count a batch; `comeback` marks the orders that ended a lapse, shape (n_orders,)."""
        n_items = len(self._n_rebuys)
        item, log_days = rebuy_gaps(histories, n_items)
        self._n_rebuys += np.bincount(item, minlength=n_items)
        self._log_days += np.bincount(item, log_days, minlength=n_items)
        self._log_days_squared += np.bincount(item, log_days**2, minlength=n_items)
        buyers, orders = comeback_counts(histories, comeback, n_items)
        self._n_comeback_buyers += buyers
        self._n_comeback_orders += orders
        self._comebacks += int(comeback.sum())
        self._orders += len(comeback)

    def columns(self, n_order_days: Counts, category: Rows) -> dict[str, AnyArray]:
        """Columns of `ItemTable`.

        Parameters
        ----------
        n_order_days : shape (n_items,)
            How many orders held each item.
        category : shape (n_items,), number of the category
            Whose pace an item begins with.
        """
        gap, spread = self._rebuy_clock(category)
        ordinary = (n_order_days - self._n_comeback_orders).astype(np.float64)
        return {
            "n_comeback_buyers": self._n_comeback_buyers,
            "rebuy_gap": gap,
            "rebuy_spread": spread,
            "n_rebuys": self._n_rebuys,
            "comeback_lift": comeback_lift(
                self._n_comeback_orders, ordinary, self._comebacks, self._orders - self._comebacks
            ),
        }

    def _rebuy_clock(self, category: Rows) -> tuple[Vector, Vector]:
        """Mean and standard deviation of log days, shrunk to the category's, as those are to everyone's."""
        n, mean, variance = self._n_rebuys, *MEDIAN_MONTH
        if total := n.sum():
            mean = self._log_days.sum() / total
            variance = self._log_days_squared.sum() / total - mean**2
        sums = (n, self._log_days, self._log_days_squared)
        count, days, squared = (np.bincount(category, part) for part in sums)
        category_mean = (days + PRIOR_GAPS * mean) / (count + PRIOR_GAPS)
        category_square = (squared + PRIOR_GAPS * (variance + mean**2)) / (count + PRIOR_GAPS)
        gap = (self._log_days + PRIOR_GAPS * category_mean[category]) / (n + PRIOR_GAPS)
        square = (self._log_days_squared + PRIOR_GAPS * category_square[category]) / (n + PRIOR_GAPS)
        return gap, np.sqrt(np.maximum(square - gap**2, MIN_VARIANCE))


def rebuy_gaps(histories: Histories, n_items: int) -> tuple[Rows, Vector]:
    """Item and log of days of every gap between two purchases of one item by one customer."""
    key = histories.line_customer() * n_items + histories.line_item
    order = np.lexsort((histories.line_day, key))
    key, day = key[order], histories.line_day[order]
    again = key[1:] == key[:-1]
    return histories.line_item[order][1:][again], np.log((day[1:] - day[:-1])[again].astype(np.float64))


def comeback_lift(in_comebacks: Counts, ordinary: Vector, n_comebacks: int, n_ordinary: int) -> Vector:
    """Log of each item's share in comebacks over its share in ordinary orders, shrunk to 0; shape (n_items,).

    Examples
    --------
    In 30 of 100 comebacks where 10 % of ordinary orders hold it; never in a comeback though equally common.

    >>> comeback_lift(np.array([30, 0]), np.array([99.0, 99.0]), 100, 1000).round(2)
    array([ 0.85, -1.1 ])
    """
    expected = (ordinary + 1.0) * n_comebacks / max(n_ordinary, 1)
    return np.log((in_comebacks + PRIOR_ORDERS) / (expected + PRIOR_ORDERS))


def category_columns(items: pa.Table, n_catalogue: int) -> dict[str, AnyArray]:
    """Numbers of each item's categories, and the recent buyers of the second-level ones."""
    second = _category_numbers(items, 2)
    in_catalogue = second[:n_catalogue]
    recent = np.bincount(in_catalogue, items["n_recent_buyers"].to_numpy()[:n_catalogue], int(second.max()) + 1)
    return {
        "top_category": _category_numbers(items, 1),
        "second_category": second,
        "n_category_buyers": recent[second].astype(np.int64),
    }


def promotion_ends(promotions: pa.Table | None, n_items: int) -> Days:
    """Last day of each item's latest promotion, the first day there is where it never had one; shape (n_items,)."""
    ends = np.zeros(n_items, np.int32)
    if promotions is not None:
        np.maximum.at(ends, promotions["item_row"].to_numpy(), promotions["ends_day"].to_numpy())
    return ends


def _category_numbers(items: pa.Table, depth: int) -> Rows:
    """Number of each item's category at a depth of the path, in order of name; 0 for no category."""
    if "category" not in items.column_names:
        return np.zeros(len(items), np.int32)
    paths = [CATEGORY_SEPARATOR.join((path or "").split(CATEGORY_SEPARATOR)[:depth]) for path in _paths(items)]
    number = {name: place for place, name in enumerate(sorted({"", *paths}))}
    return np.array([number[path] for path in paths], np.int32)


def _paths(items: pa.Table) -> list[str | None]:
    paths: list[str | None] = items["category"].to_pylist()
    return paths
