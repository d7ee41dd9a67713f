"""What customers will order: the questions put to a transaction model, whichever of the three was fitted.

MBG/NBD, BG/NBD and Pareto/NBD share one story (orders at a gamma-distributed rate until an unobserved
departure) and differ in when a customer can leave. Each answers for customers who are still active; whether
they are, and what follows from it, is put together here. Time may be in any unit as long as it is the one of
`alpha`: days in this project, weeks in the published tables.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Protocol

import numpy as np

from recsvc.domain.arrays import Counts, Vector
from recsvc.domain.distinct import once_per_pair
from recsvc.errors import DataError


class TransactionModel(Protocol):
    """Fitted parameters of one model; arrays have shape (n_customers,), arguments are those of the functions below."""

    NAME: ClassVar[str]

    @property
    def r(self) -> float:
        """Shape of the purchase rates, gamma over customers."""

    @property
    def alpha(self) -> float:
        """Their rate parameter, in the unit of time."""

    def to_json(self) -> dict[str, float]:
        """Plain numbers by name."""

    def alive(self, frequency: Vector, recency: Vector, T: Vector) -> Vector:
        """Probability to be active at the end of observation."""

    def purchases_if_alive(self, horizon: float, frequency: Vector, T: Vector) -> Vector:
        """Orders expected within the horizon of somebody active at its beginning."""

    def purchase_if_alive(self, horizon: float, frequency: Vector, T: Vector) -> Vector:
        """Probability that somebody active at its beginning places an order within the horizon."""

    def count_if_alive(self, count: Counts, horizon: float, frequency: Vector, T: Vector) -> Vector:
        """Probability that somebody active at its beginning places exactly `count` orders within the horizon."""


def probability_alive(params: TransactionModel, frequency: Vector, recency: Vector, T: Vector) -> Vector:
    """Probability that each customer is still active at the end of observation.

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

    Raises
    ------
    DataError
        If any `recency > T`, anything is negative, or lengths differ.

    Examples
    --------
    >>> from recsvc.domain.bg_nbd import BgNbdParams
    >>> from recsvc.domain.mbg_nbd import MbgNbdParams
    >>> x, t_x, T = np.array([2.0, 0.0]), np.array([30.43, 0.0]), np.array([38.86, 38.86])
    >>> probability_alive(MbgNbdParams(r=0.525, alpha=6.183, a=0.891, b=1.614), x, t_x, T).round(3)
    array([0.706, 0.39 ])
    >>> probability_alive(BgNbdParams(r=0.243, alpha=4.414, a=0.793, b=2.426), x, t_x, T).round(3)
    array([0.727, 1.   ])
    """
    _validate(frequency, recency, T)
    return params.alive(frequency, recency, T)


def expected_purchases(
    params: TransactionModel, horizon: float, frequency: Vector, recency: Vector, T: Vector
) -> Vector:
    """Orders each customer is expected to place within the horizon.

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

    Examples
    --------
    >>> from recsvc.domain.bg_nbd import BgNbdParams
    >>> cdnow = BgNbdParams(r=0.243, alpha=4.414, a=0.793, b=2.426)  # fitted in weeks
    >>> expected_purchases(cdnow, 39.0, np.array([2.0]), np.array([30.43]), np.array([38.86])).round(3)
    array([1.226])
    """

    def if_alive(x: Vector, age: Vector) -> Vector:
        without_leaving = (params.r + x) / (params.alpha + age) * horizon
        purchases = params.purchases_if_alive(horizon, x, age)
        # both bounds are true of the formulas; rounding may break them
        return np.clip(purchases, params.purchase_if_alive(horizon, x, age), without_leaving)

    _validate_horizon(horizon)
    return probability_alive(params, frequency, recency, T) * once_per_pair(if_alive, frequency, T)


def probability_of_purchase(
    params: TransactionModel, horizon: float, frequency: Vector, recency: Vector, T: Vector
) -> Vector:
    """Probability that each customer places at least one order within the horizon; exact.

    What it takes and raises is that of `expected_purchases`.

    Returns
    -------
    shape (n_customers,), probability in [0, 1]
    """
    _validate_horizon(horizon)
    alive = probability_alive(params, frequency, recency, T)
    return alive * once_per_pair(partial(params.purchase_if_alive, horizon), frequency, T)


def probability_of_count(
    params: TransactionModel, count: Counts, horizon: float, frequency: Vector, recency: Vector, T: Vector
) -> Vector:
    """Probability that each customer places exactly so many orders within the horizon: what models compete on.

    Parameters
    ----------
    count : shape (n_customers,), orders
    params, horizon, frequency, recency, T
        As in `expected_purchases`, and so is what it raises.

    Returns
    -------
    shape (n_customers,), probability in [0, 1]
    """
    _validate_horizon(horizon)
    alive = probability_alive(params, frequency, recency, T)
    active = alive * params.count_if_alive(count, horizon, frequency, T)
    return active + np.where(count == 0, 1.0 - alive, 0.0)


def _validate_horizon(horizon: float) -> None:
    if not (np.isfinite(horizon) and horizon >= 0):
        raise DataError("horizon", f"must be finite and 0 or more, not {horizon}")


def _validate(frequency: Vector, recency: Vector, T: Vector) -> None:
    if not frequency.shape == recency.shape == T.shape:
        raise DataError("frequency, recency, T", "lengths differ")
    if not np.all((frequency >= 0) & (recency >= 0) & (recency <= T)):
        raise DataError("frequency, recency, T", "must satisfy 0 <= frequency and 0 <= recency <= T")
