r"""MBG/NBD: how often a customer buys while active, and whether they still are.

While active, a customer buys as a Poisson process of rate :math:`\lambda \sim \mathrm{Gamma}(r, \alpha)`;
after every order, the first included, they leave for good with probability :math:`p \sim \mathrm{Beta}(a,
b)`. Only the formulas live here; `training` fits the four numbers. Time may be in any unit as long as it
is the one of `alpha`: days in this project, weeks in the published tables.

References
----------
Batislam, Denizel & Filiztekin (2007), International Journal of Research in Marketing 24(3)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import expit, hyp2f1

from recsvc.domain.arrays import Vector
from recsvc.domain.parameters import read_numbers, validate_positive
from recsvc.errors import DataError

NEAR = 1e-6  # how close to a removable singularity the formula is evaluated; rounding there is below 1e-7

VANISHES = 600.0  # exp(-600) times anything finite the formula multiplies it with is 0


@dataclass(frozen=True, slots=True)
class MbgNbdParams:
    """Fitted parameters, all above 0.

    Attributes
    ----------
    r, alpha
        Shape and rate of the purchase rates; `alpha` is in the unit of time (days).
    a, b
        Shapes of the probability to leave after an order.
    """

    r: float
    alpha: float
    a: float
    b: float

    def __post_init__(self) -> None:
        validate_positive("MBG/NBD", asdict(self))

    def to_json(self) -> dict[str, float]:
        """Plain numbers by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> MbgNbdParams:  # Any: read from JSON
        """Inverse of `to_json`."""
        return cls(**read_numbers("MBG/NBD", values, cls.__slots__))


def probability_alive(params: MbgNbdParams, frequency: Vector, recency: Vector, T: Vector) -> Vector:
    r"""Probability that each customer is still active at the end of observation.

    .. math:: P = [1 + \tfrac{a}{b+x} (\tfrac{\alpha+T}{\alpha+t_x})^{r+x}]^{-1}

    Parameters
    ----------
    params
        Fitted parameters; `alpha` is in the same time unit as `recency`.
    frequency : shape (n_customers,), count
        Orders after the first one (:math:`x`).
    recency : shape (n_customers,), days
        Age at the last order (:math:`t_x`), *not* days since it.
    T : shape (n_customers,), days
        Age at the end of observation; never less than `recency`.

    Returns
    -------
    shape (n_customers,), probability in [0, 1]
        Below 1 for one-time buyers too, because they may leave after their first order.

    Raises
    ------
    DataError
        If any `recency > T`, anything is negative, or lengths differ.

    References
    ----------
    Batislam, Denizel & Filiztekin (2007)

    Examples
    --------
    >>> cdnow = MbgNbdParams(r=0.525, alpha=6.183, a=0.891, b=1.614)  # fitted in weeks
    >>> x, t_x, T = np.array([2.0, 0.0]), np.array([30.43, 0.0]), np.array([38.86, 38.86])
    >>> probability_alive(cdnow, x, t_x, T).round(3)
    array([0.706, 0.39 ])
    """
    _validate(frequency, recency, T)
    silence = np.log1p((T - recency) / (params.alpha + recency))
    log_odds_gone = np.log(params.a) - np.log(params.b + frequency) + (params.r + frequency) * silence
    return np.asarray(expit(-log_odds_gone), np.float64)


