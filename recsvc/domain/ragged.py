"""Ragged columns: rows of many customers one behind the other, and offsets that say where each customer's begin.

Customer `c` owns the rows `offsets[c]:offsets[c + 1]`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsvc.domain.arrays import AnyArray, Counts, Days, Mask, Offsets


def offsets_of(lengths: Sequence[AnyArray]) -> Offsets:
    """Offsets from the number of rows of each customer, given in parts."""
    return np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64)


def rows_of(offsets: Offsets, positions: Counts) -> tuple[Counts, Offsets]:
    """Rows of some customers in the order asked for, and their offsets.

    Examples
    --------
    >>> rows_of(np.array([0, 2, 5]), np.array([1, 0]))
    (array([2, 3, 4, 0, 1]), array([0, 3, 5]))
    """
    lengths = np.diff(offsets)[positions]
    taken = offsets_of([lengths])
    within = np.arange(taken[-1]) - np.repeat(taken[:-1], lengths)
    return np.repeat(offsets[:-1][positions], lengths) + within, taken


def rows_before(days: Days, offsets: Offsets, day: int) -> tuple[Mask, Offsets]:
    """Which rows lie before a day, and where each customer's then begin."""
    kept = days < day
    return kept, np.concatenate([[0], np.cumsum(kept)])[offsets].astype(np.int64)


def owner_of(offsets: Offsets) -> Counts:
    """Position of each row's customer; shape (n_rows,)."""
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
