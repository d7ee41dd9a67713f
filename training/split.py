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
    gaps = np.split(histories.order_day, histories.order_offsets[1:-1])
    median = [float(np.median(np.diff(days))) if len(days) > 1 else 0.0 for days in gaps]
    silence = (as_of_day - histories.last_order_day()).astype(np.float64)
    return Past(histories.customer_ids, orders.astype(np.float64), silence, np.array(median), spend)


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
    back = np.array([customer_id in truth for customer_id in past.customer_ids], bool)
    regular = past.orders >= REGULAR_ORDERS
    lapsed = regular & (past.silence_days > np.maximum(silent_floor_days, 2 * past.median_gap_days))
    high_value = past.spend >= np.quantile(past.spend, 1 - HIGH_VALUE_SHARE)
    members = (regular, lapsed, lapsed & high_value, past.orders == 1)
    return Cohort(
        customer_ids=tuple(c for c, returned in zip(past.customer_ids, back, strict=True) if returned),
        truth=truth,
        groups={name: mask[back] for name, mask in zip(GROUPS, members, strict=True)},
    )
