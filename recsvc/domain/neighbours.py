"""Items that go together: for each item its nearest few, as three flat arrays that can be mapped from disk.

Computed in training; here are only the two questions ranking asks of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from recsvc.domain.arrays import Counts, Factors, Floats, Rows, Vector
from recsvc.domain.pairs import Pairs

CELLS = 4_000_000  # of the dense weights held at once, 4 bytes each


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Sparse similarities between catalogue items; lists are as long as they are, nothing padded.

    Attributes
    ----------
    offsets : shape (n_catalogue + 1,), int32
        Item `i` owns the entries `offsets[i]:offsets[i + 1]`.
    item : shape (n_entries,), item row
    weight : shape (n_entries,), shrunk cosine, in (0, 1]
    """

    offsets: Rows
    item: Rows
    weight: Floats

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def matrix(self) -> sp.csr_matrix:
        """Row `i` holds the neighbours of item `i`; shape (n_catalogue, n_catalogue), nothing copied."""
        return sp.csr_matrix((self.weight, self.item, self.offsets), shape=(len(self), len(self)), copy=False)


def no_neighbours(n_catalogue: int) -> Neighbours:
    """Nothing goes with anything: of bundles made before neighbours were."""
    return Neighbours(np.zeros(n_catalogue + 1, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))


def closeness(pairs: Pairs, liked: sp.csr_matrix, neighbours: Neighbours) -> Vector:
    """How much of what each customer bought is among the neighbours of the item proposed; shape (n_pairs,), in [0, 1].

    Parameters
    ----------
    pairs
        Sorted by customer.
    liked : shape (n_customers, n_catalogue)
        Weights of what each customer bought, at least 0.
    neighbours
        Of the catalogue.
    """
    n_customers, n_catalogue = liked.shape
    found = np.zeros(len(pairs))
    total = np.maximum(np.asarray(liked.sum(axis=1), np.float64).ravel(), 1e-9)
    step = max(CELLS // max(n_catalogue, 1), 1)
    for first in range(0, n_customers, step):
        part = slice(*np.searchsorted(pairs.customer, [first, first + step]))
        some = (
            liked if step >= n_customers else liked[first : first + step]
        )  # a slice of all takes longer than the rest
        dense = some.toarray().astype(np.float32)
        found[part] = _overlap(pairs.customer[part] - first, pairs.item[part], dense, neighbours)
    return found / total[pairs.customer]


def _overlap(customer: Counts, item: Rows, liked: Factors, neighbours: Neighbours) -> Vector:
    begin = neighbours.offsets[item].astype(np.int64)
    lengths = neighbours.offsets[item + 1] - begin
    ends = np.cumsum(lengths)
    entry = np.arange(ends[-1] if len(ends) else 0) + np.repeat(begin - (ends - lengths), lengths)
    values = liked[np.repeat(customer, lengths), neighbours.item[entry]] * neighbours.weight[entry]
    return np.bincount(np.repeat(np.arange(len(item)), lengths), values, len(item)).astype(np.float64)
