import numpy as np
import pytest

from recsvc.domain.history import Histories
from recsvc.domain.rfm import rfm
from training.holdout import Holdout, hold_out
from training.model_choice import DEFAULT, MAX_CUSTOMERS, choose_transactions
from training.transactions import RECIPES


def shop(n, leave_rate, leave_after_order, seed=3):
    """Order-days of customers over 720 days who leave at a rate, after an order with a chance, or both."""
    rng = np.random.default_rng(seed)
    offsets, days = [0], []
    for first in rng.integers(0, 360, n):
        rate, end = rng.gamma(0.9, 1 / 30), first + rng.exponential(1 / leave_rate)
        mine, day = [int(first)], first + rng.exponential(1 / rate)
        while day < min(end, 720) and rng.random() > leave_after_order:
            mine.append(int(day))
            day += rng.exponential(1 / rate)
        days.extend(sorted(set(mine)))
        offsets.append(len(days))
    lines = (np.zeros(0, np.int32),) * 4
    ids = tuple(map(str, range(n)))
    money, none = np.full(len(days), 100), np.zeros(n + 1, np.int64)
    return Histories(ids, np.array(offsets), np.array(days, np.int32), money, none, *lines)


def test_customers_who_leave_at_any_moment_choose_pareto_nbd():
    choice = choose_transactions(hold_out(shop(6_000, 1 / 60, 0.0), 720, 180), 180)

    assert choice.model == "pareto_nbd"
    assert set(choice.log_likelihood) == set(RECIPES)
    assert choice.log_likelihood["pareto_nbd"] == max(choice.log_likelihood.values())


def test_customers_who_leave_after_any_order_choose_mbg_nbd():
    choice = choose_transactions(hold_out(shop(3_000, 1e-9, 0.3), 720, 180), 180)

    assert choice.model == "mbg_nbd"


def test_a_lead_that_may_be_chance_changes_nothing():
    choice = choose_transactions(hold_out(shop(300, 1 / 300, 0.02), 720, 180), 180)

    assert choice.model == DEFAULT
    assert choice.log_likelihood
    assert choice.reason


@pytest.mark.parametrize("days", [719, 400])
def test_with_less_history_before_than_after_the_cut_off_it_is_mbg_nbd(days):
    choice = choose_transactions(hold_out(shop(300, 1 / 300, 0.1), 720, days), days)

    assert choice.model == DEFAULT
    assert "history" in choice.reason
    assert choice.log_likelihood is None


def test_with_too_few_repeaters_it_is_mbg_nbd():
    nobody = Holdout(np.zeros(50), np.zeros(50), np.full(50, 300.0), np.zeros(50, np.int64))

    choice = choose_transactions(nobody, 90)

    assert (choice.model, choice.reason) == (DEFAULT, "too few customers ordered twice to judge by")


def test_of_many_customers_a_spread_sample_judges():
    n = 2 * MAX_CUSTOMERS
    nobody = Holdout(np.zeros(n), np.zeros(n), np.full(n, 300.0), np.zeros(n, np.int64))

    assert MAX_CUSTOMERS / 2 < choose_transactions(nobody, 90).n_customers <= MAX_CUSTOMERS


def test_what_is_held_out_was_known_at_the_cut_off():
    histories = shop(400, 1 / 100, 0.1)

    found = hold_out(histories, as_of_day=720, days=400)

    customer = histories.order_customer()
    early = histories.order_day < 320
    before = np.bincount(customer[early], minlength=400)
    offsets = np.concatenate([[0], np.cumsum(before[before > 0])])
    lines = (np.zeros(0, np.int32),) * 4
    ids = tuple(map(str, np.flatnonzero(before)))
    day, money = histories.order_day[early], histories.order_amount[early]
    known = rfm(Histories(ids, offsets, day, money, np.zeros(len(offsets), np.int64), *lines), 320)
    np.testing.assert_array_equal(found.frequency, known.frequency)
    np.testing.assert_array_equal(found.recency, known.recency)
    np.testing.assert_array_equal(found.T, known.T)
    assert found.orders_after.sum() == np.count_nonzero(~early & (before[customer] > 0))
