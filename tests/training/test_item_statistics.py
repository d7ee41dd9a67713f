"""How soon items are bought again, and whether they end lapses: counted by hand, whatever the batches."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.history import Histories, concatenate, take
from tests.domain.record_strategies import histories, summary
from training.item_statistics import (
    MEDIAN_MONTH,
    PRIOR_GAPS,
    ItemStatistics,
    category_columns,
    comeback_lift,
    promotion_ends,
    rebuy_gaps,
)

WEEKLY = summary({"a": [(day, 0, 1, 100) for day in (0, 7, 14)], "b": [(3, 0, 1, 100), (10, 1, 1, 100)]})


ONE_CATEGORY = np.zeros(4, np.int32)


def no_comebacks(batch: Histories) -> np.ndarray:
    return np.zeros(len(batch.order_day), bool)


def test_gaps_are_between_purchases_of_one_item_by_one_customer() -> None:
    item, log_days = rebuy_gaps(WEEKLY, 3)

    assert item.tolist() == [0, 0]
    np.testing.assert_allclose(log_days, np.log([7.0, 7.0]))


def test_an_item_nobody_bought_again_has_everyones_pace() -> None:
    statistics = ItemStatistics(3)
    statistics.add(WEEKLY, no_comebacks(WEEKLY))

    found = statistics.columns(np.array([4, 1, 0]), ONE_CATEGORY[:3])

    assert found["n_rebuys"].tolist() == [2, 0, 0]
    np.testing.assert_allclose(found["rebuy_gap"], np.log(7.0))
    assert (found["rebuy_spread"] > 0).all()


def test_the_pace_of_an_item_begins_at_its_categorys_and_that_at_everyones() -> None:
    mixed = summary({"a": [(0, 0, 1, 1), (2, 0, 1, 1)], "b": [(0, 1, 1, 1), (200, 1, 1, 1)]})
    statistics = ItemStatistics(3)
    statistics.add(mixed, no_comebacks(mixed))

    gap = statistics.columns(np.array([2, 2, 1]), np.array([1, 2, 2], np.int32))["rebuy_gap"]

    own, everyone = np.log([2.0, 200.0]), np.log([2.0, 200.0]).mean()
    category = (own + PRIOR_GAPS * everyone) / (1 + PRIOR_GAPS)
    np.testing.assert_allclose(gap[:2], (own + PRIOR_GAPS * category) / (1 + PRIOR_GAPS))
    np.testing.assert_allclose(gap[2], category[1])


def test_the_latest_promotion_of_an_item_ends_when_the_last_of_them_does() -> None:
    told = pa.table({"item_row": [1, 1, 2], "starts_day": [5, 6, 7], "ends_day": [30, 20, 9]})

    assert promotion_ends(told, 4).tolist() == [0, 30, 9, 0]
    assert promotion_ends(None, 2).tolist() == [0, 0]


def test_where_nobody_bought_anything_twice_a_month_stands_in() -> None:
    once = summary({"a": [(0, 0, 1, 1)]})
    statistics = ItemStatistics(1)
    statistics.add(once, no_comebacks(once))

    found = statistics.columns(np.array([1]), ONE_CATEGORY[:1])

    np.testing.assert_allclose(found["rebuy_gap"], MEDIAN_MONTH[0])
    np.testing.assert_allclose(found["rebuy_spread"], np.sqrt(MEDIAN_MONTH[1]))


@given(histories, st.integers(0, 5))
def test_sums_do_not_depend_on_the_batches(batch: Histories, cut: int) -> None:
    n_before = min(cut, len(batch))
    parts = [take(batch, np.arange(n_before)), take(batch, np.arange(n_before, len(batch)))]
    comeback = np.arange(len(batch.order_day)) % 2 == 1
    together, apart = ItemStatistics(4), ItemStatistics(4)

    together.add(batch, comeback)
    start = 0
    for part in parts:
        if len(part):
            apart.add(part, comeback[start : start + len(part.order_day)])
        start += len(part.order_day)

    one, other = (each.columns(np.full(4, 20), ONE_CATEGORY) for each in (together, apart))
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-12)


def test_what_is_bought_at_comebacks_as_often_as_ever_has_no_lift() -> None:
    lift = comeback_lift(np.array([100, 10, 0]), np.array([999.0, 999.0, 0.0]), 100, 1_000)

    assert abs(lift[0]) < 1e-9
    assert lift[1] < -1.5
    assert abs(lift[2]) < 0.05  # nothing is known of it


def test_categories_are_numbered_at_both_levels_and_none_is_0() -> None:
    items = pa.table(
        {
            "category": ["Home > Bath > Towels", "Home > Bath", "Food", None, "Home > Bed"],
            "n_recent_buyers": [5, 6, 7, 8, 9],
        }
    )

    found = category_columns(items, 4)

    assert found["top_category"].tolist() == [2, 2, 1, 0, 2]
    second = found["second_category"].tolist()
    assert second[0] == second[1] != second[4]
    assert second[3] == 0
    assert found["n_category_buyers"].tolist() == [11, 11, 7, 8, 0]


def test_a_shop_without_categories_has_one_that_is_none() -> None:
    found = category_columns(pa.table({"n_recent_buyers": [5, 6]}), 2)

    assert found["top_category"].tolist() == found["second_category"].tolist() == [0, 0]


def test_batches_of_customers_are_independent() -> None:
    item, _ = rebuy_gaps(concatenate([WEEKLY, summary({"c": [(20, 0, 1, 1)]})]), 3)

    assert item.tolist() == [0, 0]
