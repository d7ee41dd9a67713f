from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.capture import CURVE_SHARES, RESAMPLES, SHARE, Ranked, capture, capture_samples, captured, gains, interval


def cut_off(score, value, ids=None):
    score, value = np.array(score, float), np.array(value, float)
    return Ranked(tuple(ids or map(str, range(len(value)))), {"it": score, "perfect": value}, value)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), min_size=1, max_size=30), st.randoms())
def test_no_order_of_the_input_changes_what_is_captured_and_none_beats_perfect_knowledge(rows, random):
    shuffled = random.sample(rows, len(rows))

    first, second = (cut_off(*zip(*some, strict=True)) for some in (rows, shuffled))

    assert capture([first], "it") == pytest.approx(capture([second], "it"))
    assert 0 <= capture([first], "it") <= capture([first], "perfect") + 1e-12 <= 1 + 1e-9


def test_the_top_fifth_is_counted_and_a_customer_drawn_twice_takes_two_places():
    score, value = np.arange(10.0)[::-1], np.array([7.0, 5, 3, 0, 0, 0, 0, 0, 0, 0])

    assert captured(score, value, np.ones((1, 10))).tolist() == [12.0]
    assert captured(score, value, np.array([[2, 0, 1, 1, 1, 1, 1, 1, 1, 1.0]])).tolist() == [14.0]


def test_each_cut_off_has_its_own_fifth():
    one, other = cut_off([5, 4, 3, 2, 1], [10, 0, 0, 0, 0]), cut_off([50, 40, 30, 20, 10], [0, 30, 0, 0, 0])

    assert capture([one, other], "it") == 0.25


def test_differences_are_paired_and_the_interval_holds_the_mean():
    rng = np.random.default_rng(5)
    cut_offs = [cut_off(rng.normal(size=200), rng.exponential(size=200)) for _ in range(2)]

    samples = capture_samples(cut_offs, ["it", "perfect"])

    assert samples["it"].shape == (RESAMPLES,)
    assert np.all(samples["perfect"] >= samples["it"])
    found = interval(capture(cut_offs, "it"), samples["it"])
    assert found.low < found.mean < found.high
    again = capture_samples(cut_offs, ["it", "perfect"])
    np.testing.assert_array_equal(again["it"], samples["it"])


def test_a_customer_is_drawn_with_all_their_cut_offs():
    """Two cut-offs of the same people are no more certain than one; of other people they are."""
    rng = np.random.default_rng(5)
    score, value = rng.normal(size=200), rng.exponential(size=200)
    same = [cut_off(score, value), cut_off(score, value)]
    others = [same[0], cut_off(score, value, [f"other {n}" for n in range(200)])]

    spread = [float(capture_samples(some, ["it"])["it"].std()) for some in ([same[0]], same, others)]

    assert spread[1] == pytest.approx(spread[0])
    assert spread[2] < 0.85 * spread[0]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), min_size=1, max_size=30))
def test_a_gains_curve_rises_from_nothing_to_all_and_passes_through_what_is_captured(rows):
    one = cut_off(*zip(*rows, strict=True))

    curve = gains([one, one], "it")

    assert curve[CURVE_SHARES.index(SHARE)] == pytest.approx(capture([one], "it"))
    assert np.all(np.diff(curve) >= -1e-12)
    if one.value.sum() > 0:
        assert (curve[0], curve[-1]) == (0, pytest.approx(1))
        assert np.all(np.array(gains([one], "perfect")) >= np.array(curve) - 1e-9)
