"""Fit the personal clock to the gaps between orders, of everything and of each category.

The formulas that use the clocks are in `recsvc.domain.lapse` and `recsvc.domain.category_clock`.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from recsvc.domain.arrays import Vector
from recsvc.domain.category_clock import Categories, CategoryClocks, category_gaps
from recsvc.domain.history import Histories
from recsvc.domain.lapse import LapseParams
from recsvc.domain.rfm import Gaps
from training.distinct import Distinct, distinct, every
from training.errors import FitDidNotConverge
from training.likelihoods import gaps_gamma_gamma
from training.maximum_likelihood import Diagnostics, Fitted, maximise

MODEL = "gamma_gamma_gaps"
MIN_CUSTOMERS = 10  # with a gap; three numbers cannot be told from fewer
MIN_CATEGORY_CUSTOMERS = 100  # who bought the category on two order-days; below, everybody's clock has to do
MIN_CATEGORY_GAPS = 500
SAMPLE = 20_000
STARTS = ((1.0, 1.5, 1.0), (2.0, 3.0, 1.0), (0.7, 1.0, 0.5), (4.0, 5.0, 1.0))

DEFAULT_GAP_DAYS = 90.0
DEFAULT_P, DEFAULT_Q = 1.0, 2.0  # a random buyer, rates spread widely; the mean gap is then `v` days


def fit_lapse(gaps: Gaps) -> Fitted[LapseParams]:
    """Fit the gamma-gamma clock by maximum likelihood, each customer's own rate integrated out.

    Parameters
    ----------
    gaps
        Gaps of all customers; those without one hold no information and may be there.

    Returns
    -------
    Fitted
        With too few customers, or without convergence: random buyers at the mean gap of the data (90 days
        when there is none), flagged in `diagnostics.fallback`.
    """
    try:
        return _fit_repeaters(gaps)
    except FitDidNotConverge as reason:
        return _default(gaps, str(reason))


def fit_category_clocks(histories: Histories, categories: Categories) -> CategoryClocks:
    """Fit the clock of every category with enough gaps; one whose fit does not converge has none either.

    Parameters
    ----------
    histories
        Customers to learn from; a sample will do, since `MIN_CATEGORY_GAPS` are plenty for three numbers.
    categories
        The category of every item.
    """
    pairs, clocks = category_gaps(histories, categories), {}
    for place, name in enumerate(categories.names):
        gaps = pairs.chosen((pairs.category == place) & (pairs.gaps.n_gaps > 0)).gaps
        if len(gaps) < MIN_CATEGORY_CUSTOMERS or gaps.n_gaps.sum() < MIN_CATEGORY_GAPS:
            continue
        try:
            clocks[name] = _fit_repeaters(gaps).params
        except FitDidNotConverge:
            continue
    return CategoryClocks(clocks)


def _fit_repeaters(gaps: Gaps) -> Fitted[LapseParams]:
    repeaters = gaps.n_gaps > 0
    return _fit(gaps.n_gaps[repeaters], gaps.sum_days[repeaters], gaps.sum_log_days[repeaters])


def _fit(n_gaps: Vector, sum_days: Vector, sum_log_days: Vector) -> Fitted[LapseParams]:
    if len(n_gaps) < MIN_CUSTOMERS:
        raise FitDidNotConverge(MODEL, f"only {len(n_gaps)} customers ordered twice")
    scale = float(sum_days.sum() / n_gaps.sum())
    data = distinct(n_gaps, sum_days / scale)
    sample = every(data, 1 + len(data) // SAMPLE)
    mean_sum_log = float(np.mean(sum_log_days - n_gaps * np.log(scale)))
    optimum = maximise(MODEL, partial(_log_likelihood, mean_sum_log / _mean_count(data)), data, sample, STARTS)
    p, q, v = optimum.values
    return Fitted(
        LapseParams(float(p), float(q), float(v) * scale),
        Diagnostics(
            MODEL,
            len(n_gaps),
            len(data),
            (optimum.mean_log_likelihood - _mean_count(data) * float(np.log(scale))) * len(n_gaps),
            optimum.iterations,
            tuple("pqv"[position] for position in optimum.at_bound),
        ),
    )


def _log_likelihood(mean_log_gap: float, params: Vector, data: Distinct) -> tuple[float, Vector]:
    """Likelihood of all, or of a sample, whose gaps are taken to be as long on average."""
    return gaps_gamma_gamma(params, data, mean_log_gap * _mean_count(data))


def _mean_count(data: Distinct) -> float:
    return float(data.weight @ data.counts[data.level])


def _default(gaps: Gaps, reason: str) -> Fitted[LapseParams]:
    n_gaps = gaps.n_gaps.sum()
    mean_gap = float(gaps.sum_days.sum() / n_gaps) if n_gaps else DEFAULT_GAP_DAYS
    params = LapseParams(DEFAULT_P, DEFAULT_Q, mean_gap * (DEFAULT_Q - 1.0) / DEFAULT_P)
    return Fitted(params, Diagnostics(MODEL, int(np.count_nonzero(gaps.n_gaps)), fallback=reason))
