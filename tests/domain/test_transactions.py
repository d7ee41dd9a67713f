import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import hyp2f1

from recsvc.domain.bg_nbd import BgNbdParams
from recsvc.domain.distinct import once_per_pair
from recsvc.domain.mbg_nbd import MbgNbdParams
from recsvc.domain.pareto_integral import Integrand, log_integral
from recsvc.domain.pareto_nbd import ParetoNbdParams
from recsvc.domain.transactions import (
    expected_purchases,
    probability_alive,
    probability_of_count,
    probability_of_purchase,
)
from recsvc.errors import DataError

# CDNOW, 1/10 sample, in weeks
MBG = MbgNbdParams(r=0.525, alpha=6.183, a=0.891, b=1.614)
BG = BgNbdParams(r=0.243, alpha=4.414, a=0.793, b=2.426)
PARETO = ParetoNbdParams(r=0.553, alpha=10.578, s=0.606, beta=11.666)
MODELS = pytest.mark.parametrize("model", [MBG, BG, PARETO], ids=lambda model: model.NAME)

shapes = st.floats(-6.9, 6.9).map(np.exp)  # what a fit can end at
times = st.floats(-3, 13).map(np.exp)
usual_shapes = st.floats(-2, 2).map(np.exp)
usual_times = st.floats(2, 7).map(np.exp)  # a week to three years
any_model = st.one_of(
    st.builds(MbgNbdParams, r=shapes, alpha=times, a=shapes, b=shapes),
    st.builds(BgNbdParams, r=shapes, alpha=times, a=shapes, b=shapes),
    st.builds(ParetoNbdParams, r=shapes, alpha=times, s=shapes, beta=times),
)
horizons = st.just(0.0) | st.floats(1e-6, 3650)


def columns(*values):
    return tuple(np.atleast_1d(np.asarray(value, np.float64)) for value in values)


@st.composite
def one_customer(draw):
    frequency = draw(st.integers(0, 3000))
    age = draw(st.integers(max(frequency, 1), 10_000))
    recency = draw(st.integers(frequency, age)) if frequency else 0
    return columns(frequency, recency, age)


@given(any_model, one_customer(), horizons)
def test_everything_stays_in_range_wherever_a_fit_may_end(model, customer, horizon):
    alive = probability_alive(model, *customer)
    purchases = expected_purchases(model, horizon, *customer)
    at_least_one = probability_of_purchase(model, horizon, *customer)

    assert 0 <= alive <= 1
    assert 0 <= at_least_one <= alive * (1 + 1e-12)
    assert np.isfinite(purchases)
    assert purchases >= at_least_one * (1 - 1e-12)  # E[N] >= P(N >= 1)


@MODELS
@pytest.mark.parametrize(
    "customer",
    [(0, 0, 1), (0, 0, 4000), (1, 30, 30), (3000, 3000, 3000), (10_000, 10_000, 10_001), (10_000, 10_000, 40_000)],
    ids=["one order yesterday", "one order ever", "only on the last day", "daily", "10,000 orders", "10,000, gone"],
)
def test_odd_customers_get_sane_figures(model, customer):
    triple = columns(*customer)

    alive = probability_alive(model, *triple)
    purchases = expected_purchases(model, 365.0, *triple)

    assert 0 <= probability_of_purchase(model, 365.0, *triple) <= alive <= 1
    assert 0 <= purchases <= 365.0 * (model.r + triple[0]) / (model.alpha + triple[2])


@MODELS
@given(customer=one_customer(), first=horizons, second=horizons)
def test_a_longer_horizon_never_promises_less(model, customer, first, second):
    short, long = sorted((first, second))

    fewer, more = (expected_purchases(model, horizon, *customer) for horizon in (short, long))
    assert fewer <= more * (1 + 1e-9) + 1e-9
    shorter, longer = (probability_of_purchase(model, horizon, *customer) for horizon in (short, long))
    assert shorter <= longer * (1 + 1e-9)


