"""Fit Gamma-Gamma, what orders are worth, and ask whether first orders tell it too.

The formula that uses the fit is in `recsvc.domain.gamma_gamma`.
"""

from __future__ import annotations

import numpy as np

from recsvc.domain.arrays import Vector
from recsvc.domain.gamma_gamma import GammaGammaParams, expected_average_value
from recsvc.domain.rfm import Rfm
from training.distinct import distinct, every
from training.errors import FitDidNotConverge
from training.likelihoods import gamma_gamma
from training.maximum_likelihood import Diagnostics, Fitted, maximise

GAMMA_GAMMA = "gamma_gamma"
MIN_CUSTOMERS = 10  # who paid for a second order; three numbers cannot be told from fewer
SAMPLE = 20_000
LIKELY_BY_CHANCE = 2.0  # standard errors of the paired difference
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


def first_order_tells(params: GammaGammaParams, rfm: Rfm) -> bool:
    r"""Whether first orders foretell what later ones are worth: better than everyone's mean does, beyond chance.

    Asked of the customers who repeat, whose first order was left out of the fit: what is expected of them by that
    order alone, :math:`\mu`, against the mean :math:`m` of those that followed, by gamma deviance: lowest where
    :math:`\mu` is the mean to expect, and not decided by the few largest amounts.

    .. math:: \log\mu + m/\mu

    Where first orders are samples or presents they tell nothing, and Gamma-Gamma goes without them.

    Parameters
    ----------
    params
        As fitted on the same customers.
    rfm
        The customers; without enough of them the answer is no.
    """
    used = (rfm.frequency > 0) & (rfm.monetary_value > 0)
    later, first = rfm.monetary_value[used], rfm.first_value[used]
    if len(later) < MIN_CUSTOMERS:
        return False
    by_first = expected_average_value(params, np.ones(len(first)), first)
    gain = np.log(params.population_value / by_first) + later / params.population_value - later / by_first
    return bool(gain.mean() > LIKELY_BY_CHANCE * gain.std() / np.sqrt(len(gain)))


def empirical_values(frequency: Vector, monetary_value: Vector, reason: str) -> Fitted[GammaGammaParams]:
    """Put the customers' own means in the place of a fit, shrunk by one order to their median (0 without any)."""
    paid = monetary_value[(frequency > 0) & (monetary_value > 0)]
    median = float(np.median(paid)) if len(paid) else 0.0
    params = GammaGammaParams(1.0, 1.0, median or 1.0, median)
    return Fitted(params, Diagnostics(GAMMA_GAMMA, len(paid), fallback=reason))
