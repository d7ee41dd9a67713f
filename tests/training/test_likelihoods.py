import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, gamma

from training.distinct import distinct
from training.likelihoods import bg_nbd, gamma_gamma, gaps_gamma_gamma, mbg_nbd, pareto_nbd

RATE = 50.0  # upper end of integration over a rate; the mass beyond is nil


def slope_by_differences(function, params, step=1e-6):
    params = np.array(params)
    moves = np.diag(params * step)
    return np.array([(function(params + move) - function(params - move)) / (2 * move.sum()) for move in moves])


def customers(seed, n=300):
    rng = np.random.default_rng(seed)
    frequency = rng.poisson(2.0, n).astype(np.float64)
    age = rng.uniform(1.0, 3.0, n)
    return frequency, np.where(frequency > 0, age * rng.uniform(0, 1, n), 0.0), age


positive = st.floats(-2.5, 2.5).map(np.exp)


@pytest.mark.parametrize("likelihood", [mbg_nbd, bg_nbd, pareto_nbd])
@given(params=st.tuples(positive, positive, positive, positive), seed=st.integers(0, 5))
def test_the_slope_of_each_transaction_model_is_that_of_its_value(likelihood, params, seed):
    data = distinct(*customers(seed))

    _, slope = likelihood(np.array(params), data)

    expected = slope_by_differences(lambda p: likelihood(p, data)[0], params)
    np.testing.assert_allclose(slope, expected, rtol=1e-4, atol=1e-6)


@given(st.tuples(positive, positive, positive), st.integers(0, 5))
def test_the_slope_of_gamma_gamma_is_that_of_its_value(params, seed):
    frequency, recency, _ = customers(seed)
    data = distinct(frequency[frequency > 0], recency[frequency > 0])

    _, slope = gamma_gamma(np.array(params), data)

    expected = slope_by_differences(lambda p: gamma_gamma(p, data)[0], params)
    np.testing.assert_allclose(slope, expected, rtol=1e-4, atol=1e-6)


@given(st.tuples(positive, positive, positive), st.integers(0, 5))
def test_the_slope_of_the_gaps_is_that_of_their_value(params, seed):
    frequency, recency, _ = customers(seed)
    data = distinct(frequency[frequency > 0], recency[frequency > 0])

    _, slope = gaps_gamma_gamma(np.array(params), data, mean_sum_log=-1.3)

    expected = slope_by_differences(lambda p: gaps_gamma_gamma(p, data, -1.3)[0], params)
    np.testing.assert_allclose(slope, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("x", "t_x", "age"), [(0, 0.0, 2.0), (1, 0.7, 2.0), (4, 1.9, 2.0)])
def test_mbg_nbd_is_the_story_of_a_customer_averaged_over_customers(x, t_x, age):
    r, alpha, a, b = 1.4, 1.1, 1.7, 2.3

    value, _ = mbg_nbd(np.array([r, alpha, a, b]), distinct(*(np.array([float(v)]) for v in (x, t_x, age))))

    def over_rates(watched):
        return quad(lambda rate: rate**x * np.exp(-rate * watched) * gamma.pdf(rate, r, scale=1 / alpha), 0, RATE)[0]

    stays = quad(lambda leave: (1 - leave) ** (x + 1) * beta.pdf(leave, a, b), 0, 1)[0]
    leaves = quad(lambda leave: leave * (1 - leave) ** x * beta.pdf(leave, a, b), 0, 1)[0]
    assert np.exp(value) == pytest.approx(stays * over_rates(age) + leaves * over_rates(t_x), rel=1e-6)


@pytest.mark.parametrize(("x", "t_x", "age"), [(0, 0.0, 2.0), (1, 0.7, 2.0), (4, 1.9, 2.0)])
def test_bg_nbd_is_the_story_of_a_customer_averaged_over_customers(x, t_x, age):
    r, alpha, a, b = 1.4, 1.1, 1.7, 2.3

    value, _ = bg_nbd(np.array([r, alpha, a, b]), distinct(*(np.array([float(v)]) for v in (x, t_x, age))))

    def over_rates(watched):
        return quad(lambda rate: rate**x * np.exp(-rate * watched) * gamma.pdf(rate, r, scale=1 / alpha), 0, RATE)[0]

    stays = quad(lambda leave: (1 - leave) ** x * beta.pdf(leave, a, b), 0, 1)[0]
    leaves = quad(lambda leave: leave * (1 - leave) ** (x - 1) * beta.pdf(leave, a, b), 0, 1)[0] if x else 0.0
    assert np.exp(value) == pytest.approx(stays * over_rates(age) + leaves * over_rates(t_x), rel=1e-6)


@pytest.mark.parametrize(("x", "t_x", "age"), [(0, 0.0, 2.0), (1, 0.7, 2.0), (4, 1.9, 2.0)])
def test_pareto_nbd_is_the_story_of_a_customer_averaged_over_customers(x, t_x, age):
    r, alpha, s, death = 1.4, 1.1, 1.7, 2.3

    value, _ = pareto_nbd(np.array([r, alpha, s, death]), distinct(*(np.array([float(v)]) for v in (x, t_x, age))))

    grid = np.exp(np.linspace(-25, 5, 1501))  # rates, evenly spaced in logarithms
    rate, leave = grid[:, None], grid[None, :]
    total = rate + leave
    gone = leave / total * (np.exp(-total * t_x) - np.exp(-total * age))
    story = rate**x * (np.exp(-total * age) + gone)
    density = gamma.pdf(rate, r, scale=1 / alpha) * gamma.pdf(leave, s, scale=1 / death)
    whole = (story * density * rate * leave).sum() * (30 / 1500) ** 2
    assert np.exp(value) == pytest.approx(whole, rel=1e-5)


def test_the_gaps_are_gamma_averaged_over_customers():
    p, q, v = 1.8, 2.5, 3.0
    own = np.array([1.0, 2.5, 4.0])

    value, _ = gaps_gamma_gamma(
        np.array([p, q, v]), distinct(np.array([3.0]), np.array([own.sum()])), float(np.log(own).sum())
    )

    def story(rate):
        return gamma.pdf(own, p, scale=1 / rate).prod() * gamma.pdf(rate, q, scale=1 / v)

    assert np.exp(value) == pytest.approx(quad(story, 0, RATE)[0], rel=1e-6)


def test_gamma_gamma_is_the_density_of_a_mean_averaged_over_customers():
    p, q, v, x, mean = 2.2, 3.1, 4.0, 3.0, 5.5

    value, _ = gamma_gamma(np.array([p, q, v]), distinct(np.array([x]), np.array([mean])))

    def story(rate):
        return gamma.pdf(mean, p * x, scale=1 / (rate * x)) * gamma.pdf(rate, q, scale=1 / v)

    assert np.exp(value) == pytest.approx(quad(story, 0, RATE)[0], rel=1e-6)
