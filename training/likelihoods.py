"""Log-likelihoods of the value models and the personal clock, with gradients, on distinct observations.

Customers who share an observation count once, with a weight; special functions are evaluated per distinct
count only. That is what makes a million customers a matter of a second. All return the mean per customer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

from recsvc.domain.arrays import AnyArray, Counts, Vector


@dataclass(frozen=True, slots=True)
class Distinct:
    """Distinct observations: a whole number first, real numbers after it.

    Attributes
    ----------
    counts : shape (n_levels,), distinct values of the first column, rising
    level : shape (n_distinct,), position in `counts`
    columns : each of shape (n_distinct,), the other columns
    weight : shape (n_distinct,), share of customers with this observation, sums to 1
    """

    counts: Vector
    level: Counts
    columns: tuple[Vector, ...]
    weight: Vector

    def __len__(self) -> int:
        return len(self.weight)

    def by_level(self, values: Vector) -> Vector:
        """Add up weighted values per distinct count; shape (n_levels,)."""
        return np.bincount(self.level, self.weight * values, len(self.counts)).astype(np.float64)


def distinct(count: Vector, *columns: Vector) -> Distinct:
    """Find the distinct observations and their shares of customers.

    Examples
    --------
    >>> found = distinct(np.array([2.0, 0.0, 2.0]), np.array([9.0, 0.0, 9.0]))
    >>> found.counts, found.columns[0], found.weight.round(2)
    (array([0., 2.]), array([0., 9.]), array([0.33, 0.67]))
    """
    order = np.lexsort((*columns[::-1], count))
    ranked = [column[order] for column in (count, *columns)]
    starts = np.flatnonzero(_differs_from_previous(ranked))
    weight = np.diff(np.append(starts, len(count))) / len(count)
    counts, level = np.unique(ranked[0][starts], return_inverse=True)
    return Distinct(counts, level, tuple(column[starts] for column in ranked[1:]), weight)


def every(data: Distinct, step: int) -> Distinct:
    """Keep every `step`-th distinct observation; a sample that needs no randomness."""
    weight = data.weight[::step]
    columns = tuple(column[::step] for column in data.columns)
    return Distinct(data.counts, data.level[::step], columns, weight / weight.sum())


def mbg_nbd(params: Vector, data: Distinct) -> tuple[float, Vector]:
    r"""MBG/NBD at :math:`(r, \alpha, a, b)`, on (frequency; recency, T).

    .. math:: L = \tfrac{\Gamma(r+x)\alpha^r}{\Gamma(r)} \tfrac{B(a,b+x+1)}{B(a,b)}
        [(\alpha+T)^{-(r+x)} + \tfrac{a}{b+x} (\alpha+t_x)^{-(r+x)}]

    References
    ----------
    Batislam, Denizel & Filiztekin (2007), International Journal of Research in Marketing 24(3)
    """
    r, alpha, a, b = params
    purchases, (recency, age) = r + data.counts[data.level], data.columns
    recency, age = alpha + recency, alpha + age
    log_age = np.log(age)
    silence = log_age - np.log(recency)
    softplus, p_gone = _softplus_and_logistic(purchases * silence + np.log(a / (b + data.counts))[data.level])
    constant, slope = _mbg_nbd_by_level(params, data)
    gone = data.weight * p_gone
    d_r = gone @ silence - data.weight @ log_age
    d_alpha = (gone * purchases) @ (1.0 / age - 1.0 / recency) - (data.weight * purchases) @ (1.0 / age)
    gone_by_level = np.bincount(data.level, gone, len(data.counts))
    d_a, d_b = gone_by_level.sum() / a, -(gone_by_level @ (1.0 / (b + data.counts)))
    value = constant + data.weight @ (softplus - purchases * log_age)
    return float(value), slope + np.array([d_r, d_alpha, d_a, d_b])


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


def _mbg_nbd_by_level(params: Vector, data: Distinct) -> tuple[float, Vector]:
    """Part of the likelihood, and of its gradient, that depends on the frequency alone."""
    r, alpha, a, b = params
    x, share = data.counts, data.by_level(np.ones(len(data)))
    purchases = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    stayed = gammaln(a + b) + gammaln(b + x + 1.0) - gammaln(b) - gammaln(a + b + x + 1.0)
    both = digamma(a + b) - digamma(a + b + x + 1.0)
    slopes = (
        digamma(r + x) - digamma(r) + np.log(alpha),
        np.full(len(x), r / alpha),
        both,
        both + digamma(b + x + 1.0) - digamma(b),
    )
    return float(share @ (purchases + stayed)), np.array([share @ slope for slope in slopes])


def _softplus_and_logistic(log_odds: Vector) -> tuple[Vector, Vector]:
    """log(1 + odds) and odds / (1 + odds) from one exponential; half the time of `logaddexp` and `expit`."""
    smaller = np.exp(-np.abs(log_odds))
    softplus = np.log1p(smaller) + np.maximum(log_odds, 0.0)
    return softplus, np.where(log_odds > 0, 1.0, smaller) / (1.0 + smaller)


def _differs_from_previous(columns: list[Vector]) -> AnyArray:
    first = np.ones(len(columns[0]), bool)
    first[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return first
