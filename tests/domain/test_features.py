"""Every signal and feature, on a customer one can count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from recsvc.domain.blending import LinearBlend
from recsvc.domain.details import details
from recsvc.domain.features import BLEND_NAMES, TREE_NAMES, blend_matrix, tree_matrix
from recsvc.domain.history import concatenate, no_history
from recsvc.domain.item_history import item_histories
from recsvc.domain.lapse import LapseParams
from recsvc.domain.neighbours import Neighbours, no_neighbours
from recsvc.domain.pairs import CustomerBatch, Pairs
from recsvc.domain.shop import Shop
from recsvc.domain.signals import signals
from recsvc.errors import DataError
from tests.domain.catalogues import item_table
from tests.domain.record_strategies import histories, summary

CLOCK, HALF_LIFE_DAYS = 100, 10.0
BOUGHT = [(60, 0, 1, 100), (80, 0, 1, 100), (90, 0, 2, 100), (95, 1, 1, 100)]  # day, item, quantity, amount
ITEMS = item_table(
    ["a", "b", "c", "d"],
    3,
    n_customers=100,
    as_of_day=CLOCK,
    n_buyers=[50, 20, 20, 1],
    n_recent_buyers=[5, 9, 9, 0],
    n_repeat_buyers=[25, 0, 4, 0],
    last_day=np.full(4, 99),
    last_price=[100, 200, 400, 100],
    top_category=[1, 1, 2, 1],
    second_category=[1, 2, 3, 1],
    n_category_buyers=[5, 9, 9, 5],
    rebuy_gap=np.log([10.0, 20.0, 30.0, 30.0]),
    rebuy_spread=np.ones(4),
)
FACTORS = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]], np.float32)
TOGETHER = Neighbours(np.array([0, 1, 2, 4], np.int32), np.array([2, 2, 0, 1], np.int32), np.full(4, 0.5, np.float32))
SHOP = Shop(ITEMS, FACTORS, TOGETHER, no_neighbours(3), LapseParams(p=1.0, q=2.0, v=20.0))


def batch_of(records):
    clock = np.full(len(records), CLOCK, np.int32)
    own = item_histories(records, clock, HALF_LIFE_DAYS)
    return CustomerBatch(records, own, clock, np.full((len(records), 2), 0.5, np.float32))


def all_pairs(n_customers):
    return Pairs(np.repeat(np.arange(n_customers), 3), np.tile(np.arange(3, dtype=np.int32), n_customers))


def tree_columns(records):
    batch, pairs = batch_of(records), all_pairs(len(records))
    facts = signals(pairs, batch, ITEMS, FACTORS)
    return tree_matrix(blend_matrix(facts), details(pairs, facts, batch, SHOP))


@pytest.fixture(scope="module")
def facts():
    """Four orders: item 0 on days 60, 80 and 90, item 1 on day 95; then a stranger."""
    batch = batch_of(concatenate([summary({"x": BOUGHT}), no_history("stranger")]))
    return signals(all_pairs(2), batch, ITEMS, FACTORS)


def test_signals_are_what_one_counts_by_hand(facts):
    decayed = np.array([0.5**4 + 0.5**2 + 0.5, 0.5**0.5, 0])

    assert facts.bought.tolist() == [True, True, False, False, False, False]
    assert facts.order_days.tolist() == [3, 1, 0, 0, 0, 0]
    assert facts.order_share.tolist() == [0.75, 0.25, 0, 0, 0, 0]
    np.testing.assert_allclose(facts.decayed_order_days[:3], decayed)
    np.testing.assert_allclose(facts.decayed_share[:3], decayed / decayed[:2].mean())
    assert facts.days_since_item.tolist() == [10, 5, 0, 0, 0, 0]
    assert facts.typical_gap_days.tolist() == [15, 0, 0, 0, 0, 0]
    assert facts.days_since_order.tolist() == [5, 5, 5, 0, 0, 0]
    assert facts.affinity.tolist() == [0.5, 1.0, 0.0] * 2


def test_signals_of_items_are_shares_and_smoothed(facts):
    np.testing.assert_allclose(facts.recent_share[:3], np.array([6, 10, 10]) / 101)
    np.testing.assert_allclose(facts.buyer_share[:3], [0.5, 0.2, 0.2])
    np.testing.assert_allclose(facts.trend[:3], np.array([5.5 / 55, 9.5 / 25, 9.5 / 25]))
    np.testing.assert_allclose(facts.repeat_share[:3], np.array([25.2 / 52, 0.2 / 22, 4.2 / 22]))


@pytest.fixture(scope="module")
def told():
    """Columns the trees look at, by name: rows are the customer's three items, then the stranger's."""
    matrix = tree_columns(concatenate([summary({"x": BOUGHT}), no_history("stranger")]))
    return dict(zip(TREE_NAMES, matrix.T.astype(np.float64), strict=True))


def test_own_purchases_are_what_one_counts_by_hand(told):
    np.testing.assert_allclose(
        np.expm1(told["decayed_month"][:2]), [sum(0.5 ** (a / 30) for a in (40, 20, 10)), 0.5 ** (5 / 30)], rtol=1e-6
    )
    np.testing.assert_allclose(told["in_last_3"], [2 / 3, 1 / 3, 0, 0, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(told["in_last_10"], [3 / 4, 1 / 4, 0, 0, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(told["decayed_by_order"], [0.95**3 + 0.95**2 + 0.95, 1, 0, 0, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(np.expm1(told["orders_since"]), [1, 0, 0, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(np.expm1(told["amount"]), [300, 100, 0, 0, 0, 0], atol=1e-3)
    np.testing.assert_allclose(told["amount_share"], [0.75, 0.25, 0, 0, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(np.expm1(told["quantity"]), [4, 1, 0, 0, 0, 0], atol=1e-5)


def test_timing_compares_with_the_pace_of_the_item_and_with_the_customers_own(told):
    mine = (15 * 2 + 10 * 2) / 4  # two gaps of one's own, two at the item's

    np.testing.assert_allclose(told["overdue"], [0, np.log(5 / 20), 0, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(told["overdue_here"], [np.log(10 / mine), np.log(5 / 20), 0, 0, 0, 0], atol=1e-6)


def test_company_is_the_part_of_what_was_bought_that_goes_with_the_item(told):
    first, second = np.sqrt([0.5**4 + 0.5**2 + 0.5, 0.5**0.5])
    both = first + second

    np.testing.assert_allclose(told["bought_close"], [0, 0, 0.5 * (first + second) / both, 0, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(told["last_close"], [0, 0, 0.5, 0, 0, 0], rtol=1e-6)
    assert not told["liked_close"].any()


def test_category_and_price_are_relative_to_what_the_customer_buys(told):
    first, second = 0.5**4 + 0.5**2 + 0.5, 0.5**0.5
    prices = np.log([100.0, 200.0, 400.0])
    level = (3 * prices[0] + prices[1]) / 4

    np.testing.assert_allclose(
        told["category_share"], np.array([first, second, 0, 0, 0, 0]) / [first + second], rtol=1e-5
    )
    np.testing.assert_allclose(told["share_of_category"], [1, 1, 0, 0, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(
        told["share_of_department"], [first / (first + second), second / (first + second), 0, 0, 0, 0], rtol=1e-5
    )
    np.testing.assert_allclose(told["price_relative"], [*(prices - level), *prices], atol=1e-6)


def test_customers_as_a_whole_are_the_same_on_each_of_their_candidates(told):
    gap = 1.0 * (20.0 + 35) / (2.0 + 1.0 * 3)  # three gaps over 35 days, beside everyone's

    for name, value in {"orders": np.log(5), "silence": np.log(6), "items": np.log(3), "repeats": 0.5}.items():
        np.testing.assert_allclose(told[name][:3], value, rtol=1e-6)
    np.testing.assert_allclose(told["silence_in_gaps"][:3], np.log(6) - np.log(gap), rtol=1e-6)


@given(histories)
def test_features_are_finite_for_every_record(batch):
    matrix = tree_columns(batch)

    assert matrix.shape == (3 * len(batch), len(TREE_NAMES))
    assert np.isfinite(matrix).all()


@given(histories)
def test_features_of_a_customer_do_not_depend_on_the_batch(batch):
    together = tree_columns(batch)

    among = tree_columns(concatenate([batch, summary({"last": [(1, 0, 1, 100)]})]))

    np.testing.assert_array_equal(among[: len(together)], together)


def test_the_blend_looks_at_the_first_columns_of_what_the_trees_look_at():
    batch = batch_of(summary({"x": BOUGHT}))

    matrix = blend_matrix(signals(all_pairs(1), batch, ITEMS, FACTORS))

    assert TREE_NAMES[: len(BLEND_NAMES)] == BLEND_NAMES
    np.testing.assert_array_equal(
        tree_columns(summary({"x": BOUGHT}))[:, : len(BLEND_NAMES)], matrix.astype(np.float32)
    )


def test_trending_is_recent_buyers_then_all_buyers_then_id():
    assert ITEMS.trending().tolist() == [1, 2, 0]


def test_a_blend_is_a_weighted_sum_of_standardised_features():
    blend = LinearBlend(("x", "y"), np.array([1.0, 2.0]), np.array([2.0, 4.0]), np.array([3.0, -1.0]))

    assert blend.score(np.array([[3.0, 6.0], [1.0, 2.0]])).tolist() == [2.0, 0.0]
    assert blend.contributions(np.array([[3.0, 6.0]])).tolist() == [[3.0, -1.0]]


def test_a_blend_survives_its_json_and_refuses_other_features():
    blend = LinearBlend(("x", "y"), np.array([0.1, 0.2]), np.array([1 / 3, 4.0]), np.array([3.0, -1e-17]))

    again = LinearBlend.from_json(blend.to_json(), ("x", "y"))

    for name in ("mean", "scale", "weight"):
        np.testing.assert_array_equal(getattr(again, name), getattr(blend, name))
    with pytest.raises(DataError, match="train again"):
        LinearBlend.from_json(blend.to_json(), ("y", "x"))
