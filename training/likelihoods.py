"""Log-likelihoods of the value models and the personal clock, with gradients, on distinct observations.

Special functions are evaluated per distinct count only; with weights for customers who share an observation, that is
what makes a million customers a matter of a second. All return the mean per customer.
"""

from __future__ import annotations

import numpy as np
from scipy.special import digamma, gammaln

from recsvc.domain.arrays import Vector
from recsvc.domain.pareto_integral import Integrand, moments
from training.distinct import Distinct

CHUNK = 8192  # observations at a time, so that what is computed of them stays in the processor's cache


def mbg_nbd(params: Vector, data: Distinct) -> tuple[float, Vector]:
    r"""MBG/NBD at :math:`(r, \alpha, a, b)`, on (frequency; recency, T): `beta_geometric` with one stay more."""
    return _beta_geometric(params, data, stays_after_first=1.0)


def bg_nbd(params: Vector, data: Distinct) -> tuple[float, Vector]:
    r"""BG/NBD at :math:`(r, \alpha, a, b)`, on (frequency; recency, T); nobody leaves after their first order."""
    return _beta_geometric(params, data, stays_after_first=0.0)


def pareto_nbd(params: Vector, data: Distinct) -> tuple[float, Vector]:
    r"""Pareto/NBD at :math:`(r, \alpha, s, \beta)`, on (frequency; recency, T).

    .. math:: L = \tfrac{\Gamma(r+x)\alpha^r\beta^s}{\Gamma(r)} [(\alpha+T)^{-(r+x)} (\beta+T)^{-s} +
        s \int_{t_x}^T (\alpha+u)^{-(r+x)} (\beta+u)^{-(s+1)} du]

    References
    ----------
    Schmittlein, Morrison & Colombo (1987), Management Science 33(1)
    """
    r, alpha, s, beta = params
    orders, (recency, age) = r + data.counts[data.level], data.columns
    log_alpha, log_beta = np.log(alpha + age), np.log(beta + age)
    left = moments(Integrand(alpha, beta, orders, np.full(len(age), s + 1.0), recency, age))
    log_alive = -orders * log_alpha - s * log_beta
    softplus, p_gone = _softplus_and_logistic(np.log(s) + left.log_value - log_alive)
    alive, gone = data.weight * (1.0 - p_gone), data.weight * p_gone
    share = data.by_level(np.ones(len(data)))
    rate = share @ (digamma(r + data.counts) - digamma(r)) + np.log(alpha)
    slope = np.array(
        [
            rate - alive @ log_alpha - gone @ left.log_first,
            r / alpha - (alive * orders) @ (1.0 / (alpha + age)) - (gone * orders) @ left.inverse_first,
            np.log(beta) - alive @ log_beta + gone.sum() / s - gone @ left.log_second,
            s / beta - s * (alive @ (1.0 / (beta + age))) - (s + 1.0) * (gone @ left.inverse_second),
        ]
    )
    constant = share @ (gammaln(r + data.counts) - gammaln(r)) + r * np.log(alpha) + s * np.log(beta)
    return float(constant + data.weight @ (softplus + log_alive)), slope


def gamma_gamma(params: Vector, data: Distinct) -> tuple[float, Vector]:
    r"""Gamma-Gamma at :math:`(p, q, v)`, on (frequency; monetary value).

    .. math:: L = \tfrac{\Gamma(px+q)}{\Gamma(px)\Gamma(q)} \tfrac{v^q x^{px} m^{px-1}}{(v+xm)^{px+q}}

    References
    ----------
    Fader & Hardie (2013), equation 1a
    """
    p, q, v = params
    n, (mean,) = data.counts, data.columns
    total = mean * n[data.level]
    share = data.by_level(np.ones(len(data)))
    log_v, log_rest = data.by_level(np.log(v + total)), data.by_level(np.log(total))
    constant = -(data.weight @ np.log(mean))
    value = share @ (gammaln(p * n + q) - gammaln(p * n)) - gammaln(q) + q * np.log(v)
    value += n @ (log_rest - log_v) * p - q * log_v.sum() + constant
    d_p = n @ (share * (digamma(p * n + q) - digamma(p * n)) + log_rest - log_v)
    d_q = share @ digamma(p * n + q) - digamma(q) + np.log(v) - log_v.sum()
    d_v = q / v - (p * n + q) @ data.by_level(1.0 / (v + total))
    return float(value), np.array([d_p, d_q, d_v])


