from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from recsvc.domain.customer_features import CALENDAR, FEATURE_NAMES
from training.errors import FitDidNotConverge
from training.past_windows import Window
from training.return_value import MIN_EITHER, calibration_slope, fit_logistic, fit_return_model, fit_ridge

N = len(FEATURE_NAMES)


def window(day, n=3000, shift=0.0, seed=1):
    """Returning depends on the first feature, value on the second; both noisy."""
    rng = np.random.default_rng([seed, day])
    features = rng.normal(size=(n, N))
    returned = rng.random(n) < expit(1.5 * features[:, 0] + shift)
    value = np.where(returned, np.exp(2 + 0.8 * features[:, 1] + rng.normal(0, 0.7, n)), 0.0)
    spend = np.exp(features[:, 1])
    return Window(day, np.arange(n), features, spend, np.ones(n, bool), value, returned)


def test_the_fit_finds_what_returning_and_value_depend_on_and_is_calibrated():
    windows = [window(1000), window(970)]

    model = fit_return_model(windows, 90)

    assert int(np.argmax(np.abs(model.return_weight))) == 0
    assert int(np.argmax(np.abs(model.value_weight))) == 1
    later = window(1090, seed=2)
    assert model.probability_of_return(later.features).mean() == pytest.approx(later.returned.mean(), abs=0.03)
    worth = model.value_given_return(later.features[later.returned])
    assert worth.mean() == pytest.approx(later.value[later.returned].mean(), rel=0.1)


def test_later_windows_weigh_more():
    rising = fit_return_model([window(1000, shift=1.0), window(730, shift=-1.0)], 90)

    predicted = rising.probability_of_return(window(1090).features).mean()

    assert predicted > 0.6  # the mean of both is a half


def test_the_season_is_learned_only_from_windows_that_cover_a_year():
    calendar = [FEATURE_NAMES.index(name) for name in CALENDAR]

    short, long = fit_return_model([window(1000), window(900)], 90), fit_return_model([window(1000), window(700)], 90)

    assert not short.return_weight[calendar].any()
    assert not short.value_weight[calendar].any()
    assert long.return_weight[calendar].all()


def test_a_slope_turns_log_odds_about_the_level_of_the_past():
    windows = [window(1000)]

    plain, steeper = fit_return_model(windows, 90), fit_return_model(windows, 90, slope=1.5)

    odds = [logit(model.probability_of_return(windows[0].features)) for model in (plain, steeper)]
    assert np.ptp(odds[1]) == pytest.approx(1.5 * np.ptp(odds[0]))
    assert expit(odds[1]).mean() == pytest.approx(windows[0].returned.mean())


@pytest.mark.parametrize("true_slope", [0.7, 1.0, 1.6])
def test_the_calibration_slope_is_how_much_steeper_outcomes_are(true_slope):
    rng = np.random.default_rng(4)
    predictor = rng.normal(0.5, 1.0, 20_000)

    returned = rng.random(20_000) < expit(true_slope * predictor - 1.0)  # a season below the past

    assert calibration_slope(predictor, returned) == pytest.approx(true_slope, rel=0.1)


def test_no_slope_is_read_from_outcomes_all_alike():
    assert calibration_slope(np.arange(5.0), np.ones(5, bool)) == 1.0
    assert calibration_slope(np.ones(4), np.array([True, False, True, False])) == 1.0


def test_below_the_floor_nothing_is_learned():
    few = window(1000, n=2 * MIN_EITHER - 10)

    with pytest.raises(FitDidNotConverge, match="100 of each"):
        fit_return_model([few], 90)


def test_ridge_is_least_squares_with_a_penalty_on_the_weights():
    rng = np.random.default_rng(2)
    columns, outcome, weight = rng.normal(size=(40, 2)), rng.normal(3, 1, 40), rng.uniform(1, 2, 40)

    found, intercept = fit_ridge(columns, outcome, weight, 0.3)

    share = weight / weight.sum()
    residual = outcome - intercept - columns @ found
    np.testing.assert_allclose(columns.T @ (share * residual), 0.3 * found, atol=1e-12)
    assert share @ residual == pytest.approx(0.0, abs=1e-12)


def test_the_logistic_fit_is_where_its_gradient_vanishes():
    rng = np.random.default_rng(2)
    columns, outcome, weight = rng.normal(size=(60, 2)), rng.random(60) < 0.4, rng.uniform(1, 2, 60)

    found, intercept = fit_logistic(columns, outcome, weight, 0.1)

    surplus = weight / weight.sum() * (expit(columns @ found + intercept) - outcome)
    np.testing.assert_allclose(columns.T @ surplus, -0.1 * found, atol=1e-6)
    assert surplus.sum() == pytest.approx(0.0, abs=1e-6)
