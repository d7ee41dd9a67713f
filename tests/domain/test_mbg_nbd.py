import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betaln, hyp2f1

from recsvc.domain.mbg_nbd import (
    MbgNbdParams,
    expected_purchases,
    probability_alive,
    probability_of_purchase,
)
from recsvc.errors import DataError

CDNOW = MbgNbdParams(r=0.525, alpha=6.183, a=0.891, b=1.614)  # weeks

shapes = st.floats(-6.9, 6.9).map(np.exp)  # what a fit can end at
params = st.builds(MbgNbdParams, r=shapes, alpha=st.floats(-3, 13).map(np.exp), a=shapes, b=shapes)
horizons = st.just(0.0) | st.floats(1e-6, 3650)


@st.composite
def one_customer(draw):
    frequency = draw(st.integers(0, 3000))
    age = draw(st.integers(max(frequency, 1), 10_000))
    recency = draw(st.integers(frequency, age)) if frequency else 0
    return tuple(np.array([float(value)]) for value in (frequency, recency, age))


def test_a_customer_leaves_with_the_probability_bayes_gives():
    """For lambda and p known to be near-certain, the mixture collapses to the two stories of a silence."""
    rate, leave, silence = 0.1, 0.2, 8.0
    certain = MbgNbdParams(r=1e9, alpha=1e9 / rate, a=1e9 * leave, b=1e9 * (1 - leave))

    alive = probability_alive(certain, np.array([3.0]), np.array([30.0]), np.array([30.0 + silence]))

    stayed_silent = (1 - leave) * np.exp(-rate * silence)
    assert alive[0] == pytest.approx(stayed_silent / (stayed_silent + leave), rel=1e-6)


def test_expected_purchases_agree_with_the_published_formula():
    x, t_x, age = (np.array(column) for column in ([0.0, 2.0, 12.0], [0.0, 30.43, 33.0], [20.0, 38.86, 39.0]))
    p, horizon = CDNOW, 39.0

    found = expected_purchases(p, horizon, x, t_x, age)

    # Batislam, Denizel & Filiztekin (2007), as implemented by Fader and Hardie
    hyper = hyp2f1(p.r + x, p.b + x + 1, p.a + p.b + x, horizon / (p.alpha + age + horizon))
    bracket = 1 - ((p.alpha + age) / (p.alpha + age + horizon)) ** (p.r + x) * hyper
    alive = 1 / (1 + p.a / (p.b + x) * ((p.alpha + age) / (p.alpha + t_x)) ** (p.r + x))
    np.testing.assert_allclose(found, (p.a + p.b + x) / (p.a - 1) * bracket * alive, rtol=1e-9)


@pytest.mark.parametrize("a", [0.01, 1.0, 1.0 + 1e-7, 4.0, 400.0])
@pytest.mark.parametrize("r", [0.05, 30.0, 900.0])
@pytest.mark.parametrize("frequency", [0.0, 1.0, 300.0])
def test_expected_purchases_agree_with_integration_over_the_chance_to_leave(a, r, frequency):
    given_params = MbgNbdParams(r=r, alpha=20.0, a=a, b=2.5)
    x, age = np.array([frequency]), np.array([frequency + 60.0])

    found = expected_purchases(given_params, 365.0, x, x + 50.0, age)

    alive = probability_alive(given_params, x, x + 50.0, age)
    assert found / alive == pytest.approx(_purchases_if_alive(given_params, 365.0, frequency, age[0]), rel=2e-5)


def _purchases_if_alive(params, horizon, frequency, age):
    """E[(1 - (1 + p t / (alpha + T))^-(r + x)) / p] over p ~ Beta(a, b + x + 1), by a fine sum over logit p."""
    ratio, order, b = horizon / (params.alpha + age), params.r + frequency, params.b + frequency + 1
    spread = 15 * np.sqrt(1 / params.a + 1 / b) + 40 / min(params.a, b)
    logit = np.log(params.a / b) + np.linspace(-spread, spread, 400_001)
    log_p, log_q = -np.logaddexp(0, -logit), -np.logaddexp(0, logit)
    density = np.exp(params.a * log_p + b * log_q - betaln(params.a, b))
    chance = np.maximum(np.exp(log_p), 1e-12)  # below, the expectation no longer changes
    purchases = -np.expm1(-order * np.log1p(chance * ratio)) / chance
    return (density * purchases).sum() / density.sum()


@given(params, one_customer(), horizons)
def test_everything_stays_in_range_wherever_a_fit_may_end(params, customer, horizon):
    alive = probability_alive(params, *customer)
    purchases = expected_purchases(params, horizon, *customer)
    at_least_one = probability_of_purchase(params, horizon, *customer)

    assert 0 <= alive <= 1
    assert 0 <= at_least_one <= alive
    assert np.isfinite(purchases)
    assert purchases >= at_least_one * (1 - 1e-12)  # E[N] >= P(N >= 1)


@given(one_customer(), horizons, horizons)
def test_a_longer_horizon_never_promises_less(customer, first, second):
    short, long = sorted((first, second))

    assert expected_purchases(CDNOW, short, *customer) <= expected_purchases(CDNOW, long, *customer) + 1e-9
    assert probability_of_purchase(CDNOW, short, *customer) <= probability_of_purchase(CDNOW, long, *customer)


@given(one_customer(), st.integers(1, 5000))
def test_silence_never_makes_a_customer_more_alive(customer, days):
    frequency, recency, age = customer

    assert probability_alive(CDNOW, frequency, recency, age + days) <= probability_alive(CDNOW, *customer)


def test_nothing_is_expected_of_no_time():
    customer = (np.array([2.0]), np.array([30.0]), np.array([40.0]))

    assert expected_purchases(CDNOW, 0.0, *customer) == pytest.approx(0.0)
    assert probability_of_purchase(CDNOW, 0.0, *customer) == pytest.approx(0.0)


@pytest.mark.parametrize(
    "customer",
    [([1.0], [9.0], [8.0]), ([-1.0], [0.0], [8.0]), ([1.0, 2.0], [3.0], [8.0]), ([1.0], [np.nan], [8.0])],
)
def test_impossible_customers_are_refused(customer):
    with pytest.raises(DataError):
        probability_alive(CDNOW, *(np.array(column) for column in customer))


@pytest.mark.parametrize("horizon", [-1.0, np.inf, np.nan])
def test_impossible_horizons_are_refused(horizon):
    with pytest.raises(DataError):
        expected_purchases(CDNOW, horizon, np.array([0.0]), np.array([0.0]), np.array([8.0]))


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_impossible_parameters_are_refused(value):
    with pytest.raises(DataError):
        MbgNbdParams(r=value, alpha=1.0, a=1.0, b=1.0)


def test_parameters_survive_json():
    assert MbgNbdParams.from_json(CDNOW.to_json()) == CDNOW
