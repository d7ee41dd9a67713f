"""Fit the return model on past windows; the formulas that use it are in `recsvc.domain.return_model`.

Ridge throughout: one shop has a few windows, they overlap, and what told best in one is not to be learned to the
letter. Later windows weigh more. The season is learned only from windows that cover a year; from fewer it would be
extrapolated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import expit
from threadpoolctl import threadpool_limits

from recsvc.domain.arrays import Mask, Vector
from recsvc.domain.customer_features import CALENDAR, DAYS_PER_YEAR, FEATURE_NAMES
from recsvc.domain.return_model import ReturnModel, linear_predictor, standardised
from training.errors import FitDidNotConverge
from training.past_windows import Window

RETURN_MODEL = "return_model"
MIN_EITHER = 100  # rows that returned, and rows that did not: with fewer of either the weights would be noise
L2_RETURN, L2_VALUE = 0.05, 0.1
SCALE_FLOOR = 1e-9
SLOPES = (0.5, 2.0)  # a calibration beyond says the past differs from today, not by how much
LOGITS = 40.0  # beyond the log odds of any share of rows that fit into memory


@dataclass(frozen=True, slots=True)
class Rows:
    """Windows as one table; every array has shape (n_rows, ...)."""

    features: Vector
    value: Vector
    returned: Mask
    weight: Vector


def fit_return_model(windows: Sequence[Window], horizon_days: int, slope: float = 1.0) -> ReturnModel:
    """Fit P(return) and the value of those who return.

    Parameters
    ----------
    windows
        All their horizons have passed by the day the model is for.
    slope : above 0
        From `calibration_slope`. The level is set so that the model predicts, over its windows, the returns they had:
        slopes carry over from one season to the next, levels do not.

    Raises
    ------
    FitDidNotConverge
        If fewer than `MIN_EITHER` rows returned and paid, or did not return.
    """
    rows = joined(windows, horizon_days)
    _check_floor(rows)
    mean, scale = rows.features.mean(axis=0), rows.features.std(axis=0)
    scale = np.where(scale > SCALE_FLOOR, scale, 1.0)
    standard = standardised(rows.features, mean, scale) * _used(windows, horizon_days)
    with threadpool_limits(1):
        return_weight, return_intercept = fit_logistic(standard, rows.returned, rows.weight, L2_RETURN)
        paid = rows.returned & (rows.value > 0)
        value_weight, value_intercept = fit_ridge(standard[paid], np.log(rows.value[paid]), rows.weight[paid], L2_VALUE)
    predictor = linear_predictor(standard, return_weight, return_intercept)
    return ReturnModel(
        mean=mean,
        scale=scale,
        return_weight=return_weight,
        return_intercept=return_intercept,
        level=level_for(slope * predictor, rows),
        slope=slope,
        value_weight=value_weight,
        value_intercept=value_intercept,
        smearing=_smearing(linear_predictor(standard, value_weight, value_intercept), rows),
        largest=float(rows.value.max()),
    )


def calibration_slope(predictor: Vector, returned: Mask) -> float:
    """How much steeper outcomes are than out-of-time predictions, as a factor of their log odds; 1 when they agree.

    Parameters
    ----------
    predictor : shape (n_rows,)
        Log odds a model gave before it could know.
    returned : shape (n_rows,)
    """
    spread = float(predictor.std())
    if spread < SCALE_FLOOR or returned.all() or not returned.any():
        return 1.0
    standard = ((predictor - predictor.mean()) / spread)[:, None]
    weight, _ = fit_logistic(standard, returned, np.ones(len(returned)), 0.0)
    return float(np.clip(weight[0] / spread, *SLOPES))


def joined(windows: Sequence[Window], horizon_days: int) -> Rows:
    """One table of all windows; a window one half-life before the latest weighs half."""
    half_life = DAYS_PER_YEAR if covers_a_year(windows, horizon_days) else float(horizon_days)
    newest = max(window.day for window in windows)
    weights = [np.full(len(window), 0.5 ** ((newest - window.day) / half_life)) for window in windows]
    return Rows(
        np.concatenate([window.features for window in windows]),
        np.concatenate([window.value for window in windows]),
        np.concatenate([window.returned for window in windows]),
        np.concatenate(weights),
    )


def covers_a_year(windows: Sequence[Window], horizon_days: int) -> bool:
    """Whether the windows' horizons together show every season."""
    days = [window.day for window in windows]
    return max(days) + horizon_days - min(days) >= DAYS_PER_YEAR


def fit_logistic(standard: Vector, outcome: Mask, weight: Vector, l2: float) -> tuple[Vector, float]:
    """Weights and intercept of a logistic regression, ridge on the weights only."""
    data = (standard, outcome.astype(np.float64), weight / weight.sum(), l2)
    start = np.zeros(standard.shape[1] + 1)
    found = minimize(_logistic_loss, start, data, jac=True, method="L-BFGS-B", tol=1e-12)
    return np.asarray(found.x[:-1], np.float64), float(found.x[-1])


def _logistic_loss(
    parameters: Vector, standard: Vector, target: Vector, share: Vector, l2: float
) -> tuple[float, Vector]:
    """Mean cross-entropy and half the penalty, with their gradient; the intercept is the last parameter."""
    weights, score = parameters[:-1], standard @ parameters[:-1] + parameters[-1]
    surplus = share * (expit(score) - target)
    loss = float(share @ (np.logaddexp(0.0, score) - target * score) + l2 * weights @ weights / 2)
    return loss, np.append(standard.T @ surplus + l2 * weights, surplus.sum())


def fit_ridge(standard: Vector, outcome: Vector, weight: Vector, l2: float) -> tuple[Vector, float]:
    """Weights and intercept of a linear regression, ridge on the weights only."""
    share = weight / weight.sum()
    centre, middle = share @ standard, float(share @ outcome)
    centred = standard - centre
    gram = (centred * share[:, None]).T @ centred + l2 * np.eye(standard.shape[1])
    weights = np.linalg.solve(gram, (centred * share[:, None]).T @ (outcome - middle))
    return weights, middle - float(centre @ weights)


def level_for(predictor: Vector, rows: Rows) -> float:
    """Shift of the log odds at which the mean prediction is the share that returned."""
    share = float(np.average(rows.returned, weights=rows.weight))

    def surplus(level: float) -> float:
        return float(np.average(expit(predictor + level), weights=rows.weight)) - share

    farthest = LOGITS + float(np.abs(predictor).max())
    return float(brentq(surplus, -farthest, farthest))


def _used(windows: Sequence[Window], horizon_days: int) -> Vector:
    """1 for the features to learn from, 0 for the rest, whose weights then stay 0; shape (n_features,)."""
    if covers_a_year(windows, horizon_days):
        return np.ones(len(FEATURE_NAMES))
    return np.array([name not in CALENDAR for name in FEATURE_NAMES], np.float64)


def _check_floor(rows: Rows) -> None:
    paid, away = int(np.count_nonzero(rows.value > 0)), int(np.count_nonzero(~rows.returned))
    if min(paid, away) < MIN_EITHER:
        counts = f"{paid} paid returns and {away} absences"
        raise FitDidNotConverge(RETURN_MODEL, f"only {counts} to learn from, {MIN_EITHER} of each are needed")


def _smearing(predictor: Vector, rows: Rows) -> float:
    """Mean value of those who returned over the mean of exp(predictor); free orders count as nothing."""
    weight = rows.weight * rows.returned
    return float((weight @ rows.value) / (weight @ np.exp(predictor)))