@MODELS
@given(customer=one_customer(), days=st.integers(1, 5000))
def test_silence_never_makes_a_customer_more_alive(model, customer, days):
    frequency, recency, age = customer

    later = probability_alive(model, frequency, recency, age + days)

    assert later <= probability_alive(model, *customer) * (1 + 1e-9)


@MODELS
@pytest.mark.parametrize("customer", [(0, 0.0, 20.0), (2, 30.43, 38.86), (12, 33.0, 39.0)])
def test_the_counts_agree_with_the_expectation_and_with_the_chance_of_any(model, customer):
    n = np.arange(400)
    triple = columns(*([value] * len(n) for value in customer))

    chance = probability_of_count(model, n, 39.0, *triple)

    one = columns(*customer)
    assert chance.sum() == pytest.approx(1.0, rel=1e-6)
    assert chance @ n == pytest.approx(expected_purchases(model, 39.0, *one)[0], rel=1e-6)
    assert 1 - chance[0] == pytest.approx(probability_of_purchase(model, 39.0, *one)[0], rel=1e-6)


@MODELS
def test_nothing_is_expected_of_no_time(model):
    customer = columns(2, 30, 40)

    assert expected_purchases(model, 0.0, *customer) == pytest.approx(0.0)
    assert probability_of_purchase(model, 0.0, *customer) == pytest.approx(0.0)
    assert probability_of_count(model, np.array([0]), 0.0, *customer) == pytest.approx(1.0)


