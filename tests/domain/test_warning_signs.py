import numpy as np
import pytest

from recsvc.domain.customer_features import customer_facts
from recsvc.domain.history import Histories
from recsvc.domain.lapse import STATES, LapseParams
from recsvc.domain.value_models import GammaGammaParams, MbgNbdParams, ValueModels
from recsvc.domain.warning_signs import Judged, value_at_stake, warning_signs

MODELS = ValueModels(MbgNbdParams(r=0.6, alpha=60.0, a=0.5, b=1.0), GammaGammaParams(p=5.0, q=4.0, v=20.0, median=28.0))
CLOCK = LapseParams(p=1.8, q=2.5, v=55.0)
TODAY = 1000


def signs(order_days, state="active", churn=0.05, amounts=None, unsure=0.1):
    order_days = np.array(order_days, np.int32)
    money = np.full(len(order_days), 1000) if amounts is None else np.array(amounts)
    offsets, none = np.array([0, len(order_days)]), np.array([0, 0])
    lines = (np.zeros(0, np.int32),) * 4
    history = Histories(("a",), offsets, order_days, money, none, *lines)
    facts = customer_facts(history, MODELS, CLOCK, 90, TODAY)
    judged = Judged(np.array([STATES.index(state)], np.int8), np.array([churn]), unsure, 90)
    return warning_signs(history, facts, CLOCK, judged, TODAY)


def steady(every=10, until=TODAY):
    return range(until - 400, until, every)


def test_a_steady_customer_shows_no_sign():
    found = signs(steady())

    assert not found.any[0]
    assert found.recent_orders[0] == pytest.approx(found.usual_orders[0], abs=1)


def test_far_fewer_orders_than_usual_are_a_sign():
    fewer = [*steady(until=TODAY - 90), TODAY - 60, TODAY - 5]

    found = signs(fewer)

    assert found.falling[0]
    assert (found.recent_orders[0], round(found.usual_orders[0])) == (2, 9)


def test_few_orders_fewer_are_chance_and_no_sign():
    assert not signs([TODAY - 500, TODAY - 400, TODAY - 300, TODAY - 200]).falling[0]


def test_far_less_spend_is_a_sign_even_with_as_many_orders():
    days = [*steady()]
    amounts = [1000 if day < TODAY - 90 else 200 for day in days]

    assert signs(days, amounts=amounts).falling[0]
    assert not signs(days).falling[0]


def test_a_new_customer_has_no_usual_to_fall_from():
    found = signs([TODAY - 80, TODAY - 75, TODAY - 70, TODAY - 65])

    assert (found.usual_orders[0], found.falling[0]) == (0.0, False)


def test_late_is_a_sign_and_due_only_for_who_is_not_sure_to_return():
    assert signs(steady(), "late", churn=0.01).overdue[0]
    assert signs(steady(), "due", churn=0.2).overdue[0]
    assert not signs(steady(), "due", churn=0.01).overdue[0]


def test_much_less_likely_to_return_than_the_own_rhythm_implies_is_a_sign():
    found = signs(steady(), churn=0.4)

    assert found.rhythm_returns[0] > 0.9
    assert found.off_rhythm[0]
    assert not signs(steady(every=95), churn=0.4).off_rhythm[0]


def test_a_little_less_likely_is_no_sign_however_sure_the_rhythm_was():
    found = signs(steady(), churn=0.09)

    assert 2 * (1 - found.rhythm_returns[0]) < 0.09
    assert not found.off_rhythm[0]


@pytest.mark.parametrize("state", ["lapsed", "lost", "new"])
def test_who_is_not_on_time_is_judged_by_the_clock_alone(state):
    fewer = [*steady(until=TODAY - 90), TODAY - 5]

    assert not signs(fewer, state, churn=0.9).any[0]


def test_what_is_at_stake_is_the_horizons_margin_that_is_expected_to_be_lost():
    assert value_at_stake(np.array([730.0]), np.array([0.5]), 365, 0.4)[0] == pytest.approx(146.0)
