from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.customer_features import FEATURE_NAMES, customer_facts, customer_features
from recsvc.domain.history import take
from recsvc.domain.lapse import LapseParams
from recsvc.domain.value_models import GammaGammaParams, MbgNbdParams, ValueModels
from tests.domain.record_strategies import summary
from tests.domain.test_rfm import AS_OF_DAY, customers, histories_of

VALUE = ValueModels(MbgNbdParams(0.5, 60.0, 0.9, 1.6), GammaGammaParams(6.0, 4.0, 15.0, 30.0))
CLOCK = LapseParams(2.0, 2.0, 30.0)


def facts_of(histories, as_of_day=AS_OF_DAY, horizon_days=90):
    return customer_facts(histories, VALUE, CLOCK, horizon_days, as_of_day)


def column(histories, name, as_of_day=AS_OF_DAY):
    return customer_features(facts_of(histories, as_of_day))[:, FEATURE_NAMES.index(name)]


@given(customers, st.data())
def test_a_customer_has_the_same_finite_features_alone_as_among_others(customers, data):
    position = data.draw(st.integers(0, len(customers) - 1))
    everyone = histories_of(customers)

    features = customer_features(facts_of(everyone))

    assert features.shape == (len(customers), len(FEATURE_NAMES))
    assert np.isfinite(features).all()
    alone = customer_features(facts_of(take(everyone, np.array([position]))))
    np.testing.assert_array_equal(alone[0], features[position])


def test_trends_compare_the_last_ninety_days_with_ninety_days_before():
    slower, steady, new = ({1: 1000, 50: 1000, 100: 1000, 150: 1000}, {1: 1000, 100: 1000, 200: 1000}, {270: 1000})

    trend = column(histories_of([slower, steady, new]), "orders_trend", as_of_day=271)

    assert trend[0] == pytest.approx(np.log(0.5 / (4 / 2 + 0.5)))  # none against four in twice ninety days
    assert trend[1] == pytest.approx(np.log(1.5 / (2 / 2 + 0.5)))
    assert trend[2] == 0.0


def test_silence_is_measured_in_the_customers_own_gaps():
    weekly, yearly = dict.fromkeys(range(0, 70, 7), 100), {0: 100, 365: 100, 730: 100}

    passed = [column(histories_of([one]), "gaps_passed", max(one) + 60)[0] for one in (weekly, yearly)]

    assert passed[0] > 0.95
    assert passed[1] < 0.3


def test_breadth_counts_distinct_items_of_a_mean_order():
    histories = summary({"a": [(0, 1, 1, 100), (0, 2, 1, 100), (0, 3, 5, 100), (3, 1, 1, 100)]})

    assert column(histories, "breadth", as_of_day=4)[0] == pytest.approx(np.log1p(2.0))


def test_the_season_is_that_of_the_middle_of_the_horizon():
    one = histories_of([{0: 100}])

    turned = facts_of(one, as_of_day=1000, horizon_days=60).season - facts_of(one, 1000, 30).season

    assert turned[0] == pytest.approx(15 / 365.25 * 2 * np.pi)
