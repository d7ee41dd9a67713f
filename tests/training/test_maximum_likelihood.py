import numpy as np
import pytest

from training.errors import FitDidNotConverge
from training.maximum_likelihood import LARGEST, Diagnostics, maximise

STARTS = ((1.0, 1.0), (0.1, 5.0))


def hill(params, top):
    """Highest at `top`, in logarithms."""
    distance = np.log(params) - np.log(top)
    return -float(distance @ distance), -2 * distance / params


def test_the_top_of_a_hill_is_found():
    optimum = maximise("hill", hill, np.array([3.0, 0.2]), np.array([2.0, 0.3]), STARTS)

    np.testing.assert_allclose(optimum.values, [3.0, 0.2], rtol=1e-6)
    assert optimum.mean_log_likelihood == pytest.approx(0.0, abs=1e-9)
    assert optimum.at_bound == ()


def test_the_best_of_several_starts_goes_on():
    def two_hills(params, _):
        low = hill(params, np.array([20.0, 20.0]))
        high = hill(params, np.array([0.05, 0.05]))
        return max((low[0] - 1.0, low[1]), high, key=lambda found: found[0])

    optimum = maximise("two hills", two_hills, None, None, ((20.0, 20.0), (0.1, 0.1)))

    np.testing.assert_allclose(optimum.values, [0.05, 0.05], rtol=1e-5)


def test_a_likelihood_that_rises_for_ever_ends_at_the_bound_and_says_so():
    def slope(params, _):
        return float(np.log(params[0]) - (np.log(params[1])) ** 2), np.array(
            [1 / params[0], -2 * np.log(params[1]) / params[1]]
        )

    optimum = maximise("slope", slope, None, None, STARTS)

    assert optimum.at_bound == (0,)
    assert optimum.values[0] == pytest.approx(LARGEST)


def test_a_likelihood_without_a_flat_top_does_not_converge():
    def ridge(params, _):
        return -float(np.abs(np.log(params)).sum()), -np.sign(np.log(params) - 1e-3) / params

    with pytest.raises(FitDidNotConverge, match="ridge does not fit"):
        maximise("ridge", ridge, None, None, ((3.0, 2.0),))


def test_a_likelihood_that_is_not_a_number_does_not_converge():
    with pytest.raises(FitDidNotConverge):
        maximise("nothing", lambda params, _: (np.nan, np.full(2, np.nan)), None, None, ((1.0, 1.0),))


def test_diagnostics_are_plain_values():
    assert Diagnostics("m", 3, fallback="why").to_json() == {
        "model": "m",
        "n_customers": 3,
        "n_distinct": 0,
        "log_likelihood": None,
        "iterations": 0,
        "at_bound": (),
        "fallback": "why",
    }
