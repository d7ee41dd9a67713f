"""Where recommendations come from: each source proposes (customer, item) pairs, ranking decides among them.

A source never scores and never sees a filter it could get wrong: `allowed` is the whole truth about which items may be
shown. Adding a source means adding a class here and its name to `build_sources`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.sparse as sp

from recsvc.domain.arrays import Counts, Mask, Rows, Vector
from recsvc.domain.pairs import CustomerBatch, Pairs, bought_rows, last_orders
from recsvc.domain.shop import Shop
from recsvc.serving.category_sources import UpSell, new_arrivals, price_drops, promotions
from recsvc.serving.retrieval import ItemIndex

OWN_DEPTH = 120
DEPTH = 100
COMPANION_DEPTH = 60
FEW = 20  # of sources that say the same to many
SEEDS = 50  # own items whose neighbours are looked at


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
class Proposals:
    """Union of what the sources proposed; `by[j, s]` says whether source `names[s]` proposed pair `j`."""

    pairs: Pairs
    names: tuple[str, ...]
    by: Mask


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
        return _for_everybody(self.ranked, batch, allowed, self.depth)


@dataclass(frozen=True, slots=True)
class GoesWith:
    """Products never bought that go with what the customer bought: lately and often, or last.

    Attributes
    ----------
    neighbours : shape (n_catalogue, n_catalogue); row `i` holds the neighbours of item `i`
    seeds
        Weights of bought items, shape (n_customers, n_catalogue), from the batch and the size of the catalogue.
    """

    name: str
    neighbours: sp.csr_matrix
    seeds: Callable[[CustomerBatch, int], sp.csr_matrix]
    depth: int = COMPANION_DEPTH

    def candidates(self, batch: CustomerBatch, allowed: Mask) -> Pairs:
        """At most `depth` items a customer."""
        weights = self.seeds(batch, len(allowed))
        found = (weights @ self.neighbours).sorted_indices()
        rows = [self._strongest(batch, customer, found, allowed) for customer in range(len(batch.histories))]
        customers = np.repeat(np.arange(len(rows)), [len(one) for one in rows])
        return Pairs(customers, np.concatenate([np.zeros(0, np.int32), *rows]))

    def _strongest(self, batch: CustomerBatch, customer: int, found: sp.csr_matrix, allowed: Mask) -> Rows:
        """The `depth` strongest neighbours that may be shown and were never bought; ties by item row."""
        mine = slice(*found.indptr[customer : customer + 2])
        item, strength = found.indices[mine], found.data[mine]
        new = allowed[item] & ~_held(item, bought_rows(batch.own, customer))
        item, strength = item[new], strength[new]
        if len(item) <= self.depth:
            return item
        least = np.partition(strength, -self.depth)[-self.depth]
        above = item[strength > least]
        return np.concatenate([above, item[strength == least][: self.depth - len(above)]])


@dataclass(frozen=True, slots=True)
class Comebacks:
    """What ends lapses more often than chance; the same for everybody."""

    ranked: Rows
    name: str = "comebacks"
    depth: int = FEW

    def candidates(self, batch: CustomerBatch, allowed: Mask) -> Pairs:
        """At most `depth` items, for every customer."""
        return _for_everybody(self.ranked, batch, allowed, self.depth)


@dataclass(frozen=True, slots=True)
class Pinned:
    """What a rule may pin for anybody; the same for everybody, and only where a rule pins."""

    rows: Rows
    name: str = "pinned"

    def candidates(self, batch: CustomerBatch, allowed: Mask) -> Pairs:
        """Every one of them, for every customer."""
        return _for_everybody(self.rows, batch, allowed, len(self.rows))


def liked_lately(batch: CustomerBatch, n_catalogue: int) -> sp.csr_matrix:
    """Weights of the heaviest items of interest, in the types of `Neighbours.matrix`: others would have it copied."""
    own, n_customers = batch.interest, len(batch.histories)
    inside = np.flatnonzero(own.item < n_catalogue)
    seeds = np.sort(inside[_heaviest(own.customer[inside], own.decayed_order_days[inside], own.item[inside], SEEDS)])
    weight = np.sqrt(own.decayed_order_days[seeds]).astype(np.float32)
    offsets = np.searchsorted(own.customer[seeds], np.arange(n_customers + 1)).astype(np.int32)
    return sp.csr_matrix((weight, own.item[seeds], offsets), (n_customers, n_catalogue))


def build_sources(shop: Shop, index: ItemIndex) -> Callable[[int], tuple[CandidateSource, ...]]:
    """Every source, as a function of the length of the list to come: it makes some of them deeper."""
    trending = shop.items.trending()
    steady = (
        GoesWith("bought_together", shop.bought_together.matrix(), liked_lately),
        GoesWith("liked_together", shop.liked_together.matrix(), liked_lately),
        GoesWith("like_last_order", shop.liked_together.matrix(), last_orders, FEW),
        UpSell(shop.items, trending),
        new_arrivals(shop.items, trending),
        price_drops(shop.items, trending),
        promotions(shop.items, trending),
        Comebacks(shop.items.comebacks()),
    )

    def sources(k: int) -> tuple[CandidateSource, ...]:
        depth = max(DEPTH, k)
        growing = (OwnHistory(depth=max(OWN_DEPTH, k)), Taste(index, depth=depth), Trending(trending, depth=depth))
        return (*growing, *steady)

    return sources


def propose(
    sources: tuple[CandidateSource, ...], batch: CustomerBatch, allowed: Mask, *, with_bought: bool
) -> Proposals:
    """Union of all sources, sorted by customer and item row."""
    width = len(allowed)
    found = [source.candidates(batch, allowed) for source in sources]
    by_source = [pairs.customer * width + pairs.item for pairs in found]
    keys = np.unique(np.concatenate(by_source))
    if not with_bought:
        keys = np.setdiff1d(keys, (batch.own.customer * width + batch.own.item)[batch.own.item < width])
    proposed = np.zeros((len(keys), len(sources)), bool)
    for column, theirs in enumerate(by_source):
        place = np.searchsorted(keys, theirs)
        if not with_bought:
            place = place[_held(theirs, keys)]
        proposed[place, column] = True
    pairs = Pairs(keys // width, (keys % width).astype(np.int32))
    return Proposals(pairs, tuple(source.name for source in sources), proposed)


def _for_everybody(ranked: Rows, batch: CustomerBatch, allowed: Mask, depth: int) -> Pairs:
    rows = ranked[allowed[ranked]][:depth]
    n_customers = len(batch.histories)
    return Pairs(np.repeat(np.arange(n_customers), len(rows)), np.tile(rows, n_customers))


def _heaviest(customer: Counts, weight: Vector, item: Rows, depth: int) -> Counts:
    """Positions of the `depth` heaviest entries of each customer, ties by item; sorted by customer."""
    order = np.lexsort((item, -weight, customer))
    return order[_position_within(customer[order]) < depth]


def _held(keys: Counts | Rows, held: Counts | Rows) -> Mask:
    """Which keys are among ascending ones."""
    if not len(held):
        return np.zeros(len(keys), bool)
    return np.equal(held[np.minimum(np.searchsorted(held, keys), len(held) - 1)], keys)


def _in_catalogue(rows: Rows, allowed: Mask) -> Mask:
    inside = rows < len(allowed)
    inside[inside] = allowed[rows[inside]]
    return inside


def _position_within(customer: Counts) -> Counts:
    """Position of each entry among those of the same customer; `customer` is sorted."""
    starts = np.flatnonzero(np.diff(customer, prepend=-1))
    return np.arange(len(customer)) - np.repeat(starts, np.diff(np.append(starts, len(customer))))
