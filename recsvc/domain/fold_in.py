"""A customer's taste vector, from history: the user half-step of ALS.

The only place a customer vector is ever computed: the back-test, batch output and live requests all come here, so a
purchase made a minute ago counts and nothing differs between training and serving.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Factors, Rows, Vector
from recsvc.domain.item_history import ItemHistories


@dataclass(frozen=True, slots=True)
class FoldInParams:
    """How counts become confidence, and how strongly vectors are pulled to zero.

    Attributes
    ----------
    alpha : above 0
        Confidence per (decayed, capped) order-day; `implicit`'s convention, C = alpha x count.
    regularization : at least 0
    half_life_days : above 0
    max_count : above 0
        Cap on the decayed count of one item.
    """

    alpha: float
    regularization: float
    half_life_days: float
    max_count: float


def fold_in(gram: Vector, factors: Factors, rows: Rows, confidence: Vector, regularization: float) -> Factors:
    r"""Taste vector of one customer: the exact minimiser of the ALS loss with item factors held fixed.

    .. math:: x_u = (Y^T Y + Y_u^T (C_u - I) Y_u + \lambda I)^{-1} Y_u^T C_u p_u, \quad p_u = 1

    Parameters
    ----------
    gram : shape (n_factors, n_factors)
        :math:`Y^T Y` over the whole catalogue.
    factors : shape (n_catalogue, n_factors)
        Item factors :math:`Y`.
    rows : shape (n_bought,), item row below n_catalogue
        What the customer bought; none gives the zero vector.
    confidence : shape (n_bought,), above 0
        :math:`C_u = \alpha \times` count.
    regularization : at least 0

    Returns
    -------
    shape (n_factors,), float32

    References
    ----------
    Hu, Koren & Volinsky (2008), Collaborative Filtering for Implicit Feedback Datasets, equation 4.

    Examples
    --------
    One item with factor 1 and confidence 3, no pull: the customer's affinity to it is 1.

    >>> one = np.ones((1, 1), np.float32)
    >>> fold_in(one.astype(float), one, np.array([0]), np.array([3.0]), 0.0)
    array([1.], dtype=float32)
    """
    if not len(rows):
        return np.zeros(factors.shape[1], np.float32)
    bought = factors[rows].astype(np.float64)
    system = gram + (bought.T * (confidence - 1.0)) @ bought
    system[np.diag_indices_from(system)] += regularization
    return np.linalg.solve(system, confidence @ bought).astype(np.float32)


def confidence(decayed_order_days: Vector, params: FoldInParams) -> Vector:
    """Confidence of decayed counts: capped, times alpha. Training weighs rows by this very function."""
    return np.minimum(decayed_order_days, params.max_count) * params.alpha


def fold_in_many(gram: Vector, factors: Factors, own: ItemHistories, params: FoldInParams) -> Factors:
    """Taste vectors of a batch, each computed on its own; shape (n_customers, n_factors).

    Items outside the catalogue have no factors and say nothing.
    """
    weights = confidence(own.decayed_order_days, params)
    vectors = np.zeros((len(own.offsets) - 1, factors.shape[1]), np.float32)
    for customer, (start, end) in enumerate(zip(own.offsets[:-1], own.offsets[1:], strict=True)):
        rows = own.item[start:end]
        known = rows < len(factors)
        vectors[customer] = fold_in(gram, factors, rows[known], weights[start:end][known], params.regularization)
    return vectors
