"""Fit the personal clock to the gaps between orders; the formulas that use it are in `recsvc.domain.lapse`."""

from __future__ import annotations

from functools import partial

import numpy as np

from recsvc.domain.arrays import Vector
from recsvc.domain.lapse import LapseParams
from recsvc.domain.rfm import Gaps
from training.distinct import Distinct, distinct, every
from training.errors import FitDidNotConverge
from training.likelihoods import gaps_gamma_gamma
from training.maximum_likelihood import Diagnostics, Fitted, maximise

MODEL = "gamma_gamma_gaps"
MIN_CUSTOMERS = 10  # with a gap; three numbers cannot be told from fewer
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
    repeaters = gaps.n_gaps > 0
    try:
        return _fit(gaps.n_gaps[repeaters], gaps.sum_days[repeaters], gaps.sum_log_days[repeaters])
    except FitDidNotConverge as reason:
        return _default(gaps, str(reason))


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
