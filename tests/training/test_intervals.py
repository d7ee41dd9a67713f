import numpy as np
import pytest

from recsvc.domain.profiles import Economics
from recsvc.domain.rfm import Rfm
from recsvc.domain.value_models import clv
from tests.training.test_value import RECIPE, simulate, simulate_spend
from training import intervals
from training.intervals import sampled, value_intervals
from training.value import fit_value

ECONOMICS = Economics(horizon_days=90, clv_horizon_days=365, margin=1.0, discount_rate=0.0)
TRUTH = {"r": 0.8, "alpha": 40.0, "a": 0.9, "b": 3.0}


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch):
    monkeypatch.setattr(intervals, "RESAMPLES", 60)


def shop(n, seed=5):
    frequency, recency, age = simulate(**TRUTH, n=n, seed=seed)
    repeat, first = simulate_spend(4.0, 3.5, 20.0, frequency, seed), simulate_spend(4.0, 3.5, 20.0, np.ones(n), seed)
    return Rfm(frequency, np.ceil(recency), np.ceil(age) + 1, repeat, first)


def intervals_of(customers, recipe=None, n_customers=None):
    models = fit_value(customers, recipe).models if recipe else fit_value(customers).models
    total = float(clv(models, customers, 365.0).sum())
    return models, value_intervals(sampled(customers), n_customers or len(customers), models, ECONOMICS, total)


@RECIPE
def test_every_parameter_and_the_total_lie_in_their_interval(recipe):
    models, found = intervals_of(shop(1_500), recipe)

    assert found.resamples > 30
    assert found.intervals["clv_total"].estimate > 0
    named = {f"transactions.{name}": value for name, value in models.transactions.to_json().items()}
    assert {name: found.intervals[name].estimate for name in named} == named
    assert all(one.low <= one.estimate <= one.high for one in found.intervals.values())


def test_the_truth_lies_in_the_interval_and_the_interval_says_something():
    found = intervals_of(shop(4_000))[1].intervals

    for name, value in TRUTH.items():
        assert found[f"transactions.{name}"].low < value < found[f"transactions.{name}"].high
    assert found["clv_total"].high < 1.3 * found["clv_total"].low


def test_four_times_the_customers_halve_the_interval():
    customers = shop(1_500)

    few = intervals_of(customers)[1].intervals["clv_total"]
    many = intervals_of(customers, n_customers=4 * 1_500)[1].intervals["clv_total"]

    assert np.log(many.high / many.low) == pytest.approx(np.log(few.high / few.low) / 2)


def test_the_same_seed_gives_the_same_intervals():
    customers = shop(800)

    assert intervals_of(customers)[1] == intervals_of(customers)[1]


def test_a_shop_of_one_kind_of_customer_has_finite_intervals_or_a_reason():
    alike = Rfm(*(np.full(300, value) for value in (3.0, 30.0, 40.0, 25.0, 25.0)))

    found = intervals_of(alike)[1]

    assert found.reason or all(np.isfinite([one.low, one.high]).all() for one in found.intervals.values())


def test_large_shops_are_sampled():
    customers = shop(12_000)

    assert len(sampled(customers)) <= intervals.MAX_CUSTOMERS
    assert len(sampled(shop(800))) == 800
