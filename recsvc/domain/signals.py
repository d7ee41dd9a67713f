"""Plain facts about every candidate: enough for the blend, which looks at all of them, and cheap.

What only the few that the trees order need is in `details`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from recsvc.domain.arrays import Counts, Factors, Mask, Vector
from recsvc.domain.item_history import ItemHistories
from recsvc.domain.items import ItemTable
from recsvc.domain.pairs import CustomerBatch, Pairs, of_entries, own_entries


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

    def take(self, positions: Counts) -> Signals:
        """Facts of some of the pairs, in the order asked for."""
        return Signals(*(getattr(self, f.name)[positions] for f in fields(Signals)))


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
    own = batch.own
    entry, bought = own_entries(pairs, own, len(items))
    count, decayed, first, last = (
        of_entries(column, entry, bought)
        for column in (own.order_days, own.decayed_order_days, own.first_day, own.last_day)
    )
    clock = batch.clock_day[pairs.customer].astype(np.float64)
    return Signals(
        bought=bought,
        order_days=count,
        decayed_order_days=decayed,
        order_share=count / np.maximum(batch.n_orders(), 1)[pairs.customer],
        decayed_share=decayed / _mean_decayed(own)[pairs.customer],
        days_since_item=np.where(bought, clock - last, 0.0),
        typical_gap_days=np.where(count > 1, (last - first) / np.maximum(count - 1, 1), 0.0),
        days_since_order=clock - batch.last_order_day()[pairs.customer],
        affinity=np.einsum("ij,ij->i", factors[pairs.item], batch.vectors[pairs.customer]).astype(np.float64),
        recent_share=((items.n_recent_buyers[pairs.item] + 1.0) / (items.n_customers + 1.0)).astype(np.float64),
        buyer_share=items.n_buyers[pairs.item] / items.n_customers,
        trend=items.trend(pairs.item),
        repeat_share=items.repeat_share(pairs.item),
    )


def _mean_decayed(own: ItemHistories) -> Vector:
    """Mean decayed order-days over the items of each customer; 1 where there are none."""
    n_customers = len(own.offsets) - 1
    total = np.bincount(own.customer, own.decayed_order_days, minlength=n_customers)
    n_items = np.diff(own.offsets)
    return np.where(n_items > 0, total / np.maximum(n_items, 1), 1.0)
