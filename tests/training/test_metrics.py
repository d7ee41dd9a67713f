from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.metrics import bootstrap, hit, ndcg, recall

ranked_lists = st.lists(st.sampled_from("abcdefgh"), unique=True)
truths = st.frozensets(st.sampled_from("abcdefgh"), min_size=1)


@given(ranked_lists, truths, st.integers(1, 10))
def test_every_metric_lies_between_nothing_and_all(ranked, truth, k):
    for metric in (recall, hit, ndcg):
        assert 0 <= metric(ranked, truth, k) <= 1


@given(ranked_lists, truths, st.integers(1, 10))
def test_the_truth_in_front_is_perfect_and_a_hit_moved_up_is_never_worse(ranked, truth, k):
    best = sorted(ranked, key=lambda item: item not in truth)

    assert ndcg(best, truth, k) >= ndcg(ranked, truth, k) - 1e-12
    assert ndcg([*truth, *(item for item in ranked if item not in truth)], truth, k) == pytest.approx(1.0)


def test_ndcg_by_hand():
    """Hits at places 1 and 3 of three right ones, k = 4: (1 + 1/2) / (1 + 1/log2(3) + 1/2)."""
    expected = 1.5 / (1.5 + 1 / np.log2(3))

    assert ndcg(["a", "x", "b", "y", "c"], {"a", "b", "c"}, k=4) == pytest.approx(expected)


def test_more_right_ones_than_places_can_still_be_perfect():
    assert ndcg(["a", "b"], {"a", "b", "c", "d"}, k=2) == 1.0
    assert recall(["a", "b"], {"a", "b", "c", "d"}, k=2) == 0.5


def test_nothing_beyond_k_counts():
    assert (recall(["x", "a"], {"a"}, 1), hit(["x", "a"], {"a"}, 1), ndcg(["x", "a"], {"a"}, 1)) == (0, 0, 0)


def test_the_mean_counts_rows_and_the_interval_counts_customers():
    """One customer with a hundred cut-offs is still one customer: nothing is known of others."""
    values = np.concatenate([np.ones(100), np.zeros(1)])[:, None]

    (estimate,) = bootstrap(values, ["often"] * 100 + ["once"])

    assert estimate.mean == pytest.approx(100 / 101)
    assert (estimate.low, estimate.high) == (0.0, 1.0)


def test_intervals_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(5)
    ids = [str(number) for number in range(60)]

    covered = 0
    for trial in range(100):
        (estimate,) = bootstrap(rng.binomial(1, 0.3, (60, 1)).astype(float), ids, seed=trial)
        covered += estimate.low <= 0.3 <= estimate.high

    assert 88 <= covered <= 99


def test_the_width_is_that_of_the_normal_approximation():
    values = np.random.default_rng(6).normal(2.0, 1.0, (400, 1))

    (estimate,) = bootstrap(values, [str(number) for number in range(400)])

    half = 1.96 * values.std() / 20
    assert estimate.high - estimate.low == pytest.approx(2 * half, rel=0.08)
    assert estimate.mean == pytest.approx(values.mean())


def test_columns_share_their_resamples_so_a_constant_difference_has_no_width():
    first = np.random.default_rng(7).random(50)
    second = first - 0.25

    one, other, difference = bootstrap(
        np.stack([first, second, first - second], axis=1), [str(number) for number in range(50)]
    )

    assert difference.low == pytest.approx(difference.high) == pytest.approx(0.25)
    assert (one.low - other.low, one.high - other.high) == pytest.approx((0.25, 0.25))


def test_rows_that_do_not_apply_are_left_out():
    values = np.array([[1.0, 1.0], [1.0, np.nan], [0.0, np.nan], [0.0, 0.0]])

    everywhere, somewhere = bootstrap(values, ["a", "b", "c", "d"])

    assert everywhere.mean == 0.5
    assert somewhere.mean == 0.5
    assert somewhere.high - somewhere.low >= everywhere.high - everywhere.low


def test_the_same_seed_gives_the_same_interval_in_any_order_of_rows():
    values = np.random.default_rng(8).random((30, 1))
    ids = [str(number % 10) for number in range(30)]
    back = np.arange(30)[::-1]

    (estimate,) = bootstrap(values, ids)
    (backwards,) = bootstrap(values[back], [ids[row] for row in back])

    assert (estimate.mean, estimate.low, estimate.high) == pytest.approx(
        (backwards.mean, backwards.low, backwards.high)
    )
