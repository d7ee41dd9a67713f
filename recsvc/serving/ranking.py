"""From scored candidates to a slate: order, places for something new, nothing padded."""

from __future__ import annotations

import numpy as np

from recsvc.domain.arrays import Counts, Mask, Vector
from recsvc.domain.features import Pairs


def rank_pairs(pairs: Pairs, scores: Vector) -> Counts:
    """Positions of the pairs, customer by customer, highest score first; ties by item row, which follows item id."""
    return np.lexsort((pairs.item, -scores, pairs.customer))


def choose(ranked: Counts, is_new: Mask, k: int, explore_slots: int) -> Counts:
    """Slate of one customer: the best, with the last places kept for products never bought.

    Parameters
    ----------
    ranked : shape (n_candidates,)
        Positions of the customer's candidates, best first.
    is_new : shape (n_candidates,)
        Whether the customer never bought the item at each place of `ranked`.
    k : at least 1
    explore_slots : 0 to k

    Returns
    -------
    shape (at most k,), positions
        Explored products stand last. Places that cannot be filled with new products go to the next best.

    Examples
    --------
    >>> choose(np.array([7, 5, 3, 1]), np.array([False, False, False, True]), k=3, explore_slots=1)
    array([7, 5, 1])
    """
    head = k - explore_slots
    fresh = head + np.flatnonzero(is_new[head:])[:explore_slots]
    others = np.setdiff1d(np.arange(head, len(ranked)), fresh)[: max(k - head - len(fresh), 0)]
    return ranked[np.concatenate([np.arange(min(head, len(ranked))), others, fresh]).astype(np.int64)]
