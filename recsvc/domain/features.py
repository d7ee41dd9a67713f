"""The one feature function: what is known of a (customer, item) pair when it is ranked.

Training, back-test, batch output and live requests all call `signals` and `feature_matrix`. A feature that needs
anything else than the record, the item table and the taste vector does not belong here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Counts, Days, Factors, Mask, Rows, Vector
from recsvc.domain.history import Histories
from recsvc.domain.item_history import ItemHistories
from recsvc.domain.items import ItemTable

NO_AFFINITY = 1e-3  # floor of the logarithm: below it ALS says nothing


@dataclass(frozen=True, slots=True)
class Pairs:
    """Candidates of a batch: `item[j]` is proposed to customer `customer[j]`; sorted, no pair twice."""

    customer: Counts
    item: Rows

    def __len__(self) -> int:
        return len(self.item)


@dataclass(frozen=True, slots=True)
class CustomerBatch:
    """Everything about some customers that ranking may look at.

    Attributes
    ----------
    histories, own
        Their records, and the same per item as of `clock_day`.
    clock_day : shape (n_customers,), days since 1970-01-01
        The ranking clock.
    vectors : shape (n_customers, n_factors)
        Taste vectors from `fold_in`.
    """

    histories: Histories
    own: ItemHistories
    clock_day: Days
    vectors: Factors


@dataclass(frozen=True, slots=True)
class Signals:
    """Plain facts about each candidate pair, before any transformation; every array has shape (n_pairs,).

    Attributes
    ----------
    bought : whether the customer ever bought the item
    order_days, decayed_order_days : count; 0 where never bought
    order_share : order-days of the item over the customer's order-days, in [0, 1]
    decayed_share : the item's part of the customer's decayed order-days, relative to an even spread; at least 0
    days_since_item : days since the customer last bought the item; 0 where never
    typical_gap_days : mean days between the customer's purchases of the item; 0 where fewer than two
    days_since_order : days since the customer's last order
    affinity : ALS inner product, not a probability
    recent_share, buyer_share : share of all customers who bought the item lately, ever; smoothed, in (0, 1]
    trend, repeat_share : as in `ItemTable`
    """

    bought: Mask
    order_days: Vector
    decayed_order_days: Vector
    order_share: Vector
    decayed_share: Vector
    days_since_item: Vector
    typical_gap_days: Vector
    days_since_order: Vector
    affinity: Vector
    recent_share: Vector
    buyer_share: Vector
    trend: Vector
    repeat_share: Vector


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the matrix the ranker sees."""

    name: str
    meaning: str
    compute: Callable[[Signals], Vector]


FEATURES: tuple[Feature, ...] = (
    Feature("order_days", "log(1 + order-days with the item)", lambda s: np.log1p(s.order_days)),
    Feature("order_share", "share of the customer's orders that held the item", lambda s: s.order_share),
    Feature("decayed_order_days", "log(1 + decayed order-days)", lambda s: np.log1p(s.decayed_order_days)),
    Feature(
        "decayed_share",
        "root of the item's part in the customer's decayed purchases",
        lambda s: np.sqrt(s.decayed_share),
    ),
    Feature("bought", "1 when ever bought", lambda s: _flag(s.bought)),
    Feature("left_out", "log(1 + days ordered on without it)", lambda s: np.log1p(_days_ordered_without(s))),
    Feature(
        "in_last_order",
        "1 when the last order held it",
        lambda s: _flag(s.bought & (_days_ordered_without(s) == 0)),
    ),
    Feature("due", "log(1 + days since it / its usual gap here)", lambda s: np.log1p(_gaps_passed(s))),
    Feature("affinity", "log of ALS affinity", lambda s: np.log(np.maximum(s.affinity, NO_AFFINITY))),
    Feature("affinity_new", "ALS affinity to an item never bought", lambda s: np.where(s.bought, 0.0, s.affinity)),
    Feature("affinity_trend", "root of affinity x trend", lambda s: np.sqrt(np.maximum(s.affinity, 0) * s.trend)),
    Feature("recent_share", "log share of customers who bought it lately", lambda s: np.log(s.recent_share)),
    Feature(
        "recent_share_own",
        "the same, for an item bought before",
        lambda s: np.where(s.bought, np.log(s.recent_share), 0.0),
    ),
    Feature("buyer_share", "log share of customers who ever bought it", lambda s: np.log(s.buyer_share)),
    Feature("trend", "log of recent over all buyers", lambda s: np.log(s.trend)),
    Feature(
        "repeat_share_own",
        "its buyers who came back for it, when bought",
        lambda s: np.where(s.bought, s.repeat_share, 0.0),
    ),
)
FEATURE_NAMES = tuple(feature.name for feature in FEATURES)


