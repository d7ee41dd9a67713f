"""How good a ranked list is, against what a returning customer bought; and how sure we are."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsvc.domain.arrays import Counts, Mask, Vector

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over customers with its 95 % interval."""

    mean: float
    low: float
    high: float


def recall(ranked: Sequence[str], truth: AbstractSet[str], k: int) -> float:
    """Share of the truth among the first `k`; in [0, 1].

    Examples
    --------
    >>> recall(["a", "b", "c"], {"c", "d"}, k=3)
    0.5
    """
    return sum(item in truth for item in ranked[:k]) / len(truth)


def hit(ranked: Sequence[str], truth: AbstractSet[str], k: int) -> float:
    """1 when any of the first `k` is right, else 0."""
    return float(any(item in truth for item in ranked[:k]))


def ndcg(ranked: Sequence[str], truth: AbstractSet[str], k: int) -> float:
    """Discounted gain over that of an ideal list of min(k, truth) hits; in [0, 1].

    References
    ----------
    Järvelin & Kekäläinen (2002), Cumulated gain-based evaluation of IR techniques, ACM TOIS 20(4)

    Examples
    --------
    >>> ndcg(["a", "b"], {"a", "b"}, k=10)
    1.0
    >>> round(ndcg(["x", "a"], {"a"}, k=10), 4)
    0.6309
    """
    gain = sum(1 / np.log2(place + 2) for place, item in enumerate(ranked[:k]) if item in truth)
    ideal = sum(1 / np.log2(place + 2) for place in range(min(k, len(truth))))
    return float(gain / ideal)


def ndcg_of_pairs(scores: Vector, hits: Mask, sizes: Counts, bought: Counts, k: int) -> Vector:
    """NDCG of each customer's candidates in order of score; ties in order of the pairs.

    Parameters
    ----------
    scores, hits : shape (n_pairs,), customer by customer
        Hits are what was bought.
    sizes : shape (n_customers,)
        Pairs of each customer.
    bought : shape (n_customers,), at least 1
        Items each bought, candidates or not.

    Examples
    --------
    >>> scores, hits = np.array([0.1, 0.9, 0.5]), np.array([True, False, True])
    >>> ndcg_of_pairs(scores, hits, np.array([2, 1]), np.array([1, 2]), 10).round(4)
    array([0.6309, 0.6131])
    """
    customer = np.repeat(np.arange(len(sizes)), sizes)
    order = np.lexsort((np.arange(len(scores)), -scores, customer))
    place = np.arange(len(scores)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    discount = np.where(place < k, 1 / np.log2(place + 2.0), 0.0)
    gain = np.bincount(customer, discount * hits[order], minlength=len(sizes))
    ideal = np.cumsum(1 / np.log2(np.arange(k) + 2.0))[np.minimum(bought, k) - 1]
    values: Vector = gain / ideal
    return values


def bootstrap(values: Vector, customers: Sequence[str], seed: int = 7) -> list[Estimate]:
    """Means of several columns with percentile intervals, resampling customers, each with all their cut-offs.

    All columns share their resamples, so differences of columns are paired.

    Parameters
    ----------
    values : shape (n, n_columns)
        One row per customer and cut-off; NaN where a column does not apply, somewhere a number in every column.
    customers : length n
        Whose row it is.
    """
    cluster = pd.factorize(np.array(customers, dtype=object), sort=True)[0]
    applies = ~np.isnan(values)
    total, count = _by_cluster(np.where(applies, values, 0.0), cluster), _by_cluster(applies.astype(float), cluster)
    n_clusters = len(total)
    drawn = np.random.default_rng(seed).multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), RESAMPLES)
    weight = drawn.astype(np.float64)
    in_sample = weight @ count
    means = np.where(in_sample > 0, (weight @ total) / np.maximum(in_sample, 1.0), np.nan)
    low, high = np.nanquantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    mean = total.sum(axis=0) / count.sum(axis=0)
    return [Estimate(*map(float, triple)) for triple in zip(mean, low, high, strict=True)]


def _by_cluster(values: Vector, cluster: Counts) -> Vector:
    """Sums of the rows of each cluster; shape (n_clusters, n_columns)."""
    sums = np.zeros((int(cluster.max()) + 1, values.shape[1]))
    np.add.at(sums, cluster, values)
    return sums
