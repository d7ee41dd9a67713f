import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.ascent import curvature, settle

LIMIT = np.log(1e3)
BENT = np.array([[2.0, 0.5], [0.5, 1.0]])


class Bowl:
    """Lowest at `bottom`; counts how often it is looked at."""

    def __init__(self, bottom, bent=BENT):
        self.bottom, self.bent, self.looks = np.array(bottom), bent, 0

    def __call__(self, at):
        self.looks += 1
        away = at - self.bottom
        return float(away @ self.bent @ away) / 2, self.bent @ away


def test_curvature_is_what_the_gradient_changes_by():
    np.testing.assert_allclose(curvature(Bowl([0.3, -0.2]), np.array([1.0, 1.0])), BENT, rtol=1e-8)


def test_where_the_curvature_is_as_expected_one_step_is_enough():
    bowl = Bowl([0.3, -0.2])

    bottom = settle(bowl, np.zeros(2), BENT, LIMIT, 1e-14)

    np.testing.assert_allclose(bottom.at, [0.3, -0.2], atol=1e-9)
    assert (bottom.steps, bowl.looks) == (1, 2)


@given(st.floats(0.3, 3.0), st.floats(0.3, 3.0), st.floats(-0.5, 0.5))
def test_where_it_is_not_it_is_learned_on_the_way(first, second, both):
    bottom = settle(Bowl([0.3, -0.2]), np.zeros(2), np.array([[first, both / 2], [both / 2, second]]), LIMIT, 1e-14)

    np.testing.assert_allclose(bottom.at, [0.3, -0.2], atol=1e-6)


@pytest.mark.parametrize("side", [-1, 1])
def test_beyond_a_bound_the_lowest_point_on_it_is_found(side):
    bottom = settle(Bowl([side * 9.0, 1.0]), np.zeros(2), BENT, LIMIT, 1e-14)

    # along the bound the bowl is lowest where 0.5 (x - 9) + (y - 1) = 0, in the direction of the side
    np.testing.assert_allclose(bottom.at, [side * LIMIT, 1.0 - 0.5 * side * (LIMIT - 9.0)], atol=1e-6)


def test_along_a_ridge_that_falls_off_for_ever_it_goes_to_the_bound():
    def ridge(at):
        return float(np.exp(-at[0]) + at[1] ** 2), np.array([-np.exp(-at[0]), 2 * at[1]])

    bottom = settle(ridge, np.array([5.0, 0.1]), np.diag([np.exp(-5.0), 2.0]), LIMIT, 1e-14)

    np.testing.assert_allclose(bottom.at, [LIMIT, 0.0], atol=1e-6)


def test_from_where_it_is_flat_nothing_moves():
    assert settle(lambda at: (1.0, np.zeros(2)), np.zeros(2), np.zeros((2, 2)), LIMIT, 1e-14).steps == 0


@pytest.mark.parametrize(
    "descent",
    [
        lambda at: (np.nan, np.full(2, np.nan)),
        lambda at: (float(np.abs(at).sum()), -np.ones(2)),  # a gradient that leads up
        lambda at: (-np.inf, np.ones(2)),
    ],
    ids=["no number", "misleading", "bottomless"],
)
def test_what_is_no_valley_is_given_up(descent):
    assert settle(descent, np.zeros(2), BENT, LIMIT, 1e-14) is None


def test_a_curvature_that_is_no_number_is_given_up():
    assert settle(Bowl([0.3, -0.2]), np.zeros(2), np.full((2, 2), np.nan), LIMIT, 1e-14) is None


def test_a_valley_too_long_for_its_steps_is_given_up(monkeypatch):
    monkeypatch.setattr("training.ascent.MAX_STEPS", 3)
    far = Bowl([6.0, 0.0], bent=np.diag([1e-3, 1.0]))

    assert settle(far, np.array([-6.0, 0.0]), 1e9 * np.eye(2), LIMIT, 1e-14) is None
    assert far.looks == 4
