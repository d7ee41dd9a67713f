"""Where recommendations come from: each source proposes (customer, item) pairs, ranking decides among them.

A source never scores and never sees a filter it could get wrong: `allowed` is the whole truth about which items may be
shown. Adding a source means adding a class here and its name to `build_sources`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from recsvc.domain.arrays import Counts, Mask, Rows
from recsvc.domain.features import CustomerBatch, Pairs
from recsvc.domain.item_history import ItemHistories
from recsvc.serving.retrieval import ItemIndex

OWN_DEPTH = 120
DEPTH = 100


class CandidateSource(Protocol):
    """Proposes items to customers."""

    @property
    def name(self) -> str:
        """What reports call it."""

    def candidates(self, batch: CustomerBatch, allowed: Mask) -> Pairs:
        """Pairs with allowed catalogue rows only; no pair twice, any order.

        Parameters
        ----------
        batch
            The customers; some may have no history.
        allowed : shape (n_catalogue,)
        """


@dataclass(frozen=True, slots=True)
class OwnHistory:
    """What the customer bought before, most often and most lately first."""

    name: str = "own_history"
    depth: int = OWN_DEPTH

    def candidates(self, batch: CustomerBatch, allowed: Mask) -> Pairs:
        """At most `depth` items a customer."""
        own = batch.own
        entries = np.flatnonzero(_in_catalogue(own.item, allowed))
        least, most = -own.decayed_order_days[entries], -own.order_days[entries]
        entries = entries[np.lexsort((least, most, own.customer[entries]))]
        entries = entries[_position_within(own.customer[entries]) < self.depth]
        return Pairs(own.customer[entries], own.item[entries])


@dataclass(frozen=True, slots=True)
class Taste:
    """Products never bought that lie closest to the customer's taste vector."""

    index: ItemIndex
    name: str = "taste"
    depth: int = DEPTH

    def candidates(self, batch: CustomerBatch, allowed: Mask) -> Pairs:
        """At most `depth` items a customer; none for customers without a taste vector."""
        has_taste = np.flatnonzero(np.any(batch.vectors != 0, axis=1))
        found = [self._nearest(batch, int(customer), allowed) for customer in has_taste]
        customers = np.repeat(has_taste, [len(rows) for rows in found])
        return Pairs(customers, np.concatenate([np.zeros(0, np.int32), *found]))

    def _nearest(self, batch: CustomerBatch, customer: int, allowed: Mask) -> Rows:
        unseen = allowed.copy()
        bought = bought_rows(batch.own, customer)
        unseen[bought[bought < len(unseen)]] = False
        return self.index.nearest(batch.vectors[customer], self.depth, unseen)


@dataclass(frozen=True, slots=True)
class Trending:
    """What most customers bought lately; the same for everybody."""

    ranked: Rows
    name: str = "trending"
    depth: int = DEPTH

    def candidates(self, batch: CustomerBatch, allowed: Mask) -> Pairs:
        """At most `depth` items, for every customer."""
        rows = self.ranked[allowed[self.ranked]][: self.depth]
        n_customers = len(batch.histories)
        return Pairs(np.repeat(np.arange(n_customers), len(rows)), np.tile(rows, n_customers))


def build_sources(trending: Rows, index: ItemIndex, k: int) -> tuple[CandidateSource, ...]:
    """Every source, deep enough for lists of `k`."""
    depth = max(DEPTH, k)
    return (OwnHistory(depth=max(OWN_DEPTH, k)), Taste(index, depth=depth), Trending(trending, depth=depth))


def propose(sources: tuple[CandidateSource, ...], batch: CustomerBatch, allowed: Mask, *, with_bought: bool) -> Pairs:
    """Union of all sources, sorted by customer and item row."""
    width = len(allowed)
    found = [source.candidates(batch, allowed) for source in sources]
    keys = np.unique(np.concatenate([pairs.customer * width + pairs.item for pairs in found]))
    if not with_bought:
        keys = np.setdiff1d(keys, (batch.own.customer * width + batch.own.item)[batch.own.item < width])
    return Pairs(keys // width, (keys % width).astype(np.int32))


def bought_rows(own: ItemHistories, customer: int) -> Rows:
    """Item rows one customer of the batch ever bought, ascending."""
    return own.item[own.offsets[customer] : own.offsets[customer + 1]]


def _in_catalogue(rows: Rows, allowed: Mask) -> Mask:
    inside = rows < len(allowed)
    inside[inside] = allowed[rows[inside]]
    return inside


def _position_within(customer: Counts) -> Counts:
    """Position of each entry among those of the same customer; `customer` is sorted."""
    starts = np.flatnonzero(np.diff(customer, prepend=-1))
    return np.arange(len(customer)) - np.repeat(starts, np.diff(np.append(starts, len(customer))))
