from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.rfm import Rfm
from recsvc.domain.value_models import (
    BgNbdParams,
    GammaGammaParams,
    MbgNbdParams,
    ParetoNbdParams,
    ValueModels,
    average_value,
    clv,
    expected_average_value,
    expected_purchases,
)
from recsvc.errors import DataError

MODELS = ValueModels(
    MbgNbdParams(r=0.525, alpha=43.3, a=0.891, b=1.614),
    GammaGammaParams(p=6.25, q=3.74, v=15.45, median=27.5),
)
CUSTOMERS = Rfm(
    frequency=np.array([0.0, 2.0, 9.0]),
    recency=np.array([0.0, 213.0, 250.0]),
    T=np.array([272.0, 272.0, 260.0]),
    monetary_value=np.array([0.0, 22.35, 80.0]),
    first_value=np.array([60.0, 22.35, 10.0]),
)


def test_undiscounted_value_is_orders_times_value_times_margin():
    value = clv(MODELS, CUSTOMERS, 365.0, margin=0.4)

    orders = expected_purchases(MODELS.transactions, 365.0, CUSTOMERS.frequency, CUSTOMERS.recency, CUSTOMERS.T)
    average = expected_average_value(MODELS.spend, CUSTOMERS.frequency, CUSTOMERS.monetary_value)
    np.testing.assert_allclose(value, orders * average * 0.4)


def test_quarterly_discounting_is_as_good_as_daily():
    value = clv(MODELS, CUSTOMERS, 365.0, discount_rate=0.12)

    triple = (CUSTOMERS.frequency, CUSTOMERS.recency, CUSTOMERS.T)
    by_day = np.array([expected_purchases(MODELS.transactions, float(day), *triple) for day in range(366)])
    middle = (np.arange(365) + 0.5) / 365
    orders = (np.diff(by_day, axis=0) * 1.12 ** -middle[:, None]).sum(axis=0)
    average = expected_average_value(MODELS.spend, CUSTOMERS.frequency, CUSTOMERS.monetary_value)
    np.testing.assert_allclose(value, orders * average, rtol=1e-3)


@given(st.floats(0, 3650), st.floats(0, 1), st.floats(0, 2))
def test_discounting_never_adds_value(horizon, margin, rate):
    plain = clv(MODELS, CUSTOMERS, horizon, margin=margin)

    discounted = clv(MODELS, CUSTOMERS, horizon, margin=margin, discount_rate=rate)

    assert np.all(discounted >= 0)
    assert np.all(discounted <= plain + 1e-9)


@pytest.mark.parametrize(("margin", "rate"), [(-0.1, 0.0), (np.nan, 0.0), (1.0, -1.0), (1.0, np.inf)])
def test_impossible_economics_are_refused(margin, rate):
    with pytest.raises(DataError, match="clv"):
        clv(MODELS, CUSTOMERS, 365.0, margin=margin, discount_rate=rate)


@pytest.mark.parametrize(
    "transactions",
    [MbgNbdParams(0.5, 43.3, 0.9, 1.6), BgNbdParams(0.2, 30.9, 0.8, 2.4), ParetoNbdParams(0.6, 74.0, 0.6, 81.7)],
    ids=lambda transactions: transactions.NAME,
)
def test_models_survive_json_under_their_name(transactions):
    models = ValueModels(transactions, MODELS.spend)

    assert models.to_json()["transactions"]["model"] == transactions.NAME
    assert ValueModels.from_json(models.to_json()) == models
    assert np.all(clv(models, CUSTOMERS, 365.0) > 0)


def test_a_first_order_that_counts_is_one_order_more_to_go_by():
    counting = replace(MODELS, counts_first_order=True)

    value = average_value(counting, CUSTOMERS)

    everything = np.array([60.0, 22.35, 73.0])  # 60 alone; two of 22.35 and a first like them; nine of 80 after 10
    np.testing.assert_allclose(value, expected_average_value(MODELS.spend, CUSTOMERS.frequency + 1, everything))
    assert ValueModels.from_json(counting.to_json()) == counting


def test_a_first_order_counts_where_the_mean_over_customers_is_infinite_too():
    heavy = GammaGammaParams(p=2.0, q=0.8, v=10.0, median=40.0)

    value = average_value(ValueModels(MODELS.transactions, heavy, counts_first_order=True), CUSTOMERS)

    assert not heavy.has_mean
    # shrunk to the median with weight q: (0.8 x 40 + 2 x 60) / 2.8 for the customer with one order of 60
    assert value[0] == pytest.approx((0.8 * 40 + 2 * 60) / 2.8)
    assert np.all(np.isfinite(value))


def test_a_bundle_from_before_first_orders_counted_is_read_as_it_was():
    values = MODELS.to_json()
    del values["spend"]["counts_first_order"]

    assert ValueModels.from_json(values) == MODELS


@pytest.mark.parametrize(
    "damage",
    [
        lambda values: values["transactions"].update(model="pareto_nbd_9"),
        lambda values: values["transactions"].pop("alpha"),
        lambda values: values["spend"].update(p="many"),
        lambda values: values.pop("spend"),
    ],
)
def test_models_this_release_cannot_read_are_refused(damage):
    values = MODELS.to_json()
    damage(values)

    with pytest.raises(DataError):
        ValueModels.from_json(values)
