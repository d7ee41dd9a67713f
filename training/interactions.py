"""The customer x item matrix that ALS is fitted on: the confidences of fold-in, rows weighted by who must come back."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from recsvc.domain.arrays import Mask
from recsvc.domain.fold_in import FoldInParams
from recsvc.domain.history import Histories
from recsvc.domain.item_history import item_histories


def user_items(histories: Histories, as_of_day: int, n_catalogue: int, params: FoldInParams) -> sp.csr_matrix:
    """Decayed, capped order-days; shape (n_customers, n_catalogue), float32. Alpha is left to the fit."""
    clock = np.full(len(histories), as_of_day, np.int32)
    own = item_histories(histories, clock, params.half_life_days)
    inside = own.item < n_catalogue
    counts = np.minimum(own.decayed_order_days[inside], params.max_count).astype(np.float32)
    shape = (len(histories), n_catalogue)
    return sp.csr_matrix((counts, (own.customer[inside], own.item[inside])), shape=shape)


def weighted(matrix: sp.csr_matrix, to_win_back: Mask, weight: float) -> sp.csr_matrix:
    """Multiply the rows of customers to win back by `weight`; it shapes item factors only, never fold-in."""
    row_weight = np.where(to_win_back, np.float32(weight), np.float32(1))
    matrix.data *= np.repeat(row_weight, np.diff(matrix.indptr))
    return matrix
