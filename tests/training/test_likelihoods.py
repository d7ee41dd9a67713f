import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, gamma

from training.likelihoods import distinct, every, gamma_gamma, gaps_gamma_gamma, mbg_nbd

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


@given(st.tuples(positive, positive, positive, positive), st.integers(0, 5))
def test_the_slope_of_mbg_nbd_is_that_of_its_value(params, seed):
    data = distinct(*customers(seed))

    _, slope = mbg_nbd(np.array(params), data)

    expected = slope_by_differences(lambda p: mbg_nbd(p, data)[0], params)
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


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_distinct_observations_weigh_as_often_as_they_occur(rows):
    columns = [np.array(column, np.float64) for column in zip(*rows, strict=True)]

    found = distinct(*columns)

    seen = zip(found.counts[found.level], *found.columns, found.weight * len(rows), strict=True)
    assert {(x, t, age): pytest.approx(times) for x, t, age, times in seen} == {row: rows.count(row) for row in rows}
    assert len(found) == len(set(rows))


def test_a_sample_is_part_of_the_whole_and_weighs_one():
    data = distinct(*customers(1))

    sample = every(data, 7)

    assert len(sample) == -(-len(data) // 7)
    assert sample.weight.sum() == pytest.approx(1.0)
    np.testing.assert_array_equal(sample.columns[0], data.columns[0][::7])