def feature_matrix(facts: Signals) -> Vector:
    """Columns of `FEATURES`, in that order; shape (n_pairs, n_features), finite."""
    return np.stack([feature.compute(facts) for feature in FEATURES], axis=1)


def signals(pairs: Pairs, batch: CustomerBatch, items: ItemTable, factors: Factors) -> Signals:
    """Facts about each pair.

    Parameters
    ----------
    pairs
        Candidates, rows below `n_catalogue` only.
    batch
        The customers they are proposed to.
    items
        Statistics of the catalogue.
    factors : shape (n_catalogue, n_factors)
    """
    entry, bought = _own_entries(pairs, batch.own, len(items))
    count = _where(bought, batch.own.order_days, entry)
    decayed = _where(bought, batch.own.decayed_order_days, entry)
    last, first = _where(bought, batch.own.last_day, entry), _where(bought, batch.own.first_day, entry)
    clock = batch.clock_day[pairs.customer].astype(np.float64)
    n_orders = np.diff(batch.histories.order_offsets).astype(np.float64)
    return Signals(
        bought=bought,
        order_days=count,
        decayed_order_days=decayed,
        order_share=count / np.maximum(n_orders, 1)[pairs.customer],
        decayed_share=decayed / _mean_decayed(batch.own)[pairs.customer],
        days_since_item=np.where(bought, clock - last, 0.0),
        typical_gap_days=np.where(count > 1, (last - first) / np.maximum(count - 1, 1), 0.0),
        days_since_order=clock - _last_order(batch)[pairs.customer],
        affinity=np.einsum("ij,ij->i", factors[pairs.item], batch.vectors[pairs.customer]).astype(np.float64),
        recent_share=((items.n_recent_buyers[pairs.item] + 1.0) / (items.n_customers + 1.0)).astype(np.float64),
        buyer_share=items.n_buyers[pairs.item] / items.n_customers,
        trend=items.trend(pairs.item),
        repeat_share=items.repeat_share(pairs.item),
    )


def _days_ordered_without(facts: Signals) -> Vector:
    return np.where(facts.bought, np.maximum(facts.days_since_item - facts.days_since_order, 0), 0)


def _flag(mask: Mask) -> Vector:
    return mask.astype(np.float64)


def _gaps_passed(facts: Signals) -> Vector:
    known = facts.order_days > 1
    return np.where(known, facts.days_since_item / np.maximum(facts.typical_gap_days, 1), 0)


def _own_entries(pairs: Pairs, own: ItemHistories, n_items: int) -> tuple[Counts, Mask]:
    """Where each pair stands in `own`, and whether it does."""
    held, wanted = own.keys(n_items), pairs.customer * n_items + pairs.item
    entry = np.minimum(np.searchsorted(held, wanted), max(len(held) - 1, 0))
    return entry, held[entry] == wanted if len(held) else np.zeros(len(wanted), bool)


def _where(bought: Mask, column: Counts | Vector | Days, entry: Counts) -> Vector:
    if not len(column):
        return np.zeros(len(entry))
    return np.where(bought, column[entry], 0).astype(np.float64)


def _mean_decayed(own: ItemHistories) -> Vector:
    """Mean decayed order-days over the items of each customer; 1 where there are none."""
    n_customers = len(own.offsets) - 1
    total = np.bincount(own.customer, own.decayed_order_days, minlength=n_customers)
    n_items = np.diff(own.offsets)
    return np.where(n_items > 0, total / np.maximum(n_items, 1), 1.0)


def _last_order(batch: CustomerBatch) -> Vector:
    """Day of the last order; the clock itself for somebody without orders."""
    offsets = batch.histories.order_offsets
    has = np.diff(offsets) > 0
    last = batch.clock_day.astype(np.float64)
    last[has] = batch.histories.order_day[offsets[1:][has] - 1]
    return last
