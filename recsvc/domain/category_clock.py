"""A personal clock per category: what a customer used to buy regularly and has let lapse.

Somebody may order as ever and yet have stopped buying coffee here. The gaps between a customer's order-days that
contain a category are judged by the gamma-gamma model of `lapse`, fitted to that category, so what is bought weekly and
what is bought yearly each have their own rhythm. Categories with too little data to fit have no clock and are never
told of. Nothing is fitted here, and nothing is worded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recsvc.domain.arrays import Counts, Days, Mask, Rows, Vector
from recsvc.domain.history import Histories
from recsvc.domain.lapse import LapseParams, LapseThresholds, next_gap_quantiles, share_of_gaps_passed
from recsvc.domain.rfm import Gaps

SEPARATOR = " > "
REGULAR_GAPS = 3  # gaps that make a habit: the category on four order-days
MEDIAN = 0.5


@dataclass(frozen=True, slots=True)
class Categories:
    """The category of every item.

    Attributes
    ----------
    names : length n_categories, ascending
    category : shape (n_items,), position in `names`; means nothing where `is_placed` is False
    is_placed : shape (n_items,)
        False for items without a category, and for those not to be told of.
    """

    names: tuple[str, ...]
    category: Rows
    is_placed: Mask


@dataclass(frozen=True, slots=True)
class CategoryClocks:
    """Fitted clocks by the name of their category; of the others too little was known."""

    by_name: Mapping[str, LapseParams] = field(default_factory=dict)

    def to_json(self) -> dict[str, dict[str, float]]:
        """Plain numbers by name of the category."""
        return {name: clock.to_json() for name, clock in sorted(self.by_name.items())}

    @classmethod
    def from_json(cls, values: Mapping[str, Mapping[str, Any]]) -> CategoryClocks:  # Any: read from JSON
        """Inverse of `to_json`."""
        return cls({name: LapseParams.from_json(clock) for name, clock in values.items()})


@dataclass(frozen=True, slots=True)
class CategoryGaps:
    """Rhythm of every customer in every category they ever bought; every array has shape (n_pairs,).

    Sorted by customer, then category.

    Attributes
    ----------
    customer : position in the batch
    category : position in `Categories.names`
    gaps : between order-days that contain the category
    last_day : days since 1970-01-01, the last of these order-days
    """

    customer: Counts
    category: Counts
    gaps: Gaps
    last_day: Days

    def __len__(self) -> int:
        return len(self.customer)

    def chosen(self, rows: Mask | Counts) -> CategoryGaps:
        """Some of the pairs."""
        gaps = Gaps(self.gaps.n_gaps[rows], self.gaps.sum_days[rows], self.gaps.sum_log_days[rows])
        return CategoryGaps(self.customer[rows], self.category[rows], gaps, self.last_day[rows])


@dataclass(frozen=True, slots=True)
class FadedCategories:
    """What customers have let lapse, one entry a customer and category; every array has shape (n_found,).

    Sorted by customer, then the most certainly lapsed first, ties by category.

    Attributes
    ----------
    customer : position in the batch
    category : position in `Categories.names`
    n_orders : order-days that contained the category, 4 or more
    silence_days : days since the last of them
    usual_gap_days : days within which the customer bought it again half the time, by the clock
    share_passed : share of the customer's gaps in the category that the silence has outlasted, in [0, 1]
    """

    customer: Counts
    category: Counts
    n_orders: Counts
    silence_days: Counts
    usual_gap_days: Vector
    share_passed: Vector

    def __len__(self) -> int:
        return len(self.customer)

    def of(self, customer: int) -> slice:
        """Entries of one customer of the batch; none is an empty slice."""
        start, end = np.searchsorted(self.customer, (customer, customer + 1))
        return slice(int(start), int(end))


def top_categories(paths: Sequence[str | None]) -> Categories:
    """Place every item in the first level of its category path.

    Parameters
    ----------
    paths : length n_items
        Category paths as the retailer writes them, levels separated by " > "; None or empty where there is none.

    Examples
    --------
    >>> found = top_categories(["FOOD > MILK", "DRINKS", None, "FOOD"])
    >>> found.names, found.category.tolist(), found.is_placed.tolist()
    (('DRINKS', 'FOOD'), [1, 0, 0, 1], [True, True, False, True])
    """
    tops = [path.split(SEPARATOR)[0] if path else "" for path in paths]
    names = tuple(sorted(set(tops) - {""}))
    position = {name: place for place, name in enumerate(names)}
    category = np.array([position.get(top, 0) for top in tops], np.int32)
    return Categories(names, category, np.array([bool(top) for top in tops], bool))


def category_gaps(histories: Histories, categories: Categories) -> CategoryGaps:
    """Rhythm of each customer in each category, from the lines of their records; several items of a day count once."""
    placed = categories.is_placed[histories.line_item]
    category = categories.category[histories.line_item[placed]]
    pair = histories.line_customer()[placed] * max(len(categories.names), 1) + category
    order = np.argsort(pair, kind="stable")  # days of a customer ascend already, and stay so within a pair
    pair, day = pair[order], histories.line_day[placed][order]
    is_first = np.diff(pair, prepend=-1) != 0
    kept = is_first | (np.diff(day, prepend=0) != 0)
    pair, day, starts = pair[kept], day[kept], np.flatnonzero(is_first[kept])
    customer, of_category = np.divmod(pair[starts], max(len(categories.names), 1))
    ends = np.append(starts, len(pair))[1:]
    last = day[ends - 1].astype(np.int32)
    n_gaps, sum_days = (ends - starts - 1).astype(np.float64), (last - day[starts]).astype(np.float64)
    gaps = Gaps(n_gaps, sum_days, _sum_log_gaps(day, starts))
    return CategoryGaps(customer, of_category, gaps, last)


def faded_categories(
    histories: Histories,
    categories: Categories,
    clocks: CategoryClocks,
    thresholds: LapseThresholds,
    as_of_day: int,
) -> FadedCategories:
    """What customers used to buy regularly and have let lapse, by their own rhythm in the category.

    Regularly means on four order-days or more; lapsed means that the silence has outlasted `thresholds.lapsed` of the
    customer's gaps in the category. Of somebody who has lapsed altogether, that is all they bought: compare with the
    customer's own state before saying that they stopped buying *this*.

    Parameters
    ----------
    histories
        The customers, many or one; everything of a batch is computed at once, in memory linear in its lines.
    categories
        Of the items `histories` speaks of; names as the clocks have them (`top_categories` of `items.parquet`).
    clocks, thresholds
        As a bundle holds them (`CustomerModels.category_clocks`, `CustomerModels.thresholds`). Bundles from before
        there were clocks hold none, and nothing is found.
    as_of_day : days since 1970-01-01
        Day to judge on; orders on it or later are no silence.

    Examples
    --------
    Coffee every 30 days, five times, then bread only: on day 300 coffee has been missing for 180 days.

    >>> coffee, bread = np.arange(0, 150, 30), np.arange(10, 300, 10)
    >>> day = np.concatenate([coffee, bread])
    >>> item = np.repeat([0, 1], [len(coffee), len(bread)])
    >>> order = np.argsort(day, kind="stable")
    >>> lines = (day[order].astype(np.int32), item[order].astype(np.int32), np.ones(len(day)), np.ones(len(day)))
    >>> orders = (np.array([0, 30]), np.arange(30, dtype=np.int32), np.zeros(30, np.int64))
    >>> shopper = Histories(("a",), *orders, np.array([0, len(day)]), *lines)
    >>> shop = top_categories(["COFFEE", "BREAD"])
    >>> clocks = CategoryClocks({name: LapseParams(p=4.0, q=3.0, v=20.0) for name in shop.names})
    >>> found = faded_categories(shopper, shop, clocks, LapseThresholds(), as_of_day=300)
    >>> [shop.names[place] for place in found.category], found.silence_days.tolist(), found.usual_gap_days.round()
    (['COFFEE'], [180], array([28.]))
    """
    pairs = category_gaps(histories, categories)
    has_clock = np.array([name in clocks.by_name for name in categories.names], bool)
    pairs = pairs.chosen(has_clock[pairs.category] & (pairs.gaps.n_gaps >= REGULAR_GAPS))
    silence = np.maximum(as_of_day - pairs.last_day.astype(np.int64), 0)
    passed = np.zeros(len(pairs))
    for rows, clock in _by_clock(pairs, categories, clocks):
        passed[rows] = share_of_gaps_passed(clock, pairs.chosen(rows).gaps, silence[rows].astype(np.float64))
    lapsed = np.flatnonzero(passed > thresholds.lapsed)
    order = lapsed[np.lexsort((pairs.category[lapsed], -passed[lapsed], pairs.customer[lapsed]))]
    found = pairs.chosen(order)
    usual = np.zeros(len(found))
    for rows, clock in _by_clock(found, categories, clocks):
        usual[rows] = next_gap_quantiles(clock, found.chosen(rows).gaps, (MEDIAN,))[:, 0]
    n_orders = found.gaps.n_gaps.astype(np.int64) + 1
    return FadedCategories(found.customer, found.category, n_orders, silence[order], usual, passed[order])


def _by_clock(
    pairs: CategoryGaps, categories: Categories, clocks: CategoryClocks
) -> Iterator[tuple[Counts, LapseParams]]:
    """Pairs of each category, which must have a clock, and the clock."""
    for place in np.unique(pairs.category):
        yield np.flatnonzero(pairs.category == place), clocks.by_name[categories.names[place]]


def _sum_log_gaps(day: Days, starts: Counts) -> Vector:
    """Sum of the logarithms of the gaps of each pair; shape (n_pairs,)."""
    gap = np.diff(day, prepend=0).astype(np.float64)
    gap[starts] = 1.0  # the first order-day ends no gap; log 1 adds nothing
    return np.add.reduceat(np.log(gap), starts) if len(starts) else np.zeros(0)
