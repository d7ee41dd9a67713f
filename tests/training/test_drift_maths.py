from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.drift_maths import (
    contributions,
    counts_between,
    histogram,
    index_by_chance,
    price_index,
    stability_index,
)

COUNTS = st.lists(st.tuples(st.integers(1, 500), st.integers(1, 500)), min_size=2, max_size=12)
SALES = st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.floats(0.5, 500), st.floats(0.5, 500)), min_size=1)


@given(COUNTS)
def test_the_index_is_never_negative_the_same_both_ways_and_the_sum_of_its_bins(pairs):
    before, now = zip(*pairs, strict=True)

    found = stability_index(before, now)

    assert found >= 0
    assert found == pytest.approx(stability_index(now, before))
    assert np.all(contributions(before, now) >= 0)
    assert found == pytest.approx(contributions(before, now).sum())


@given(COUNTS, st.integers(2, 9))
def test_the_index_compares_shares_so_a_larger_sample_alike_does_not_move(pairs, times):
    before = [count for count, _ in pairs]

    assert stability_index(before, [times * count for count in before]) == pytest.approx(0, abs=1e-12)


def test_an_empty_bin_moves_the_index_but_not_to_infinity():
    assert 0.25 < stability_index([50, 50], [0, 100]) < 5


@pytest.mark.parametrize("size", [60, 500, 5000])
def test_two_samples_of_one_population_stay_below_the_line_of_chance(size):
    rng = np.random.default_rng(3)
    line = index_by_chance(10, size, size)

    found = [stability_index(*rng.multinomial(size, np.full(10, 0.1), 2)) for _ in range(400)]

    assert np.mean(np.array(found) < line) > 0.97
    assert np.mean(np.array(found) < line / 3) < 0.9


@given(st.lists(st.integers(0, 30), min_size=1, max_size=200))
def test_a_histogram_counts_everybody_once_and_every_bin_holds_somebody(values):
    found = histogram(np.array(values, float))

    assert sum(found.counts) == len(values)
    assert min(found.counts) > 0
    assert list(found.edges) == sorted(set(found.edges))
    assert counts_between(found.edges, np.array(values, float)) == found.counts


def test_of_nobody_there_is_one_empty_bin():
    assert histogram(np.zeros(0)).counts == (0,)


@given(SALES, SALES)
def test_prices_there_and_back_again_are_the_prices_of_before(before, now):
    there, back = price_index(before, now), price_index(now, before)

    if there is None:
        assert not set(before) & set(now)
    else:
        assert there * back == pytest.approx(1, rel=1e-6)


def test_a_price_rise_of_all_products_is_the_index_whatever_is_bought():
    before = {"a": (10.0, 10.0), "b": (50.0, 5.0)}

    assert price_index(before, {"a": (1.1, 1.0), "b": (2200.0, 200.0)}) == pytest.approx(1.1)
