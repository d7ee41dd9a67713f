"""TIFU-kNN: how often a customer bought each item, decayed twice, mixed with the mean of the nearest customers.

Hu, He, Gao & Zhang (2020), Modeling Personalized Item Frequency Information for Next-basket Recommendation, SIGIR.
Baskets are order-days. The latest baskets stand in full groups; the first group is what is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse as sp

from recsvc.domain.arrays import Counts, Factors
from tests.benchmarks.peer_past import PeerPast

GROUPS = (3, 7, 15)
WITHIN = (0.9, 1.0)
BETWEEN = (0.6, 0.8)
NEIGHBOURS = (30, 100, 300)
ALPHAS = (0.1, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True, slots=True)
class Decay:
    """Of personal frequencies: number of groups of baskets, decay within a group and between groups."""

    groups: int
    within: float
    between: float


@dataclass(frozen=True, slots=True)
class TifuKnn:
    """Settings of TIFU-kNN; `alpha` is the part of the customer's own vector."""

    decay: Decay
    neighbours: int
    alpha: float


GRID = tuple(
    TifuKnn(Decay(groups, within, between), neighbours, alpha)
    for groups in GROUPS
    for within in WITHIN
    for between in BETWEEN
    for neighbours in NEIGHBOURS
    for alpha in ALPHAS
)


def scores(past: PeerPast, settings: TifuKnn) -> Factors:
    """Scores of the customers asked for; shape (n_asked, n_catalogue)."""
    own = vectors(past, settings.decay)[past.asked].toarray()
    found: Factors = settings.alpha * own + (1 - settings.alpha) * _mean_of_nearest(
        past, settings.decay, settings.neighbours
    )
    return found


@lru_cache(maxsize=1)
def vectors(past: PeerPast, decay: Decay) -> sp.csr_matrix:
    r"""Temporal item frequencies of every customer; shape (n_customers, n_catalogue), float32.

    With groups of x baskets, a basket j places before the last one of its group, in the group k before the last of m:
    :math:`r_b^j / x \cdot r_g^k / m` for each of its items.
    """
    histories = past.histories
    n_baskets = np.diff(histories.order_offsets)
    size = -(-n_baskets // decay.groups)
    n_groups = -(-n_baskets // size)
    customer, back = histories.line_customer(), _baskets_since(past)
    kept = histories.line_item < past.n_catalogue
    customer, back, item = customer[kept], back[kept], histories.line_item[kept]
    group, place = back // size[customer], back % size[customer]
    first_size = n_baskets - size * (n_groups - 1)
    own_size = np.where(group == n_groups[customer] - 1, first_size[customer], size[customer])
    weight = decay.within**place / own_size * decay.between**group / n_groups[customer]
    return past.matrix(weight.astype(np.float32), customer, item)


@lru_cache(maxsize=1)
def _mean_of_nearest(past: PeerPast, decay: Decay, neighbours: int) -> Factors:
    found = vectors(past, decay)
    nearest = _nearest(past, decay)[:, :neighbours]
    each, n_near = nearest.shape
    mean = np.full(nearest.size, 1.0 / n_near, np.float32)
    chosen = sp.csr_matrix((mean, nearest.ravel(), np.arange(each + 1) * n_near), (each, found.shape[0]))
    dense: Factors = (chosen @ found).toarray()
    return dense


@lru_cache(maxsize=1)
def _nearest(past: PeerPast, decay: Decay) -> Counts:
    """Positions of the other customers, nearest first; shape (n_asked, at most max(NEIGHBOURS))."""
    found = vectors(past, decay)
    square = np.asarray(found.multiply(found).sum(axis=1)).ravel()
    distance = square - 2 * (found[past.asked] @ found.T).toarray()
    distance[np.arange(len(past.asked)), past.asked] = np.inf
    order: Counts = np.argsort(distance, axis=1, kind="stable")[:, : min(max(NEIGHBOURS), found.shape[0] - 1)]
    return order


def _baskets_since(past: PeerPast) -> Counts:
    """Order-days of the customer after each line's; shape (n_lines,)."""
    histories = past.histories
    customer, width = histories.line_customer(), np.int64(past.day + 1)
    held = histories.order_customer() * width + histories.order_day
    place = np.searchsorted(held, customer * width + histories.line_day)
    since: Counts = histories.order_offsets[customer + 1] - 1 - place
    return since
