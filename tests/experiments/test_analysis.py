"""Intervals hold what they say: against published figures, and over campaigns whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from recsvc.experiments.analysis import (
    Arm,
    lift,
    lift_at_any_time,
    mean_difference,
    smallest_lift,
    without_what_was_known,
)
from training.synth_campaigns import World, campaigns

CAMPAIGNS = 2_000


def arm(returned: int, customers: int) -> Arm:
    return Arm(np.array([returned]), np.array([customers]))


def test_the_interval_of_a_lift_is_newcombes() -> None:
    """Newcombe (1998), table II: 9/10 against 3/10, and 10/10 against 0/20, by method 10."""
    some, extreme = lift(arm(9, 10), arm(3, 10)), lift(arm(10, 10), arm(0, 20))
    assert (some.low, some.high) == pytest.approx((0.1705, 0.8090), abs=5e-4)
    assert (extreme.low, extreme.high) == pytest.approx((0.6791, 1.0), abs=5e-4)


def test_an_arm_without_customers_says_nothing() -> None:
    assert lift(arm(1, 2), arm(0, 0)).low == -np.inf
    assert lift_at_any_time(arm(0, 0), arm(1, 2)).high == np.inf
    assert smallest_lift(0.5, 0, 10) == 1.0


def test_nobody_returned_is_not_known_to_be_nobody_will() -> None:
    found = lift_at_any_time(arm(0, 500), arm(0, 50))
    assert found.low < -0.01
    assert found.high > 0.01


def test_strata_that_tell_who_returns_narrow_the_interval() -> None:
    blind, strata = lift(arm(100, 200), arm(10, 20)), lift(Arm(*np.array([[99, 1], [100, 100]])), arm(10, 20))
    assert strata.value == blind.value
    assert strata.high - strata.low < blind.high - blind.low


def test_the_fixed_interval_covers_the_truth_as_often_as_it_says() -> None:
    found = campaigns(World(), CAMPAIGNS, looks=1, seed=1)
    intervals = [lift(*looks[-1]) for looks in found.arms]
    covered = [one.low <= truth <= one.high for one, truth in zip(intervals, found.truth, strict=True)]
    assert 0.935 <= np.mean(covered) <= 0.965


def test_the_interval_for_any_time_covers_at_every_one_of_twenty_looks() -> None:
    found = campaigns(World(), CAMPAIGNS, looks=20, seed=2)
    covered = 0
    for looks, truths in zip(found.arms, found.truth_by_look, strict=True):
        intervals = [lift_at_any_time(*arms) for arms in looks]
        covered += all(one.low <= truth <= one.high for one, truth in zip(intervals, truths, strict=True))
    assert covered / CAMPAIGNS >= 0.94


def test_what_was_known_before_narrows_the_interval_and_moves_no_mean() -> None:
    rng = np.random.default_rng(3)
    before = rng.gamma(2.0, 50.0, 4_000)
    outcome = before + rng.normal(0.0, 20.0, 4_000)
    treated = rng.random(4_000) < 0.9
    adjusted = without_what_was_known(outcome, before)
    plain, better = (mean_difference(one[treated], one[~treated]) for one in (outcome, adjusted))
    assert better.high - better.low < 0.4 * (plain.high - plain.low)
    assert adjusted.mean() == pytest.approx(outcome.mean())


def test_the_smallest_lift_is_found_in_four_of_five_campaigns() -> None:
    rng, base = np.random.default_rng(4), 0.2
    size = smallest_lift(base, 9_000, 1_000)
    treated, held_out = rng.binomial(9_000, base + size, 1_000), rng.binomial(1_000, base, 1_000)
    found = [lift(arm(int(a), 9_000), arm(int(b), 1_000)) for a, b in zip(treated, held_out, strict=True)]
    assert 0.76 <= np.mean([one.is_beyond_chance for one in found]) <= 0.85