def expected_purchases(params: MbgNbdParams, horizon: float, frequency: Vector, recency: Vector, T: Vector) -> Vector:
    r"""Orders each customer is expected to place within the horizon.

    With :math:`z = t/(\alpha+T+t)` and :math:`\epsilon = a-1`, by Euler's transformation of the published
    formula (whose own factors overflow and cancel for frequent customers; it is used as published only where
    :math:`r + x < a - 1`, where the transformed one would):

    .. math:: P(alive)\,\tfrac{a+b+x}{\epsilon}[1-(1-z)^{\epsilon}\,_2F_1(a+b-r, \epsilon; a+b+x; z)]

    Parameters
    ----------
    params, frequency, recency, T
        As in `probability_alive`.
    horizon : days, 0 or more
        Length of the time to come, :math:`t`.

    Returns
    -------
    shape (n_customers,), orders, 0 or more
        Never below the probability to place one, nor above what a customer who cannot leave would place.

    Raises
    ------
    DataError
        If the horizon is negative, or as in `probability_alive`.

    References
    ----------
    Batislam, Denizel & Filiztekin (2007); Abramowitz & Stegun (1964), 15.3.3

    Examples
    --------
    >>> cdnow = MbgNbdParams(r=0.525, alpha=6.183, a=0.891, b=1.614)  # fitted in weeks
    >>> expected_purchases(cdnow, 39.0, np.array([2.0]), np.array([30.43]), np.array([38.86])).round(3)
    array([1.263])
    """
    alive = probability_alive(params, frequency, recency, T)
    return alive * _purchases_if_alive(params, _validated_horizon(horizon), frequency, T)


def probability_of_purchase(
    params: MbgNbdParams, horizon: float, frequency: Vector, recency: Vector, T: Vector
) -> Vector:
    r"""Probability that each customer places at least one order within the horizon.

    Exact: a customer alive at the end of observation cannot leave before their next order, so

    .. math:: P(alive)\,[1-(\tfrac{\alpha+T}{\alpha+T+t})^{r+x}]

    Parameters
    ----------
    params, horizon, frequency, recency, T
        As in `expected_purchases`.

    Returns
    -------
    shape (n_customers,), probability in [0, 1]

    Raises
    ------
    DataError
        As in `expected_purchases`.
    """
    alive = probability_alive(params, frequency, recency, T)
    return alive * _purchase_if_alive(params, _validated_horizon(horizon), frequency, T)


def _purchase_if_alive(params: MbgNbdParams, horizon: float, frequency: Vector, T: Vector) -> Vector:
    return -np.expm1(-(params.r + frequency) * np.log1p(horizon / (params.alpha + T)))


def _purchases_if_alive(params: MbgNbdParams, horizon: float, frequency: Vector, T: Vector) -> Vector:
    epsilon = _away_from_singularities(params.a - 1.0, params.r)
    a, b, orders = 1.0 + epsilon, params.b, params.r + frequency
    later = np.log1p(horizon / (params.alpha + T))
    power = later * np.minimum(epsilon, orders)
    z = np.where(power < VANISHES, -np.expm1(-later), 0.0)
    transformed = orders >= epsilon
    first = np.where(transformed, a + b - params.r, orders)
    second = np.where(transformed, epsilon, b + frequency + 1.0)
    ratio = np.exp(-power) * hyp2f1(first, second, a + b + frequency, z)
    purchases: Vector = (a + b + frequency) / epsilon * (1.0 - ratio)
    at_least_one = _purchase_if_alive(params, horizon, frequency, T)
    without_leaving = orders / (params.alpha + T) * horizon
    return np.clip(purchases, at_least_one, without_leaving)  # true of the formula; rounding may break it


def _away_from_singularities(epsilon: float, r: float) -> float:
    """Move epsilon off 0, where the formula is 0/0, and off r + integers, where `hyp2f1` may return nan."""
    if abs(epsilon) < NEAR:
        epsilon = NEAR
    distance = r - epsilon
    return epsilon + 2.0 * NEAR if abs(distance - round(distance)) < NEAR else epsilon


def _validated_horizon(horizon: float) -> float:
    if not (np.isfinite(horizon) and horizon >= 0):
        raise DataError("horizon", f"must be finite and 0 or more, not {horizon}")
    return horizon


def _validate(frequency: Vector, recency: Vector, T: Vector) -> None:
    if not frequency.shape == recency.shape == T.shape:
        raise DataError("frequency, recency, T", "lengths differ")
    if not np.all((frequency >= 0) & (recency >= 0) & (recency <= T)):
        raise DataError("frequency, recency, T", "must satisfy 0 <= frequency and 0 <= recency <= T")
