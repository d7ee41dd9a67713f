"""Whom to win back first: the orderings that compete, as scores of which the highest comes first."""

from __future__ import annotations

import numpy as np

from recsvc.domain.arrays import AnyArray, Counts, Vector
from recsvc.domain.return_model import BTYD, LEARNED, PAST_SPEND, RANK_AVERAGE

QUINTILES = 5


def candidate_scores(past_spend: Vector, btyd: Vector, learned: Vector | None) -> dict[str, Vector]:
    """Scores of the orderings that may be shipped, by name.

    Parameters
    ----------
    past_spend, btyd : shape (n_customers,), currency units
        So far, and expected over the horizon by BTYD x Gamma-Gamma.
    learned : shape (n_customers,), currency units
        P(return) x value by the return model; None where there is none.
    """
    scores = {PAST_SPEND: past_spend, BTYD: btyd} | ({} if learned is None else {LEARNED: learned})
    return {**scores, RANK_AVERAGE: np.mean([mid_ranks(score) for score in scores.values()], axis=0)}


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