@MODELS
def test_a_customer_gets_the_same_figures_alone_and_in_a_crowd(model):
    rng = np.random.default_rng(3)
    frequency = rng.integers(0, 4, 500).astype(np.float64)
    age = rng.integers(20, 40, 500).astype(np.float64)
    recency = np.where(frequency > 0, age // 2, 0.0)

    crowd = expected_purchases(model, 39.0, frequency, recency, age)

    alone = [expected_purchases(model, 39.0, *columns(*row))[0] for row in zip(frequency, recency, age, strict=True)]
    np.testing.assert_array_equal(crowd, alone)


def test_bg_nbd_expects_what_the_paper_prints():
    customer = columns(2, 30.43, 38.86)

    # Fader, Hardie & Lee (2005), section 4: 1.226
    assert expected_purchases(BG, 39.0, *customer)[0] == pytest.approx(1.226, rel=1e-3)


@pytest.mark.parametrize("frequency", [0, 1, 12])
@pytest.mark.parametrize("shape", [(0.793, 2.426), (0.3, 0.2), (0.9, 0.0999), (1.2, 0.1), (5.0, 2.0)])
def test_bg_nbd_agrees_with_integration_over_the_chance_to_leave(frequency, shape):
    a, b = shape
    model = BgNbdParams(r=0.7, alpha=4.4, a=a, b=b)
    triple = columns(frequency, min(frequency, 1) * 20.0, 30.0)

    found = expected_purchases(model, 39.0, *triple) / probability_alive(model, *triple)

    orders, ratio, stays = 0.7 + frequency, 39.0 / 34.4, b + frequency

    def purchases(leave):
        return -np.expm1(-orders * np.log1p(leave * ratio)) / leave

    def low_half(y):  # leave = y^(1/a) takes the pole at 0 away
        return purchases(y ** (1 / a)) * (1 - y ** (1 / a)) ** (stays - 1) / a

    def high_half(y):  # 1 - leave = y^(1/stays)
        return purchases(1 - y ** (1 / stays)) * (1 - y ** (1 / stays)) ** (a - 1) / stays

    def whole(f, g):
        return sum(quad(half, 1e-300, end, limit=200, epsabs=0)[0] for half, end in ((f, 0.5**a), (g, 0.5**stays)))

    mass = whole(lambda y: (1 - y ** (1 / a)) ** (stays - 1) / a, lambda y: (1 - y ** (1 / stays)) ** (a - 1) / stays)
    assert found[0] == pytest.approx(whole(low_half, high_half) / mass, rel=1e-6)


def test_bg_nbd_cannot_judge_one_time_buyers():
    assert probability_alive(BG, *columns(0, 0, 10_000))[0] == 1.0
    assert probability_alive(MBG, *columns(0, 0, 10_000))[0] < 0.1
    assert probability_alive(PARETO, *columns(0, 0, 10_000))[0] < 0.1


def test_pareto_nbd_is_alive_as_published():
    x, t_x, age = columns([0, 2, 12], [0, 30.43, 33.0], [20.0, 38.86, 39.0])
    r, alpha, s, beta = PARETO.r, PARETO.alpha, PARETO.s, PARETO.beta

    found = probability_alive(PARETO, x, t_x, age)

    # Fader & Hardie (2005), notes/009, equations 11 and 18, for beta >= alpha
    def f(time):
        z = (beta - alpha) / (beta + time)
        return hyp2f1(r + s + x, r + x, r + s + x + 1, z) / (beta + time) ** (r + s + x)

    left = f(t_x) - f(age)
    alive = 1 / (1 + s / (r + s + x) * (alpha + age) ** (r + x) * (beta + age) ** s * left)
    np.testing.assert_allclose(found, alive, rtol=1e-8)


@given(usual_shapes, usual_times, usual_shapes, usual_times, one_customer())
def test_the_integral_is_right_for_shops_of_every_usual_kind(r, alpha, s, beta, customer):
    x, t_x, age = customer

    found = log_integral(Integrand(alpha, beta, r + x, np.full(1, s + 1.0), t_x, age))

    u = t_x + (age - t_x) * np.concatenate([[0.0], np.geomspace(1e-12, 1.0, 60_000)])  # a fine trapezoid
    log_value = -(r + x) * np.log1p((u - t_x) / (alpha + t_x)) - (s + 1) * np.log1p((u - t_x) / (beta + t_x))
    expected = np.trapezoid(np.exp(log_value), u)
    shift = -(r + x) * np.log(alpha + t_x) - (s + 1) * np.log(beta + t_x)
    if age > t_x:
        assert found - shift == pytest.approx(np.log(expected), abs=2e-3)
    else:
        assert found == -np.inf


@MODELS
@pytest.mark.parametrize(
    "customer",
    [([1.0], [9.0], [8.0]), ([-1.0], [0.0], [8.0]), ([1.0, 2.0], [3.0], [8.0]), ([1.0], [np.nan], [8.0])],
)
def test_impossible_customers_are_refused(model, customer):
    with pytest.raises(DataError):
        probability_alive(model, *(np.array(column) for column in customer))


@MODELS
@pytest.mark.parametrize("horizon", [-1.0, np.inf, np.nan])
def test_impossible_horizons_are_refused(model, horizon):
    with pytest.raises(DataError):
        expected_purchases(model, horizon, *columns(0, 0, 8))


@pytest.mark.parametrize("kind", [MbgNbdParams, BgNbdParams, ParetoNbdParams])
@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_impossible_parameters_are_refused(kind, value):
    with pytest.raises(DataError):
        kind(value, 1.0, 1.0, 1.0)


@MODELS
def test_parameters_survive_json(model):
    assert type(model).from_json(model.to_json()) == model


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=60), st.sampled_from([0.0, 0.5]))
def test_once_per_pair_is_the_function_itself(rows, fraction):
    first, second = (np.array([row[side] for row in rows], np.float64) + fraction for side in (0, 1))

    def function(x, y):
        return np.sqrt(x) + y**2

    np.testing.assert_array_equal(once_per_pair(function, first, second), function(first, second))


def test_a_pair_is_evaluated_once():
    seen = []

    def function(x, y):
        seen.extend(zip(x, y, strict=True))
        return x + y

    once_per_pair(function, np.tile([1.0, 0.0], 50), np.tile([3.0, 2.0], 50))

    assert seen == [(0.0, 2.0), (1.0, 3.0)]