def gaps_gamma_gamma(params: Vector, data: Distinct, mean_sum_log: float) -> tuple[float, Vector]:
    r"""Gamma-gamma gaps at :math:`(p, q, v)`, on (number of gaps; their sum), each customer's rate integrated out.

    With L the sum of the logarithms of a customer's n gaps and S their sum:

    .. math:: \tfrac{\Gamma(np+q)}{\Gamma(p)^n\Gamma(q)} \tfrac{v^q e^{(p-1)L}}{(v+S)^{np+q}}

    L enters linearly, so its mean over customers, `mean_sum_log`, is all that is needed of it.

    References
    ----------
    Holtrop & Wieringa (2023), International Journal of Research in Marketing 40(3)
    """
    p, q, v = params
    n, (total,) = data.counts, data.columns
    share = data.by_level(np.ones(len(data)))
    log_v = data.by_level(np.log(v + total))
    value = share @ (gammaln(p * n + q) - n * gammaln(p)) - gammaln(q) + q * np.log(v)
    value += (p - 1.0) * mean_sum_log - (p * n + q) @ log_v
    d_p = n @ (share * (digamma(p * n + q) - digamma(p)) - log_v) + mean_sum_log
    d_q = share @ digamma(p * n + q) - digamma(q) + np.log(v) - log_v.sum()
    d_v = q / v - (p * n + q) @ data.by_level(1.0 / (v + total))
    return float(value), np.array([d_p, d_q, d_v])


def _beta_geometric(params: Vector, data: Distinct, stays_after_first: float) -> tuple[float, Vector]:
    r"""Likelihood of who leaves with a beta-distributed probability after an order.

    With :math:`S` the shape `b` and the orders stayed after, of an active customer: `b + x + 1` where one can
    leave after the first order, else `b + x`, and then nobody with `x = 0` has left:

    .. math:: L = \tfrac{\Gamma(r+x)\alpha^r}{\Gamma(r)} \tfrac{B(a,S)}{B(a,b)}
        [(\alpha+T)^{-(r+x)} + \tfrac{a}{S-1} (\alpha+t_x)^{-(r+x)}]

    References
    ----------
    Fader, Hardie & Lee (2005), Marketing Science 24(2); Batislam, Denizel & Filiztekin (2007), International
    Journal of Research in Marketing 24(3)
    """
    _, _, a, b = params
    leaves = data.counts + stays_after_first > 0
    chance = np.divide(1.0, b + data.counts + stays_after_first - 1.0, out=np.zeros(len(leaves)), where=leaves)
    log_odds = np.log(a * chance, out=np.full(len(leaves), -np.inf), where=leaves)
    value, slope = _beta_geometric_by_level(params, data, stays_after_first)
    gone = np.empty(len(data))
    for begin in range(0, len(data), CHUNK):
        rows = slice(begin, begin + CHUNK)
        part, gone[rows], slopes = _beta_geometric_part(params, data, rows, log_odds)
        value, slope[:2] = value + part, slope[:2] + slopes
    gone_by_level = np.bincount(data.level, gone, len(data.counts))
    return float(value), slope + np.array([0.0, 0.0, gone_by_level.sum() / a, -(gone_by_level @ chance)])


def _beta_geometric_part(params: Vector, data: Distinct, rows: slice, log_odds: Vector) -> tuple[float, Vector, Vector]:
    """Part of some observations: of the likelihood, their shares gone, and of the slope by r and alpha."""
    level, weight = data.level[rows], data.weight[rows]
    purchases = params[0] + data.counts[level]
    recency, age = (params[1] + column[rows] for column in data.columns)
    log_age = np.log(age)
    silence = log_age - np.log(recency)
    softplus, p_gone = _softplus_and_logistic(purchases * silence + log_odds[level])
    gone = weight * p_gone
    d_r = gone @ silence - weight @ log_age
    d_alpha = (gone * purchases) @ (1.0 / age - 1.0 / recency) - (weight * purchases) @ (1.0 / age)
    return float(weight @ (softplus - purchases * log_age)), gone, np.array([d_r, d_alpha])


def _beta_geometric_by_level(params: Vector, data: Distinct, stays_after_first: float) -> tuple[float, Vector]:
    """Part of the likelihood, and of its gradient, that depends on the frequency alone."""
    r, alpha, a, b = params
    x, share = data.counts, data.by_level(np.ones(len(data)))
    stays = b + x + stays_after_first
    purchases = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    stayed = gammaln(a + b) + gammaln(stays) - gammaln(b) - gammaln(a + stays)
    both = digamma(a + b) - digamma(a + stays)
    slopes = (
        digamma(r + x) - digamma(r) + np.log(alpha),
        np.full(len(x), r / alpha),
        both,
        both + digamma(stays) - digamma(b),
    )
    return float(share @ (purchases + stayed)), np.array([share @ slope for slope in slopes])


def _softplus_and_logistic(log_odds: Vector) -> tuple[Vector, Vector]:
    """log(1 + odds) and odds / (1 + odds) from one exponential; half the time of `logaddexp` and `expit`."""
    smaller = np.exp(-np.abs(log_odds))
    softplus = np.log1p(smaller) + np.maximum(log_odds, 0.0)
    return softplus, np.where(log_odds > 0, 1.0, smaller) / (1.0 + smaller)
