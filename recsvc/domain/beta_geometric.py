r"""What BG/NBD and MBG/NBD share: orders of an active customer who leaves, if at all, right after an order.

Given that they are active, the customer's rate is :math:`\lambda \sim \mathrm{Gamma}(R, A)` with
:math:`R = r + x` orders seen and :math:`A = \alpha + T` of exposure, and the probability to leave after an
order is :math:`p \sim \mathrm{Beta}(a, S)`, where :math:`S` counts `b` and the times they stayed. The two
models differ in :math:`S` alone.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, betaln, gammaln, hyp2f1, xlogy

from recsvc.domain.arrays import Counts, Vector

NEAR = 1e-6  # how close to a removable singularity the formula is evaluated; rounding there is below 1e-7
VANISHES = 600.0  # exp(-600) times anything finite the formula multiplies it with is 0


def purchases(horizon: float, orders: Vector, exposure: Vector, a: float, stays: Vector) -> Vector:
    r"""Orders expected within the horizon.

    With :math:`\tau = t/A`, :math:`c = a+S-1` and :math:`\epsilon = a-1`:

    .. math:: E[\tfrac{1-(1+p\tau)^{-R}}{p}] = \tfrac{c}{\epsilon}[1 - {}_2F_1(R, \epsilon; c; -\tau)]

    and where :math:`c < 1` (it may be negative there), by the derivative's contiguous relation:

    .. math:: \tfrac{c}{\epsilon}[1 - {}_2F_1(R, \epsilon; c+1; -\tau)] + \tfrac{\tau R}{c+1}
        {}_2F_1(R+1, a; c+2; -\tau)

    Parameters
    ----------
    horizon : days, 0 or more
    orders, exposure : shape (n,), :math:`R` and :math:`A`, above 0
    a, stays
        Shapes of the probability to leave; `stays` has shape (n,).

    References
    ----------
    Fader, Hardie & Lee (2005), equation 10; Abramowitz & Stegun (1964), 15.2.3
    """
    later = np.log1p(horizon / exposure)
    epsilon = _away_from_singularities(a - 1.0, orders)
    c = epsilon + stays
    low = c < 1.0
    expected = c / epsilon * (1.0 - _hypergeometric(orders, epsilon, np.where(low, c + 1.0, c), later))
    if np.any(low):
        rest = _hypergeometric(orders[low] + 1.0, epsilon[low] + 1.0, c[low] + 2.0, later[low])
        expected[low] += horizon / exposure[low] * orders[low] / (c[low] + 1.0) * rest
    return np.asarray(expected, np.float64)


def purchase(horizon: float, orders: Vector, exposure: Vector) -> Vector:
    r"""Probability of an order within the horizon: nobody leaves before it.

    .. math:: 1-(\tfrac{A}{A+t})^R
    """
    return -np.expm1(-orders * np.log1p(horizon / exposure))


def count_probability(
    count: Counts, horizon: float, orders: Vector, exposure: Vector, a: float, stays: Vector
) -> Vector:
    r"""Probability of exactly :math:`n` orders within the horizon: `n` and no departure, or departure after the n-th.

    .. math:: \tfrac{B(a,S+n)}{B(a,S)} P(N_\lambda = n) + \tfrac{B(a+1,S+n-1)}{B(a,S)} P(N_\lambda \ge n)
        \quad (\text{the second for } n > 0)

    where :math:`N_\lambda` is the negative binomial count of a customer who cannot leave.

    References
    ----------
    Fader, Hardie & Lee (2005), equation 8, given what was observed
    """
    z = horizon / (exposure + horizon)
    log_count = gammaln(orders + count) - gammaln(orders) - gammaln(count + 1.0) + xlogy(count, z)
    exactly = np.exp(log_count - orders * np.log1p(horizon / exposure))
    whole = betaln(a, stays)
    stayed = np.exp(betaln(a, stays + count) - whole) * exactly
    some = np.maximum(count, 1)
    left = np.exp(betaln(a + 1.0, stays + some - 1.0) - whole) * betainc(some, orders, z)
    return np.asarray(stayed + np.where(count > 0, left, 0.0), np.float64)


def _hypergeometric(first: Vector, second: Vector, c: Vector, later: Vector) -> Vector:
    r""":math:`_2F_1` at :math:`1 - e^{later}`, by the transformation of Euler or Pfaff that cannot overflow."""
    power = later * np.minimum(second, first)
    z = np.where(power < VANISHES, -np.expm1(-later), 0.0)
    euler = first >= second
    value = hyp2f1(np.where(euler, c - first, first), np.where(euler, second, c - second), c, z)
    return np.asarray(np.exp(-power) * value, np.float64)


def _away_from_singularities(epsilon: float, orders: Vector) -> Vector:
    """Move epsilon off 0, where the formula is 0/0, and off `orders` + integers, where `hyp2f1` may return nan."""
    if abs(epsilon) < NEAR:
        epsilon = NEAR
    distance = orders - epsilon
    return np.where(np.abs(distance - np.rint(distance)) < NEAR, epsilon + 2.0 * NEAR, epsilon)
