"""Whom to win back first: scores of which the highest comes first."""

from __future__ import annotations

import numpy as np

from recsvc.domain.arrays import AnyArray, Counts, Vector

QUINTILES = 5


def rfm_score(silence_days: Vector, orders: Vector, spend: Vector) -> Vector:
    """Sum of the quintiles of recency, frequency and money; shape (n_customers,), 3 to 15.

    References
    ----------
    Hughes (1994), Strategic Database Marketing
    """
    quintiles = [np.ceil(QUINTILES * mid_ranks(column)) for column in (-silence_days, orders, spend)]
    return np.asarray(np.sum(quintiles, axis=0), np.float64)


def mid_ranks(values: AnyArray) -> Vector:
    """Share of customers below each, those alike counted half; shape (n_customers,), in (0, 1).

    Examples
    --------
    >>> mid_ranks(np.array([10.0, 30.0, 30.0, 70.0]))
    array([0.125, 0.5  , 0.5  , 0.875])
    """
    _, position, count = np.unique(values, return_inverse=True, return_counts=True)
    below = np.cumsum(count) - count
    return np.asarray((below + count / 2)[position] / len(values), np.float64)


def ranked(score: Vector, customer_ids: list[str]) -> Counts:
    """Positions from the highest score to the lowest; ties by id."""
    by_id = np.empty(len(customer_ids), np.int64)
    by_id[sorted(range(len(customer_ids)), key=customer_ids.__getitem__)] = np.arange(len(customer_ids))
    return np.lexsort((by_id, -score))
