"""Splitting at a cut-off: who is tested, on what they bought next, and in which groups.

The groups are those of the published tables, so that they compare across versions; the product's own states differ on
purpose (`recsvc.domain.lapse`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from recsvc.domain.arrays import Mask, Vector
from recsvc.domain.history import Histories

REGULAR_ORDERS = 3
HIGH_VALUE_SHARE = 0.4
MAX_TESTED = 20_000  # a cut-off; more would only narrow intervals that are narrow already
SAMPLE_SEED = 7
GROUPS = ("all", "lapsed", "lapsed_high_value", "bought_once")
Truth = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Cohort:
    """Returners of one cut-off.

    Attributes
    ----------
    customer_ids : who ordered before and again within the horizon
    truth : items of each one's first order after the cut-off; never empty
    groups : masks over `customer_ids`; `all` are those with at least three orders before
    """

    customer_ids: tuple[str, ...]
    truth: Truth
    groups: Mapping[str, Mask]


@dataclass(frozen=True, slots=True)
class Past:
    """What grouping needs of every customer, one entry each, in the order of `customer_ids`.

    Attributes
    ----------
    orders : count of order-days
    silence_days : since the last order
    median_gap_days : median of own gaps; 0 for one order
    spend : minor units, products only
    """

    customer_ids: tuple[str, ...]
    orders: Vector
    silence_days: Vector
    median_gap_days: Vector
    spend: Vector


def past_of(histories: Histories, as_of_day: int) -> Past:
    """Numbers of a batch of customers as of a day."""
    orders = np.diff(histories.order_offsets)
    spend = np.zeros(len(histories))
    np.add.at(spend, histories.line_customer(), histories.line_amount)
    silence = (as_of_day - histories.last_order_day()).astype(np.float64)
    return Past(histories.customer_ids, orders.astype(np.float64), silence, median_gaps(histories), spend)


def median_gaps(histories: Histories) -> Vector:
    """Median days between each customer's successive orders, 0 for one order; shape (n_customers,)."""
    later = np.ones(len(histories.order_day), bool)
    later[histories.order_offsets[:-1]] = False
    gap = np.diff(histories.order_day, prepend=0)[later].astype(np.float64)
    ordered = gap[np.lexsort((gap, histories.order_customer()[later]))]
    count = np.diff(histories.order_offsets) - 1
    first = np.cumsum(count) - count
    low, high = first + np.maximum(count - 1, 0) // 2, first + count // 2
    padded = np.append(ordered, 0.0)
    return np.where(
        count > 0, (padded[np.minimum(low, len(ordered))] + padded[np.minimum(high, len(ordered))]) / 2, 0.0
    )


def returners(past: Past, truth: Truth) -> Mask:
    """Who ordered again and is tested: all of them, or a fixed random sample where there are very many."""
    back = np.array([customer_id in truth for customer_id in past.customer_ids], bool)
    surplus = np.random.default_rng(SAMPLE_SEED).permutation(np.flatnonzero(back))[MAX_TESTED:]
    back[surplus] = False
    return back


def joined_past(parts: Sequence[Past]) -> Past:
    """Put several batches one behind the other."""
    ids = tuple(customer_id for part in parts for customer_id in part.customer_ids)
    columns = [f.name for f in fields(Past) if f.name != "customer_ids"]
    return Past(ids, *(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


def cohort(past: Past, truth: Truth, silent_floor_days: int) -> Cohort:
    """Put the returners into groups.

    *Lapsed* is silent for more than the floor and twice the own median gap; *high value* is in the top 40 % of all
    customers by past spend.
    """
    back = returners(past, truth)
    regular = past.orders >= REGULAR_ORDERS
    lapsed = regular & (past.silence_days > np.maximum(silent_floor_days, 2 * past.median_gap_days))
    high_value = past.spend >= np.quantile(past.spend, 1 - HIGH_VALUE_SHARE)
    members = (regular, lapsed, lapsed & high_value, past.orders == 1)
    return Cohort(
        customer_ids=tuple(c for c, returned in zip(past.customer_ids, back, strict=True) if returned),
        truth=truth,
        groups={name: mask[back] for name, mask in zip(GROUPS, members, strict=True)},
    )
