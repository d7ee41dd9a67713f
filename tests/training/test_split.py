from __future__ import annotations

import numpy as np
import pytest

from tests.domain.record_strategies import summary
from training.split import Past, cohort, joined_past, past_of

AS_OF_DAY = 200


def bought_on(*days, price=100):
    return [(day, 0, 1, price) for day in days]


PAST = past_of(
    summary(
        {
            "regular": bought_on(100, 120, 140, 160, 180),  # gaps of 20, silent for 20
            "lapsed": bought_on(10, 20, 30),  # gaps of 10, silent for 170
            "rich": bought_on(10, 20, 30, price=99_999),
            "slow": bought_on(0, 80, 160),  # gaps of 80, silent for 40: not twice its gap
            "floor": bought_on(165, 168, 171),  # gaps of 3, silent for 29: under the floor of 30
            "twice": bought_on(10, 20),
            "once": bought_on(10),
            "gone": bought_on(10, 20, 30),
        }
    ),
    AS_OF_DAY,
)
TRUTH = {customer_id: frozenset({"item"}) for customer_id in PAST.customer_ids if customer_id != "gone"}


def members(tested, group):
    return {customer_id for customer_id, is_in in zip(tested.customer_ids, tested.groups[group], strict=True) if is_in}


def test_the_past_is_counted_per_customer():
    place = PAST.customer_ids.index("slow")

    assert (PAST.orders[place], PAST.silence_days[place]) == (3, 40)
    assert (PAST.median_gap_days[place], PAST.spend[place]) == (80, 300)
    once = PAST.customer_ids.index("once")
    assert (PAST.orders[once], PAST.median_gap_days[once]) == (1, 0)


def test_returners_are_grouped_by_their_past():
    tested = cohort(PAST, TRUTH, silent_floor_days=30)

    assert tested.customer_ids == ("regular", "lapsed", "rich", "slow", "floor", "twice", "once")
    assert members(tested, "all") == {"regular", "lapsed", "rich", "slow", "floor"}
    assert members(tested, "lapsed") == {"lapsed", "rich"}
    assert members(tested, "bought_once") == {"once"}
    assert "rich" in members(tested, "lapsed_high_value") <= members(tested, "lapsed")


def test_high_value_is_the_top_two_fifths_of_everybody_not_of_returners():
    spend = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0])
    ids = tuple(f"c{number}" for number in range(10))
    past = Past(ids, np.full(10, 3.0), np.full(10, 100.0), np.full(10, 1.0), spend)

    tested = cohort(past, {one: frozenset({"x"}) for one in ("c0", "c5", "c6", "c9")}, silent_floor_days=30)

    assert members(tested, "lapsed") == {"c0", "c5", "c6", "c9"}
    assert members(tested, "lapsed_high_value") == {"c6", "c9"}


@pytest.mark.parametrize(("silence", "is_lapsed"), [(30.0, False), (31.0, True)])
def test_a_silence_must_outlast_the_floor_and_twice_the_gap(silence, is_lapsed):
    for floor, gap in ((30, 1.0), (1, 15.0)):
        past = Past(("a",), np.array([3.0]), np.array([silence]), np.array([gap]), np.array([1.0]))

        tested = cohort(past, {"a": frozenset({"x"})}, silent_floor_days=floor)

        assert members(tested, "lapsed") == ({"a"} if is_lapsed else set())


def test_batches_put_together_are_one_past():
    parts = [
        past_of(summary({"a": bought_on(1, 5)}), AS_OF_DAY),
        past_of(summary({"b": bought_on(7)}), AS_OF_DAY),
    ]

    whole = joined_past(parts)

    assert whole.customer_ids == ("a", "b")
    assert whole.orders.tolist() == [2, 1]
    assert whole.silence_days.tolist() == [195, 193]
