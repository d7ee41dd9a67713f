"""Evaluate what is dear once per distinct pair of whole numbers, not once per customer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from recsvc.domain.arrays import Vector

CELLS_PER_CUSTOMER = 2.0  # a table of all pairs larger than this costs more than it saves


def once_per_pair(function: Callable[[Vector, Vector], Vector], first: Vector, second: Vector) -> Vector:
    """Values of an elementwise function at pairs; shape (n,).

    Many customers share a count and an age in whole days; the function then sees each pair once. Where the
    numbers are not whole, or nearly all pairs differ, it sees them as they are.

    Examples
    --------
    >>> once_per_pair(lambda x, t: x / t, np.array([1.0, 2.0, 1.0]), np.array([4.0, 4.0, 4.0]))
    array([0.25, 0.5 , 0.25])
    """
    if not len(first):
        return function(first, second)
    width = second.max() + 1.0
    if (first.max() + 1.0) * width > CELLS_PER_CUSTOMER * len(first) or not (_is_whole(first) and _is_whole(second)):
        return function(first, second)
    key = (first * width + second).astype(np.int64)
    occurs = np.zeros(int(key.max()) + 1, bool)
    occurs[key] = True
    cells = np.flatnonzero(occurs).astype(np.float64)
    values: Vector = np.zeros(len(occurs))
    values[occurs] = function(cells // width, cells % width)
    by_customer: Vector = values[key]
    return by_customer


def _is_whole(values: Vector) -> bool:
    return bool(np.all(values == np.rint(values)))
