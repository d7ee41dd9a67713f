"""What happened to items for everybody: prices by period, the general price level, categories, and what is gone.

Whether a customer left over a price, or over a product that is no longer sold, shows only against what the whole shop
did, so this is summed up once, by item and period, before any customer is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from ibis.expr.types import Table

from recsvc.domain.arrays import AnyArray, Counts, Days, Mask, Rows, Vector
from training.tables import Prepared

PERIOD_DAYS = 28
GONE_AFTER_GAPS = 5.0  # silence of an item, in its own mean gaps between sales; by chance: e^-5 = 0.7 %
GONE_AFTER_DAYS = 28
MIN_BUYERS = 5  # fewer, and an item is gone because its buyers are


@dataclass(frozen=True, slots=True)
class Market:
    """Items as everybody bought them before `as_of_day`; periods of 28 days count up to the last one before it.

    Attributes
    ----------
    sold : shape (n_cells,), item row x n_periods + period, ascending
    quantity, amount : shape (n_cells,), units and minor units sold in that period
    level : shape (n_periods,), general price level; 1 in the first period
    category : shape (n_items,), position of an item's category; `n_categories` where it has none
    category_share : shape (n_categories, n_periods), share of all lines, in [0, 1]
    last_day : shape (n_items,), days since 1970-01-01, of the last sale
    gone : shape (n_items,), sold to enough customers, and no longer
    """

    as_of_day: int
    n_periods: int
    sold: Counts
    quantity: Vector
    amount: Vector
    level: Vector
    category: Counts
    category_share: Vector
    last_day: Days
    gone: Mask

    @property
    def n_categories(self) -> int:
        """How many categories there are; 0 where items have none."""
        return len(self.category_share)

    def period_of(self, day: AnyArray) -> Counts:
        """Period of each day; later days than the last count as it. Same shape."""
        back = np.maximum(self.as_of_day - 1 - day.astype(np.int64), 0) // PERIOD_DAYS
        return np.asarray(np.maximum(self.n_periods - 1 - back, 0), np.int64)

    def sold_in(self, item: Rows, period: Counts) -> tuple[Vector, Vector]:
        """Quantity and amount of each item sold in a period, 0 where none was; each of the same shape as `item`."""
        wanted = item.astype(np.int64) * self.n_periods + period
        place = np.minimum(np.searchsorted(self.sold, wanted), len(self.sold) - 1)
        there = (self.sold[place] == wanted) & (period < self.n_periods)
        return self.quantity[place] * there, self.amount[place] * there


def build_market(prepared: Prepared) -> Market:
    """Sum up everybody's lines by item and period: one query, n_items x n_periods rows at most."""
    n_periods = (prepared.as_of_day - 1 - prepared.first_day) // PERIOD_DAYS + 1
    cells = item_periods(prepared.record_lines, prepared.as_of_day).to_pyarrow()
    item = cells["item_row"].to_numpy().astype(np.int64)
    period = n_periods - 1 - cells["back"].to_numpy().astype(np.int64)
    order = np.argsort(item * n_periods + period)
    quantity, amount = (cells[name].to_numpy()[order].astype(np.float64) for name in ("quantity", "amount"))
    item, period = item[order], period[order]
    category, n_categories = category_codes(prepared.items)
    return Market(
        as_of_day=prepared.as_of_day,
        n_periods=n_periods,
        sold=item * n_periods + period,
        quantity=quantity,
        amount=amount,
        level=price_level(item, period, amount / quantity, quantity, n_periods),
        category=category,
        category_share=_shares(category[item], period, cells["lines"].to_numpy()[order], (n_categories, n_periods)),
        last_day=prepared.items["last_day"].to_numpy(),
        gone=gone_items(prepared.items, prepared.as_of_day),
    )


def item_periods(records: Table, as_of_day: int) -> Table:
    """What was sold of each item by period: item_row, back (periods before the last), lines, quantity, amount."""
    lines = records.filter(records.item_row.notnull(), records.quantity > 0)
    dated = lines.mutate(back=((as_of_day - 1 - lines.day) // PERIOD_DAYS).cast("int64"))
    return (
        dated.group_by("item_row", "back")
        .agg(
            lines=dated.count(),
            quantity=dated.quantity.cast("decimal(18, 6)").sum().cast("float64"),
            amount=dated.amount.sum().cast("int64"),
        )
        .order_by("item_row", "back")
    )


def price_level(item: Counts, period: Counts, price: Vector, quantity: Vector, n_periods: int) -> Vector:
    r"""General price level, chained from period to period over the items sold in both (Marshall-Edgeworth).

    .. math:: L_{t+1} = L_t \frac{\sum_i p_{i,t+1} (q_{it} + q_{i,t+1})}{\sum_i p_{it} (q_{it} + q_{i,t+1})}

    Parameters
    ----------
    item, period : shape (n_cells,), ascending by item, then period
    price, quantity : shape (n_cells,)

    Returns
    -------
    shape (n_periods,), above 0; unchanged where nothing was sold in both periods

    Examples
    --------
    One item that goes from 2 to 3.

    >>> item, period = np.array([0, 0]), np.array([0, 1])
    >>> price_level(item, period, np.array([2.0, 3.0]), np.array([5.0, 5.0]), 2)
    array([1. , 1.5])
    """
    follows = np.flatnonzero((np.diff(item) == 0) & (np.diff(period) == 1))
    weight, of = quantity[follows] + quantity[follows + 1], period[follows]
    before = np.bincount(of, weight * price[follows], n_periods)[: n_periods - 1]
    after = np.bincount(of, weight * price[follows + 1], n_periods)[: n_periods - 1]
    known = (before > 0) & (after > 0)
    steps = np.divide(after, before, out=np.ones(n_periods - 1), where=known)
    return np.concatenate([[1.0], np.cumprod(steps)])


def gone_items(items: pa.Table, as_of_day: int) -> Mask:
    """Items once sold to at least 5 customers that are marked unavailable, or silent for 5 of their own mean gaps.

    The silence has to last 28 days too. Shape (n_items,).
    """
    first, last, times = (
        items[name].to_numpy().astype(np.float64) for name in ("first_day", "last_day", "n_order_days")
    )
    mean_gap = (last - first + 1.0) / np.maximum(times, 1.0)
    silence = as_of_day - last
    silent = (silence >= GONE_AFTER_DAYS) & (silence >= GONE_AFTER_GAPS * mean_gap)
    if "available" in items.column_names:
        silent |= ~items["available"].fill_null(True).to_numpy()
    return np.asarray(silent & (items["n_buyers"].to_numpy() >= MIN_BUYERS), bool)


def category_codes(items: pa.Table) -> tuple[Counts, int]:
    """Position of each item's category in order of name, and how many there are; that number where it has none."""
    if "category" not in items.column_names:
        return np.zeros(len(items), np.int64), 0
    names: Sequence[str | None] = items["category"].to_pylist()
    code, found = pd.factorize(np.array(names, object), sort=True)
    return np.where(code < 0, len(found), code).astype(np.int64), len(found)


def _shares(category: Counts, period: Counts, lines: Counts, shape: tuple[int, int]) -> Vector:
    """Share of each period's lines that belong to each category."""
    n_categories, n_periods = shape
    known = category < n_categories
    cell = category[known] * n_periods + period[known]
    of_category = np.bincount(cell, lines[known], n_categories * n_periods).reshape(shape)
    return np.asarray(of_category / np.maximum(np.bincount(period, lines, n_periods), 1.0), np.float64)
