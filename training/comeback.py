"""What customers buy when they come back after a lapse."""

from __future__ import annotations

import numpy as np

from recsvc.domain.arrays import Counts, Mask
from recsvc.domain.history import Histories
from recsvc.domain.lapse import LapseParams, LapseThresholds, next_gap_quantiles
from recsvc.domain.rfm import Gaps


def is_comeback(histories: Histories, lapse: LapseParams, thresholds: LapseThresholds) -> Mask:
    """Which orders ended a silence that counted as a lapse by what was known before it; shape (n_orders,)."""
    starts = histories.order_offsets[:-1]
    n_before = np.arange(len(histories.order_day)) - np.repeat(starts, np.diff(histories.order_offsets))
    previous = np.roll(histories.order_day, 1)
    first_day = np.repeat(histories.order_day[starts], np.diff(histories.order_offsets))
    later = n_before > 0
    n_gaps, sum_days = n_before[later] - 1.0, (previous - first_day)[later]
    known = Gaps(n_gaps.astype(np.float64), sum_days.astype(np.float64), np.zeros(len(n_gaps)))
    comeback = np.zeros(len(later), bool)
    limit = next_gap_quantiles(lapse, known, (thresholds.lapsed,))[:, 0]
    comeback[later] = (histories.order_day - previous)[later] > limit
    return comeback


def comeback_counts(histories: Histories, comeback: Mask, n_items: int) -> tuple[Counts, Counts]:
    """How many customers bought each item in orders that ended a lapse, and how many such orders held it."""
    width = np.int64(histories.order_day.max()) + 1
    orders = (histories.order_customer() * width + histories.order_day)[comeback]
    customer = histories.line_customer()
    inside = np.isin(customer * width + histories.line_day, orders)
    item = histories.line_item[inside]
    pairs = np.unique(customer[inside] * n_items + item)
    return np.bincount(pairs % n_items, minlength=n_items), np.bincount(item, minlength=n_items)
