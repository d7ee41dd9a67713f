"""Which items go together: in one order, and in one customer's liking.

The cost is the sum of squares of what is compared, so both are bounded: a sample of customers once there are many,
and at most so many items of each order and customer. Beyond the caps, cost grows with the data, never with its square.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from implicit.nearest_neighbours import ItemItemRecommender

from recsvc.domain.arrays import Counts, Days, Mask, Rows, Vector
from recsvc.domain.history import Histories
from recsvc.domain.neighbours import Neighbours

NEAREST = 51  # neighbours kept an item, itself included where it is so near: the features barely move beyond
MAX_LINES = 4_000_000  # beyond this many lines a sample of customers: similarities of items are settled by then
MAX_BASKET = 100  # items of an order: stock-ups of hundreds say little of any one pair and would cost the most
MAX_LIKED = 100  # items of a customer, the ones bought most lately and often
ORDER_SHRINKAGE = 10.0  # order-days added to those of each item: pairs seen a few times are no pattern
CUSTOMER_SHRINKAGE = 2.0  # the same in decayed order-days


class NeighbourSample:
    """Lines of a fixed random share of the customers, catalogue items only."""

    def __init__(self, n_lines: int, n_catalogue: int, seed: int) -> None:
        self.n_catalogue = n_catalogue
        self._share = min(MAX_LINES / max(n_lines, 1), 1.0)
        self._rng = np.random.default_rng(seed)
        self._n_customers = 0
        self._parts: list[tuple[Counts, Days, Rows]] = []

    def add(self, histories: Histories) -> None:
        """Draw from a batch of customers."""
        customer = histories.line_customer()
        drawn = self._rng.random(len(histories)) < self._share
        kept = drawn[customer] & (histories.line_item < self.n_catalogue)
        part = (customer[kept] + self._n_customers, histories.line_day[kept], histories.line_item[kept])
        self._parts.append(part)
        self._n_customers += len(histories)

    def lines(self) -> Purchases:
        """Everything drawn."""
        return Purchases(*(np.concatenate(column) for column in zip(*self._parts, strict=True)))


@dataclass(frozen=True, slots=True)
class Purchases:
    """Lines sorted by customer and day; every array has shape (n_lines,)."""

    customer: Counts
    day: Days
    item: Rows


def bought_together(lines: Purchases, n_catalogue: int, threads: int) -> Neighbours:
    """Items of the same orders."""
    key = lines.customer * (np.int64(lines.day.max(initial=0)) + 1) + lines.day
    _, order = np.unique(key, return_inverse=True)
    popularity = np.bincount(lines.item, minlength=n_catalogue)[lines.item].astype(np.float64)
    kept = _best(order, popularity, lines.item, MAX_BASKET)
    baskets = _matrix(order[kept], lines.item[kept], np.ones(int(kept.sum())), n_catalogue)
    return nearest(baskets, ORDER_SHRINKAGE, threads)


def liked_together(
    lines: Purchases, n_catalogue: int, as_of_day: int, half_life_days: float, threads: int
) -> Neighbours:
    """Items of the same customers, each customer counting by the root of their decayed order-days."""
    decayed = 0.5 ** ((as_of_day - lines.day) / half_life_days)
    liked = _matrix(lines.customer, lines.item, decayed, n_catalogue).tocoo()
    kept = _best(liked.row.astype(np.int64), liked.data, liked.col, MAX_LIKED)
    roots = _matrix(liked.row[kept], liked.col[kept], np.sqrt(liked.data[kept]), n_catalogue)
    return nearest(roots, CUSTOMER_SHRINKAGE, threads)


def nearest(weights: sp.csr_matrix, shrinkage: float, threads: int) -> Neighbours:
    r"""Nearest items by shrunk cosine of their columns.

    .. math:: s_{ij} = \frac{x_i \cdot x_j}{\sqrt{(|x_i|^2 + \lambda)(|x_j|^2 + \lambda)}}

    Parameters
    ----------
    weights : shape (n_rows, n_catalogue), above 0
    shrinkage : :math:`\lambda`, at least 0
    """
    length = np.asarray(weights.multiply(weights).sum(axis=0), np.float64).ravel()
    scaled = (weights @ sp.diags(1.0 / np.sqrt(length + shrinkage))).tocsr()
    model = ItemItemRecommender(K=NEAREST, num_threads=threads)
    model.fit(scaled, show_progress=False)
    found = model.similarity.tocoo()
    kept = (found.row != found.col) & (found.data > 0)
    similar = _matrix(found.row[kept], found.col[kept], found.data[kept], weights.shape[1], weights.shape[1])
    return Neighbours(similar.indptr.astype(np.int32), similar.indices.astype(np.int32), similar.data)


def _matrix(
    row: Counts | Rows, item: Rows, weight: Vector, n_catalogue: int, n_rows: int | None = None
) -> sp.csr_matrix:
    shape = (int(row.max(initial=-1)) + 1 if n_rows is None else n_rows, n_catalogue)
    matrix = sp.csr_matrix((weight.astype(np.float32), (row, item)), shape=shape)
    matrix.sort_indices()
    return matrix


def _best(group: Counts, weight: Vector, item: Rows, k: int) -> Mask:
    """Which entries are among the `k` heaviest of their group; ties by item."""
    kept = np.bincount(group, minlength=1)[group] <= k
    crowded = np.flatnonzero(~kept)
    order = crowded[np.lexsort((item[crowded], -weight[crowded], group[crowded]))]
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    place = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    kept[order[place < k]] = True
    return kept
