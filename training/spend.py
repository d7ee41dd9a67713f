"""Fit Gamma-Gamma, what orders are worth; the formula that uses it is in `recsvc.domain.gamma_gamma`."""

from __future__ import annotations

import numpy as np

from recsvc.domain.arrays import Vector
from recsvc.domain.gamma_gamma import GammaGammaParams
from training.distinct import distinct, every
from training.errors import FitDidNotConverge
from training.likelihoods import gamma_gamma
from training.maximum_likelihood import Diagnostics, Fitted, maximise

GAMMA_GAMMA = "gamma_gamma"
MIN_CUSTOMERS = 10  # who paid for a second order; three numbers cannot be told from fewer
SAMPLE = 20_000
STARTS = ((5.0, 4.0, 0.6), (1.0, 1.5, 1.0), (2.0, 10.0, 5.0), (0.5, 0.8, 1.0))


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
    optimum = maximise(GAMMA_GAMMA, gamma_gamma, data, sample, STARTS)
    p, q, v = (float(value) for value in optimum.values)
    log_likelihood = (optimum.mean_log_likelihood - float(np.log(median))) * n_customers
    at_bound = tuple("pqv"[position] for position in optimum.at_bound)
    return Fitted(
        GammaGammaParams(p, q, v * median, median),
        Diagnostics(GAMMA_GAMMA, n_customers, len(data), log_likelihood, optimum.iterations, at_bound),
    )


def empirical_values(frequency: Vector, monetary_value: Vector, reason: str) -> Fitted[GammaGammaParams]:
    """Put the customers' own means in the place of a fit, shrunk by one order to their median (0 without any)."""
    paid = monetary_value[(frequency > 0) & (monetary_value > 0)]
    median = float(np.median(paid)) if len(paid) else 0.0
    params = GammaGammaParams(1.0, 1.0, median or 1.0, median)
    return Fitted(params, Diagnostics(GAMMA_GAMMA, len(paid), fallback=reason))
