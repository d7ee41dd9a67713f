from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.pairs import Pairs
from recsvc.serving.ranking import DEPTH, MIN_NEW, choose, rank_pairs, shortlist

slots = st.integers(1, 12).flatmap(lambda k: st.tuples(st.just(k), st.integers(0, k)))
flags = st.lists(st.booleans(), max_size=30)


@given(flags, slots)
def test_a_slate_holds_each_once_and_is_as_long_as_can_be(is_new: list[bool], sizes: tuple[int, int]) -> None:
    k, explore_slots = sizes
    ranked = np.arange(len(is_new))[::-1].astype(np.int64)

    chosen = choose(ranked, np.array(is_new, bool), k, explore_slots).tolist()

    assert len(chosen) == len(set(chosen)) == min(k, len(is_new))
    head = k - explore_slots
    assert chosen[:head] == ranked[:head].tolist()


@given(flags, slots)
def test_kept_places_hold_new_products_as_far_as_there_are_any(is_new: list[bool], sizes: tuple[int, int]) -> None:
    k, explore_slots = sizes
    fresh = np.array(is_new, bool)

    chosen = choose(np.arange(len(is_new)), fresh, k, explore_slots)

    beyond = int(fresh[k - explore_slots :].sum())
    n_kept = min(explore_slots, beyond)
    assert fresh[chosen[len(chosen) - n_kept :]].all()
    if beyond >= explore_slots:
        assert fresh[chosen].sum() == fresh[: k - explore_slots].sum() + explore_slots


@given(flags, slots)
def test_within_the_two_parts_of_a_slate_better_stands_first(is_new: list[bool], sizes: tuple[int, int]) -> None:
    k, explore_slots = sizes

    chosen = choose(np.arange(len(is_new)), np.array(is_new, bool), k, explore_slots)

    assert (np.diff(chosen) < 0).sum() <= 1
    assert (np.diff(choose(np.arange(len(is_new)), np.array(is_new, bool), k, 0)) > 0).all()


def test_equal_scores_stand_in_order_of_item_within_each_customer() -> None:
    pairs = Pairs(np.array([1, 0, 1, 0, 1]), np.array([5, 9, 2, 3, 4], np.int32))

    order = rank_pairs(pairs, np.array([1.0, 2.0, 1.0, 2.0, 3.0]))

    assert [(int(pairs.customer[p]), int(pairs.item[p])) for p in order] == [(0, 3), (0, 9), (1, 4), (1, 2), (1, 5)]


def candidates(n_own: int, n_new: int, n_customers: int = 1) -> tuple[Pairs, np.ndarray, np.ndarray]:
    """Own items score above new ones, and lower rows higher within both."""
    n = n_own + n_new
    pairs = Pairs(np.repeat(np.arange(n_customers), n), np.tile(np.arange(n, dtype=np.int32), n_customers))
    return pairs, np.tile(-np.arange(n, dtype=float), n_customers), np.tile(np.arange(n) < n_own, n_customers)


@given(st.integers(0, 150), st.integers(0, 150), st.integers(1, 130), st.integers(1, 3))
def test_a_shortlist_is_the_best_with_room_for_new_products_and_never_too_short_for_the_list(
    n_own: int, n_new: int, k: int, n_customers: int
) -> None:
    pairs, scores, bought = candidates(n_own, n_new, n_customers)

    kept = shortlist(pairs, scores, bought, k)

    depth, at_least_new = max(DEPTH, 2 * k), max(MIN_NEW, k)
    own = min(n_own, depth - at_least_new)
    new = min(n_new, depth - own)
    expected = [*range(own), *range(n_own, n_own + new)]
    for customer in range(n_customers):
        assert pairs.item[kept[pairs.customer[kept] == customer]].tolist() == expected
    assert own + new >= min(k, n_own + n_new)
    assert new >= min(at_least_new, n_new)
    assert (np.diff(kept) > 0).all()


def test_a_shortlist_is_chosen_by_score_and_ties_by_item() -> None:
    pairs, _, bought = candidates(0, DEPTH + 2)
    scores = np.zeros(DEPTH + 2)
    scores[-1] = 1.0

    kept = shortlist(pairs, scores, bought, 10)

    assert kept.tolist() == [*range(DEPTH - 1), DEPTH + 1]
