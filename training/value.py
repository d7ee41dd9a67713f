"""Fit the value models; the formulas that use them are in `recsvc.domain.value_models`.

A model that cannot be fitted raises; `fit_value` then falls back to empirical rates and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Vector
from recsvc.domain.rfm import Rfm
from recsvc.domain.segments import HighValueRule
from recsvc.domain.value_models import GammaGammaParams, MbgNbdParams, ValueModels
from recsvc.errors import DataError
from training.errors import FitDidNotConverge
from training.distinct import distinct, every
from training.likelihoods import gamma_gamma, mbg_nbd
from training.maximum_likelihood import Diagnostics, Fitted, maximise

MBG_NBD, GAMMA_GAMMA = "mbg_nbd", "gamma_gamma"
MIN_CUSTOMERS = 10  # who ordered twice; four numbers cannot be told from fewer
SAMPLE = 20_000
MBG_NBD_STARTS = ((0.5, 0.2, 0.8, 1.5), (1.0, 1.0, 1.0, 1.0), (2.0, 0.5, 0.1, 1.0), (0.2, 0.05, 2.0, 5.0))
GAMMA_GAMMA_STARTS = ((5.0, 4.0, 0.6), (1.0, 1.5, 1.0), (2.0, 10.0, 5.0), (0.5, 0.8, 1.0))


@dataclass(frozen=True, slots=True)
class ValueFit:
    """The value models of one training, and how each was come by."""

    models: ValueModels
    diagnostics: tuple[Diagnostics, Diagnostics]


def fit_value(rfm: Rfm) -> ValueFit:
    """Fit both models; where one does not fit, use empirical rates and flag it in its diagnostics."""
    try:
        transactions = fit_mbg_nbd(rfm.frequency, rfm.recency, rfm.T)
    except FitDidNotConverge as reason:
        transactions = empirical_rates(rfm.frequency, rfm.T, str(reason))
    try:
        spend = fit_gamma_gamma(rfm.frequency, rfm.monetary_value)
    except FitDidNotConverge as reason:
        spend = empirical_values(rfm.frequency, rfm.monetary_value, str(reason))
    models = ValueModels(transactions.params, spend.params)
    return ValueFit(models, (transactions.diagnostics, spend.diagnostics))


def fit_mbg_nbd(frequency: Vector, recency: Vector, T: Vector) -> Fitted[MbgNbdParams]:
    """Fit MBG/NBD by maximum likelihood on distinct observations, in scaled time.

    Parameters
    ----------
    frequency : shape (n_customers,), count
        Orders after the first one.
    recency, T : shape (n_customers,), days (or any one unit of time)
        Age at the last order, and at the end of observation; 0 <= recency <= T.

    Returns
    -------
    Fitted
        `alpha` is in the unit of `T`.

    Raises
    ------
    FitDidNotConverge
        If fewer than 10 customers repeat, or the likelihood has no maximum to be found.

    References
    ----------
    Batislam, Denizel & Filiztekin (2007), International Journal of Research in Marketing 24(3)
    """
    repeaters = int(np.count_nonzero(frequency))
    if repeaters < MIN_CUSTOMERS:
        raise FitDidNotConverge(MBG_NBD, f"only {repeaters} customers ordered twice")
    scale = float(T.mean())
    data = distinct(frequency, recency / scale, T / scale)
    sample = every(data, 1 + len(data) // SAMPLE)
    optimum = maximise(MBG_NBD, mbg_nbd, data, sample, MBG_NBD_STARTS)
    r, alpha, a, b = (float(value) for value in optimum.values)
    log_likelihood = optimum.mean_log_likelihood * len(T) - float(frequency.sum() * np.log(scale))
    at_bound = tuple(("r", "alpha", "a", "b")[position] for position in optimum.at_bound)
    return Fitted(
        MbgNbdParams(r, alpha * scale, a, b),
        Diagnostics(MBG_NBD, len(T), len(data), log_likelihood, optimum.iterations, at_bound),
    )


def fit_gamma_gamma(frequency: Vector, monetary_value: Vector) -> Fitted[GammaGammaParams]:
    """Fit Gamma-Gamma by maximum likelihood on customers who repeat and paid for it.

    Parameters
    ----------
    frequency : shape (n_customers,), count
    monetary_value : shape (n_customers,), currency units
        Mean amount of the orders after the first one.

    Raises
    ------
    FitDidNotConverge
        If fewer than 10 customers repeat, or the likelihood has no maximum to be found.

    References
    ----------
    Fader & Hardie (2013), brucehardie.com/notes/025
    """
    used = (frequency > 0) & (monetary_value > 0)
    n_customers = int(np.count_nonzero(used))
    if n_customers < MIN_CUSTOMERS:
        raise FitDidNotConverge(GAMMA_GAMMA, f"only {n_customers} customers paid for a second order")
    median = float(np.median(monetary_value[used]))
    data = distinct(frequency[used], monetary_value[used] / median)
    sample = every(data, 1 + len(data) // SAMPLE)
    optimum = maximise(GAMMA_GAMMA, gamma_gamma, data, sample, GAMMA_GAMMA_STARTS)
    p, q, v = (float(value) for value in optimum.values)
    log_likelihood = (optimum.mean_log_likelihood - float(np.log(median))) * n_customers
    at_bound = tuple("pqv"[position] for position in optimum.at_bound)
    return Fitted(
        GammaGammaParams(p, q, v * median, median),
        Diagnostics(GAMMA_GAMMA, n_customers, len(data), log_likelihood, optimum.iterations, at_bound),
    )


def empirical_rates(frequency: Vector, T: Vector, reason: str) -> Fitted[MbgNbdParams]:
    """Put pooled rates in the place of a fit: everybody's orders over everybody's time, shrunk by one order.

    Half an order is added so that nobody repeating still leaves a small rate; the chance to leave after an
    order is uniform.
    """
    rate = (float(frequency.sum()) + 0.5) / max(float(T.sum()), 1.0)
    return Fitted(MbgNbdParams(1.0, 1.0 / rate, 1.0, 1.0), Diagnostics(MBG_NBD, len(T), fallback=reason))


def empirical_values(frequency: Vector, monetary_value: Vector, reason: str) -> Fitted[GammaGammaParams]:
    """Put the customers' own means in the place of a fit, shrunk by one order to their median (0 without any)."""
    paid = monetary_value[(frequency > 0) & (monetary_value > 0)]
    median = float(np.median(paid)) if len(paid) else 0.0
    params = GammaGammaParams(1.0, 1.0, median or 1.0, median)
    return Fitted(params, Diagnostics(GAMMA_GAMMA, len(paid), fallback=reason))


def fit_high_value_rule(spend_per_active_year: Vector, share: float = 0.4) -> HighValueRule:
    """Find the spend per active year that a share of the customers reaches.

    Parameters
    ----------
    spend_per_active_year : shape (n_customers,), currency units per year
        From `recsvc.domain.segments.spend_per_active_year`.
    share : in (0, 1)
        Share of customers to select at most: many who share one value are left out together, unless nobody
        is worth more.

    Raises
    ------
    DataError
        If `share` is not in (0, 1), or there is no customer.
    """
    if not len(spend_per_active_year):
        raise DataError("high value rule", "there is no customer to set it by")
    ranked = np.sort(spend_per_active_year)
    threshold = ranked[min(int(np.ceil(len(ranked) * (1.0 - share))), len(ranked) - 1)]
    above = ranked[ranked > threshold]
    if len(above) and np.mean(ranked >= threshold) > share:
        threshold = above[0]
    return HighValueRule(share, float(threshold))
