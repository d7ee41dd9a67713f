"""One customer's slate by hand: six candidates, ten points apart, of two categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.business_rules import parse_rule
from recsvc.serving.arranging import Arranged, Hand, arrange
from recsvc.serving.placing import Cap, Placed, Placing
from recsvc.serving.ranking import Room, choose

SCORES = np.array([60.0, 50.0, 40.0, 30.0, 20.0, 10.0])
UNIT = float(np.std(SCORES))
CATEGORY = np.array([1, 1, 1, 2, 2, 0], np.int32)


def placed(rule: str, *items: int) -> Placed:
    return Placed(parse_rule(f"{rule} where chosen"), np.isin(np.arange(6), items))


def slate_of(
    placing: Placing, *, k: int = 4, explore: int = 0, new: Sequence[int] = (), shown: Sequence[int] = ()
) -> Arranged:
    items = np.arange(6, dtype=np.int32)
    hand = Hand(
        position=items.astype(np.int64) + 100,
        item=items,
        score=SCORES,
        is_new=np.isin(items, new),
        is_extra=np.zeros(6, bool),
        times_shown=np.bincount(np.array(shown, np.int64), minlength=6),
    )
    return arrange(hand, placing, k=k, explore_slots=explore)


def items_of(arranged: Arranged) -> list[int]:
    return (arranged.positions - 100).tolist()


def test_without_rules_the_best_come_first_and_nothing_is_reported() -> None:
    slate = slate_of(Placing())

    assert items_of(slate) == [0, 1, 2, 3]
    assert slate.scores.tolist() == [60, 50, 40, 30]
    assert slate.applied == ()


def test_a_boost_adds_the_logarithm_of_its_factor_in_standard_deviations() -> None:
    slate = slate_of(Placing(moves=(placed("boost 8", 4),)))

    assert items_of(slate) == [0, 4, 1, 2]
    assert slate.scores[1] == pytest.approx(20 + UNIT * np.log(8))
    assert slate.applied == ("boost 8 where chosen",)


def test_a_bury_undoes_the_same_boost_and_each_is_reported_for_what_it_changed() -> None:
    slate = slate_of(Placing(moves=(placed("boost 8", 4), placed("bury 8", 4))))

    assert items_of(slate) == [0, 1, 2, 3]
    assert slate.applied == ("boost 8 where chosen", "bury 8 where chosen")


def test_a_rule_that_changes_nothing_is_not_reported() -> None:
    slate = slate_of(Placing(moves=(placed("boost 2", 0), placed("bury 2", 5)), pins=(placed("pin 1", 0),)))

    assert items_of(slate) == [0, 1, 2, 3]
    assert slate.applied == ()


def test_pins_hold_their_places_with_the_best_they_speak_of_and_the_others_move_down() -> None:
    slate = slate_of(Placing(pins=(placed("pin 1", 4, 5), placed("pin 3", 4, 5))))

    assert items_of(slate) == [4, 0, 5, 1]


def test_of_two_pins_at_one_place_the_second_stands_behind_the_first() -> None:
    slate = slate_of(Placing(pins=(placed("pin 2", 5), placed("pin 2", 4))))

    assert items_of(slate) == [0, 5, 4, 1]


def test_a_pin_beyond_the_list_or_of_nothing_there_is_does_nothing() -> None:
    slate = slate_of(Placing(pins=(placed("pin 3"), placed("pin 5", 5))))

    assert items_of(slate) == [0, 1, 2, 3]
    assert slate.applied == ()


def test_a_cap_thins_out_a_category_pins_included_and_items_without_one_are_free() -> None:
    capped = slate_of(Placing(cap=Cap(1, CATEGORY)), k=6)
    pinned = slate_of(Placing(pins=(placed("pin 2", 2),), cap=Cap(1, CATEGORY)), k=6)

    assert items_of(capped) == [0, 3, 5]
    assert items_of(pinned) == [3, 2, 5]
    assert capped.applied == ("at most 1 of a category",)


def test_places_kept_for_new_products_stand_last_whatever_is_pinned() -> None:
    slate = slate_of(Placing(pins=(placed("pin 1", 3),)), explore=1, new=[4, 5])

    assert items_of(slate) == [3, 0, 1, 4]


def test_what_was_shown_steps_back_further_each_time() -> None:
    once, twice = slate_of(Placing(), shown=[0]), slate_of(Placing(), shown=[0, 0])

    assert items_of(once) == [1, 2, 0, 3]
    assert items_of(twice) == [1, 2, 3, 4]
    assert once.applied == ("shown before: 1 item steps back",)
    assert slate_of(Placing(), shown=[0, 5]).applied == ("shown before: 2 items step back",)


@given(n_new=st.lists(st.booleans(), max_size=12), k=st.integers(0, 12), slots=st.integers(0, 12), n=st.integers(1, 3))
def test_a_cap_is_never_exceeded_and_one_nobody_reaches_changes_nothing(
    n_new: list[bool], k: int, slots: int, n: int
) -> None:
    ranked, is_new = np.arange(len(n_new)), np.array(n_new, bool)
    category = ranked % 4

    free = choose(ranked, is_new, k, min(slots, k))
    wide = choose(ranked, is_new, k, min(slots, k), Room(category, 99, Counter()))
    tight = choose(ranked, is_new, k, min(slots, k), Room(category, n, Counter()))

    assert wide.tolist() == free.tolist()
    counts = Counter(category[tight].tolist())
    assert all(count <= n for number, count in counts.items() if number)
    assert len(set(tight.tolist())) == len(tight) <= k
