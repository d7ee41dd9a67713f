r"""The integral Pareto/NBD is made of, for many customers at once, in logarithms.

.. math:: \int_{start}^{end} (\alpha+u)^{-p} (\beta+u)^{-q} \, du

It is published as a difference of two hypergeometric functions, which cancel where the two ends are close
and overflow for frequent customers. Instead, a power law :math:`(\gamma+u)^{-N}` that follows the integrand at
`start` to second order is integrated exactly, and what it leaves, a smooth ratio in (0, 1], by 16 nodes
crowded towards `end`. Its logarithm is right to 1e-10 for what fits usually meet, to 1e-5 at their bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import exprel

from recsvc.domain.arrays import Vector

N_NODES = 16
CROWDING = 3  # power by which nodes crowd towards the end, where the ratio falls off fastest
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ParetoIntegral:
    """The integral of each customer, and where its mass lies.

    Attributes
    ----------
    log_value : shape (n,)
    at : shape (n, N_NODES), where the integrand was evaluated
    share : shape (n, N_NODES), part of the integral found there; rows sum to 1
    """

    log_value: Vector
    at: Matrix
    share: Matrix


def pareto_integral(
    alpha: float, beta: float, p: Vector, q: Vector | float, ends: tuple[Vector, Vector]
) -> ParetoIntegral:
    """Integrate from start to end; 0, as a logarithm, where they are the same.

    Parameters
    ----------
    alpha, beta, p, q
        All above 0, p + q above 1; `p` has shape (n,).
    ends : start and end, each of shape (n,), days
        0 <= start <= end.

    Examples
    --------
    With alpha = beta it is a power of one sum: here the integral of (1 + u)^-3 from 0 to 1, 3/8.

    >>> found = pareto_integral(1.0, 1.0, np.array([1.0]), 2.0, (np.array([0.0]), np.array([1.0])))
    >>> np.exp(found.log_value).round(6)
    array([0.375])
    """
    start, end = ends
    first, second = alpha + start, beta + start
    slope, curvature = p / first + q / second, p / first**2 + q / second**2
    width, excess = slope / curvature, slope**2 / curvature - 1.0
    reach = np.log1p((end - start) / width)
    length = reach * exprel(-excess * reach)
    step = _step(excess, length)
    beyond = width[:, None] * np.expm1(step)
    log_ratio = (excess + 1.0)[:, None] * step - p[:, None] * np.log1p(beyond / first[:, None])
    log_ratio -= np.reshape(q, (-1, 1)) * np.log1p(beyond / second[:, None])
    mass = np.exp(log_ratio) * WEIGHTS
    total = mass.sum(axis=1)
    with np.errstate(divide="ignore"):  # the logarithm of an integral over nothing
        log_value = np.log(width * length * total) - p * np.log(first) - q * np.log(second)
    return ParetoIntegral(log_value, start[:, None] + beyond, mass / total[:, None])


def _step(excess: Vector, length: Vector) -> Matrix:
    """Logarithm of (gamma + u) / (gamma + start) at the nodes, from the share of the power law's integral there."""
    share = length[:, None] * NODES
    scaled = np.minimum(excess[:, None] * share, 1.0 - 1e-16)
    tiny = np.abs(scaled) < 1e-8
    divisor = np.where(tiny, 1.0, excess[:, None])
    return np.where(tiny, share * (1.0 + scaled / 2.0), -np.log1p(-scaled) / divisor)


def _rule() -> tuple[Vector, Vector]:
    points, weights = np.polynomial.legendre.leggauss(N_NODES)
    left = (1.0 - points) / 2.0
    nodes: Any = 1.0 - left**CROWDING
    return nodes, weights / 2.0 * CROWDING * left ** (CROWDING - 1)


NODES, WEIGHTS = _rule()
