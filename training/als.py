"""Item factors: `implicit`'s alternating least squares, and nothing of its serving side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from threadpoolctl import threadpool_limits

from recsvc.domain.arrays import Factors, Vector
from training.config_recipe import AlsConfig


def fit_item_factors(
    user_items: sp.csr_matrix, config: AlsConfig, threads: int, progress: Callable[[float], None]
) -> Factors:
    """Fit item factors; shape (n_catalogue, n_factors), float32.

    Parameters
    ----------
    user_items : shape (n_customers, n_catalogue), float32
        Decayed counts of order-days; alpha is applied here, in `implicit`'s convention C = alpha x count.
    threads
        For `implicit`; BLAS is held to one thread, the two fight otherwise.
    progress
        Called with the share of iterations done, in (0, 1].

    References
    ----------
    Hu, Koren & Volinsky (2008), Collaborative Filtering for Implicit Feedback Datasets
    """
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=config.factors,
            regularization=config.regularization,
            alpha=config.alpha,
            iterations=config.iterations,
            random_state=config.random_state,
            num_threads=threads,
        )
        model.fit(
            user_items,
            show_progress=False,
            callback=lambda iteration, *_: progress((iteration + 1) / config.iterations),
        )
    factors: Factors = np.ascontiguousarray(model.item_factors, np.float32)
    return factors


def gram_matrix(factors: Factors) -> Vector:
    """Y^T Y in float64; shape (n_factors, n_factors)."""
    exact = factors.astype(np.float64)
    with threadpool_limits(1, "blas"):
        return exact.T @ exact
