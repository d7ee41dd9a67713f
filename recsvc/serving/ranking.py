"""From scored candidates to a slate: order, places for something new, nothing padded."""

from __future__ import annotations

from collections import Counter

import numpy as np

from recsvc.domain.arrays import Counts, Mask, Rows, Vector
from recsvc.domain.pairs import Pairs

DEPTH = 100  # candidates a customer that the trees order: more cost time and gained nothing on validation
MIN_NEW = 40  # of them never bought, for the places kept for these


def rank_pairs(pairs: Pairs, scores: Vector) -> Counts:
    """Positions of the pairs, customer by customer, highest score first; ties by item row, which follows item id."""
    return np.lexsort((pairs.item, -scores, pairs.customer))


def shortlist(pairs: Pairs, scores: Vector, bought: Mask, k: int) -> Counts:
    """Positions of the candidates worth a closer look, in the order of the pairs.

    The best `depth` of each customer, of which at least `MIN_NEW` were never bought where there are so many. For lists
    longer than usual both grow, so that a list of `k` is never shorter for it.

    Parameters
    ----------
    pairs : sorted by customer
    scores : shape (n_pairs,)
    bought : shape (n_pairs,)
        Whether the customer ever bought the item.
    k : at least 1
        Length of the list to come.
    """
    depth, new = max(DEPTH, 2 * k), max(MIN_NEW, k)
    ranked = rank_pairs(pairs, scores)
    customer, is_own = pairs.customer[ranked], bought[ranked]
    own_place = _place(customer, is_own)
    ranked = ranked[~is_own | (own_place < depth - new)]
    place = _place(pairs.customer[ranked], np.ones(len(ranked), bool))
    return np.sort(ranked[place < depth])


def _place(customer: Counts, counted: Mask) -> Counts:
    """How many counted entries of the same customer stand before each entry; `customer` is sorted."""
    before: Counts = np.cumsum(counted, dtype=np.int64) - counted
    starts = np.flatnonzero(np.diff(customer, prepend=-1))
    return before - np.repeat(before[starts], np.diff(np.append(starts, len(customer))))


class Room:
    """What a cap on categories still admits, candidate by candidate.

    Parameters
    ----------
    category : shape (n_candidates,)
        Number of the category at each place of the ranking; 0 is none, and never full.
    n : at least 1
        Items of a category that a slate may hold.
    taken
        How many of each it holds already.
    """

    def __init__(self, category: Rows, n: int, taken: Counter[int]) -> None:
        self._category, self._n, self._taken = category.tolist(), n, taken

    def admitted(self, places: Counts, limit: int) -> Counts:
        """The first `limit` places there is room for, which they then fill."""
        found: list[int] = []
        for place in places.tolist():
            category = self._category[place]
            if len(found) < limit and (category == 0 or self._taken[category] < self._n):
                self._taken[category] += 1
                found.append(place)
        return np.array(found, np.int64)


def choose(ranked: Counts, is_new: Mask, k: int, explore_slots: int, room: Room | None = None) -> Counts:
    """Slate of one customer: the best, with the last places kept for products never bought.

    Parameters
    ----------
    ranked : shape (n_candidates,)
        Positions of the customer's candidates, best first.
    is_new : shape (n_candidates,)
        Whether the customer never bought the item at each place of `ranked`.
    k : at least 0
    explore_slots : 0 to k
    room
        What a cap leaves; None where there is none.

    Returns
    -------
    shape (at most k,), positions
        Explored products stand last. Places that cannot be filled with new products go to the next best.

    Examples
    --------
    >>> choose(np.array([7, 5, 3, 1]), np.array([False, False, False, True]), k=3, explore_slots=1)
    array([7, 5, 1])
    """
    admitted = _first if room is None else room.admitted
    places = np.arange(len(ranked))
    head = admitted(places, k - explore_slots)
    behind = places[len(head) :] if room is None else np.setdiff1d(places, head)
    fresh = admitted(behind[is_new[behind]], explore_slots)
    others = admitted(np.setdiff1d(behind, fresh), max(k - len(head) - len(fresh), 0))
    return ranked[np.concatenate([head, others, fresh]).astype(np.int64)]


def _first(places: Counts, limit: int) -> Counts:
    return places[:limit]
