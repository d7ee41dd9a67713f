import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsvc.domain.gamma_gamma import GammaGammaParams, expected_average_value
from recsvc.errors import DataError

shapes = st.floats(-6.9, 6.9).map(np.exp)
money = st.floats(0, 1e7)
params = st.builds(GammaGammaParams, p=shapes, q=shapes, v=shapes, median=money)


def test_a_stranger_is_worth_the_population_mean():
    cdnow = GammaGammaParams(p=6.25, q=3.74, v=15.44, median=27.5)

    value = expected_average_value(cdnow, np.array([0.0]), np.array([0.0]))

    assert value[0] == pytest.approx(6.25 * 15.44 / 2.74)


@pytest.mark.parametrize("q", [0.3, 1.0, 1.01])
def test_without_a_population_mean_the_median_stands_in(q):
    heavy = GammaGammaParams(p=2.0, q=q, v=10.0, median=40.0)

    stranger, regular = expected_average_value(heavy, np.array([0.0, 50.0]), np.array([0.0, 90.0]))

    assert stranger == pytest.approx(40.0)
    assert 88.0 < regular < 90.0


@given(params, st.integers(0, 5000), money)
def test_the_value_lies_between_everyone_and_the_customer(params, frequency, own):
    value = expected_average_value(params, np.array([float(frequency)]), np.array([own]))[0]

    everyone = params.population_value
    lowest, highest = sorted((everyone, own if frequency else everyone))
    assert lowest * (1 - 1e-9) <= value <= highest * (1 + 1e-9)


def test_more_orders_count_for_more():
    cdnow = GammaGammaParams(p=6.25, q=3.74, v=15.44, median=27.5)

    values = expected_average_value(cdnow, np.array([1.0, 5.0, 50.0]), np.full(3, 100.0))

    assert np.all(np.diff(values) > 0)


@pytest.mark.parametrize(("frequency", "value"), [([-1.0], [5.0]), ([1.0], [-5.0]), ([1.0, 1.0], [5.0])])
def test_impossible_customers_are_refused(frequency, value):
    cdnow = GammaGammaParams(p=6.25, q=3.74, v=15.44, median=27.5)

    with pytest.raises(DataError):
        expected_average_value(cdnow, np.array(frequency), np.array(value))


def test_impossible_parameters_are_refused():
    with pytest.raises(DataError):
        GammaGammaParams(p=1.0, q=0.0, v=1.0, median=1.0)
    with pytest.raises(DataError):
        GammaGammaParams(p=1.0, q=1.0, v=1.0, median=-1.0)


def test_parameters_survive_json():
    cdnow = GammaGammaParams(p=6.25, q=3.74, v=15.44, median=27.5)

    assert GammaGammaParams.from_json(cdnow.to_json()) == cdnow
