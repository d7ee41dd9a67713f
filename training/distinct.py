"""Distinct observations with their shares of customers: what every likelihood here is evaluated on.

Customers who share an observation count once, with a weight. Finding them is what a fit of a million customers
spends most of its time on, so whole numbers are packed into one integer key and only that is sorted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import AnyArray, Counts, Vector

LARGEST_KEY = 2.0**62
LARGEST_SHORT_KEY = 2.0**32  # half the width sorts in half the time


@dataclass(frozen=True, slots=True)
class Distinct:
    """Distinct observations: a whole number first, real numbers after it.

    Attributes
    ----------
    counts : shape (n_levels,), distinct values of the first column, rising
    level : shape (n_distinct,), position in `counts`
    columns : each of shape (n_distinct,), the other columns
    weight : shape (n_distinct,), share of customers with this observation, sums to 1
    """

    counts: Vector
    level: Counts
    columns: tuple[Vector, ...]
    weight: Vector

    def __len__(self) -> int:
        return len(self.weight)

    def by_level(self, values: Vector) -> Vector:
        """Add up weighted values per distinct count; shape (n_levels,)."""
        return np.bincount(self.level, self.weight * values, len(self.counts)).astype(np.float64)

    def scaled(self, scale: float) -> Distinct:
        """The same with all columns but the first in another unit."""
        return Distinct(self.counts, self.level, tuple(column / scale for column in self.columns), self.weight)


def distinct(count: Vector, *columns: Vector) -> Distinct:
    """Find the distinct observations and their shares of customers.

    Examples
    --------
    >>> found = distinct(np.array([2.0, 0.0, 2.0]), np.array([9.0, 0.0, 9.0]))
    >>> found.counts, found.columns[0], found.weight.round(2)
    (array([0., 2.]), array([0., 9.]), array([0.33, 0.67]))
    """
    widths = [float(column.max()) + 1.0 for column in (count, *columns)] if len(count) else []
    if widths and np.prod(widths) < LARGEST_KEY and all(map(_is_whole, (count, *columns))):
        found, times = _distinct_keys((count, *columns), widths)
    else:
        found, times = _distinct_rows((count, *columns))
    counts, level = _levels(found[0])
    return Distinct(counts, level, tuple(found[1:]), times / len(count))


def every(data: Distinct, step: int) -> Distinct:
    """Keep every `step`-th distinct observation; a sample that needs no randomness."""
    weight = data.weight[::step]
    columns = tuple(column[::step] for column in data.columns)
    return Distinct(data.counts, data.level[::step], columns, weight / weight.sum())


def _distinct_keys(columns: tuple[Vector, ...], widths: list[float]) -> tuple[list[Vector], Counts]:
    """Pack rows of whole numbers into integers, sort those, and unpack one of each."""
    short = np.prod(widths) < LARGEST_SHORT_KEY
    key: AnyArray = columns[0].astype(np.uint32 if short else np.int64)
    for column, width in zip(columns[1:], widths[1:], strict=True):
        key = key * key.dtype.type(width) + column.astype(key.dtype)
    key.sort()
    starts = np.flatnonzero(_differs_from_previous([key]))
    rest, found = key[starts].astype(np.int64), []
    for width in reversed(widths[1:]):
        rest, remainder = np.divmod(rest, int(width))
        found.append(remainder.astype(np.float64))
    return [rest.astype(np.float64), *reversed(found)], np.diff(np.append(starts, len(key)))


def _distinct_rows(columns: tuple[Vector, ...]) -> tuple[list[Vector], Counts]:
    order = np.lexsort(columns[::-1])
    ranked = [column[order] for column in columns]
    starts = np.flatnonzero(_differs_from_previous(ranked))
    return [column[starts] for column in ranked], np.diff(np.append(starts, len(order)))


def _levels(count: Vector) -> tuple[Vector, Counts]:
    """Distinct values of a sorted column, and which of them each entry is."""
    begins = _differs_from_previous([count])
    return count[begins], np.cumsum(begins) - 1


def _is_whole(column: Vector) -> bool:
    return bool(np.all(column == np.rint(column)) and column.min(initial=0.0) >= 0.0)


def _differs_from_previous(columns: list[AnyArray]) -> AnyArray:
    differs = np.zeros(len(columns[0]), bool)
    differs[:1] = True
    for column in columns:
        differs[1:] |= column[1:] != column[:-1]
    return differs
