"""Every signal and feature, on a customer one can count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from recsvc.domain.blending import LinearBlend
from recsvc.domain.features import FEATURE_NAMES, CustomerBatch, Pairs, feature_matrix, signals
from recsvc.domain.history import concatenate, no_history
from recsvc.domain.ids import ItemIds
from recsvc.domain.item_history import item_histories
from recsvc.domain.items import ItemTable
from recsvc.errors import DataError
from tests.domain.record_strategies import histories, summary

CLOCK, HALF_LIFE_DAYS = 100, 10.0
ITEMS = ItemTable(
    ids=ItemIds(["a", "b", "c", "d"]),
    n_catalogue=3,
    n_buyers=np.array([50, 20, 20, 1]),
    n_recent_buyers=np.array([5, 9, 9, 0]),
    n_repeat_buyers=np.array([25, 0, 4, 0]),
    n_comeback_buyers=np.zeros(4, np.int64),
    first_day=np.zeros(4, np.int32),
    last_day=np.full(4, 99, np.int32),
    n_customers=100,
    as_of_day=CLOCK,
)
FACTORS = np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]], np.float32)


def batch_of(records):
    clock = np.full(len(records), CLOCK, np.int32)
    own = item_histories(records, clock, HALF_LIFE_DAYS)
    return CustomerBatch(records, own, clock, np.full((len(records), 2), 0.5, np.float32))


def all_pairs(n_customers):
    return Pairs(np.repeat(np.arange(n_customers), 3), np.tile(np.arange(3, dtype=np.int32), n_customers))


@pytest.fixture(scope="module")
def facts():
    """Four orders: item 0 on days 60, 80 and 90, item 1 on day 95; then a stranger."""
    bought = [(60, 0, 1, 100), (80, 0, 1, 100), (90, 0, 2, 100), (95, 1, 1, 100)]
    batch = batch_of(concatenate([summary({"x": bought}), no_history("stranger")]))
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


@given(histories)
def test_features_are_finite_for_every_record(batch):
    matrix = feature_matrix(signals(all_pairs(len(batch)), batch_of(batch), ITEMS, FACTORS))

    assert matrix.shape == (3 * len(batch), len(FEATURE_NAMES))
    assert np.isfinite(matrix).all()


@given(histories)
def test_features_of_a_customer_do_not_depend_on_the_batch(batch):
    together = feature_matrix(signals(all_pairs(len(batch)), batch_of(batch), ITEMS, FACTORS))

    last = summary({"last": [(1, 0, 1, 100)]})
    among = feature_matrix(signals(all_pairs(len(batch) + 1), batch_of(concatenate([batch, last])), ITEMS, FACTORS))

    np.testing.assert_array_equal(among[: len(together)], together)


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
