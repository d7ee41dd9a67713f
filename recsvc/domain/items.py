"""What is known of the catalogue by number: one read-only column per statistic, one entry per item row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Counts, Days, Mask, Money, Rows, Vector
from recsvc.domain.ids import ItemIds

PRIOR_BUYERS = 2.0
PRIOR_REPEAT_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class ItemTable:
    """Item statistics as of the bundle's `as_of`.

    Rows below `n_catalogue` have factors and may be recommended; the rest were ever sold and only identify lines.

    Attributes
    ----------
    n_buyers, n_recent_buyers, n_repeat_buyers, n_comeback_buyers : shape (n_items,), customers
        Who ever bought it, in the last `recent_days`, on two days or more, in the first order after a lapse.
    first_day, last_day : shape (n_items,), days since 1970-01-01
        First and last sale.
    n_week_buyers, n_quarter_buyers, n_previous_buyers : shape (n_items,), customers
        Who bought it in the last 7 days, the last 90, and in the `recent_days` before the last `recent_days`.
    last_price : shape (n_items,), minor units
        Of one unit, on its last line.
    price_before, price_lately : shape (n_items,), minor units
        Median of one unit on its lines of the 90 days before the last `recent_days`, and of those; the last price where
        there was no such line.
    promotion_ends_day : shape (n_items,), days since 1970-01-01
        Last day of the latest promotion that began before `as_of_day`; 0, which is long past, where there was none.
    top_category, second_category : shape (n_items,), number of the category
        At the first and second level of the path; 0 is the category of the items that have none.
    n_category_buyers : shape (n_items,), count
        Recent buyers of the catalogue items of the second-level category, summed over items.
    rebuy_gap, rebuy_spread : shape (n_items,), log days
        Mean and standard deviation of the log of days between a customer's purchases of it, shrunk to its category's.
    n_rebuys : shape (n_items,), count
        Gaps behind these.
    comeback_lift : shape (n_items,)
        Log of its share in orders that end a lapse over its share in all others, shrunk to 0.
    n_customers
        Customers on record, the denominator of shares.
    recent_days
        The window of "lately".
    as_of_day : days since 1970-01-01
    """

    ids: ItemIds
    n_catalogue: int
    n_buyers: Counts
    n_recent_buyers: Counts
    n_repeat_buyers: Counts
    n_comeback_buyers: Counts
    first_day: Days
    last_day: Days
    n_week_buyers: Counts
    n_quarter_buyers: Counts
    n_previous_buyers: Counts
    last_price: Money
    price_before: Money
    price_lately: Money
    promotion_ends_day: Days
    top_category: Rows
    second_category: Rows
    n_category_buyers: Counts
    rebuy_gap: Vector
    rebuy_spread: Vector
    n_rebuys: Counts
    comeback_lift: Vector
    n_customers: int
    as_of_day: int
    recent_days: int

    def __len__(self) -> int:
        return len(self.ids)

    def trending(self) -> Rows:
        """Catalogue rows, most recent buyers first; ties by all-time buyers, then item id."""
        rows = np.arange(self.n_catalogue)
        return rows[np.lexsort((rows, -self.n_buyers[rows], -self.n_recent_buyers[rows]))].astype(np.int32)

    def comebacks(self) -> Rows:
        """Catalogue rows that ended somebody's lapse, by how many times more often than chance, times how often."""
        rows = np.arange(self.n_catalogue)
        buyers, lift = self.n_comeback_buyers[rows], self.comeback_lift[rows]
        ranked = np.lexsort((rows, -np.round(buyers * np.exp(lift), 9)))
        return ranked[(buyers[ranked] > 0) & (lift[ranked] > 0)].astype(np.int32)

    def is_promoted(self, rows: Rows) -> Mask:
        """Whether a promotion runs at `as_of_day`."""
        return np.greater_equal(self.promotion_ends_day[rows], self.as_of_day)

    def price_fall(self, rows: Rows) -> Vector:
        """Share of the price that went lately; below 0 where it rose, 0 where it is not known."""
        before, lately = self.price_before[rows].astype(np.float64), self.price_lately[rows].astype(np.float64)
        return np.where(before > 0, 1.0 - lately / np.maximum(before, 1.0), 0.0)

    def repeat_share(self, rows: Rows) -> Vector:
        """Share of an item's buyers who came back for it, shrunk to a low prior; in (0, 1)."""
        return (self.n_repeat_buyers[rows] + PRIOR_BUYERS * PRIOR_REPEAT_SHARE) / (self.n_buyers[rows] + PRIOR_BUYERS)

    def trend(self, rows: Rows) -> Vector:
        """Recent buyers over all buyers, shrunk; in (0, 1]."""
        return (self.n_recent_buyers[rows] + 0.5) / (self.n_buyers[rows] + 5.0)
