"""Sources that look at the categories a customer buys from: what is new there, cheaper, on offer, or a step up.

Each proposes the products most customers bought lately among those it is about. Without categories all products are
of one category.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Days, Mask, Rows, Vector
from recsvc.domain.details import log_prices
from recsvc.domain.items import ItemTable
from recsvc.domain.pairs import CustomerBatch, Pairs, bought_rows

FEW = 20  # of sources that say the same to many
POOL = 2000  # products bought most lately that an occasion is looked for among
MIN_FALL = 0.1  # of a price, to be worth telling
STEP_UP = 0.1  # of a log price: dearer than what the customer pays, not as dear
STRETCH = 0.25  # of a log price: how far beyond the dearest they bought is still theirs


@dataclass(frozen=True, slots=True)
class SinceLastOrder:
    """Products to which something happened after the customer's last order.

    Attributes
    ----------
    ranked : rows of those products, most recent buyers first
    day : shape (n_ranked,), days since 1970-01-01, on which it happened
    """

    name: str
    items: ItemTable
    ranked: Rows
    day: Days
    depth: int = FEW

    def candidates(self, batch: CustomerBatch, allowed: Mask) -> Pairs:
        """At most `depth` items a customer; none for customers without orders."""
        last = batch.last_order_day()
        kept = allowed[self.ranked] & (self.day > last.min(initial=np.inf))
        rows, day = self.ranked[kept], self.day[kept]
        return _in_their_categories(batch, self.items, rows, lambda customer: day > last[customer], depth=self.depth)


def new_arrivals(items: ItemTable, ranked: Rows, depth: int = FEW) -> SinceLastOrder:
    """Products first sold after the customer's last order; `ranked` are all there are."""
    return SinceLastOrder("new_arrivals", items, ranked, items.first_day[ranked], depth)


def price_drops(items: ItemTable, ranked: Rows, depth: int = FEW) -> SinceLastOrder:
    """Products that became cheaper lately, for customers who have not ordered lately."""
    fell = ranked[items.price_fall(ranked) >= MIN_FALL]
    return SinceLastOrder("price_drops", items, fell, np.full(len(fell), items.as_of_day - items.recent_days), depth)


def promotions(items: ItemTable, ranked: Rows, depth: int = FEW) -> SinceLastOrder:
    """Products on a promotion of the retailer's that goes on after the customer's last order."""
    promoted = ranked[items.is_promoted(ranked)]
    return SinceLastOrder("promotions", items, promoted, items.promotion_ends_day[promoted], depth)


@dataclass(frozen=True, slots=True)
class UpSell:
    """Products never bought, dearer than what the customer pays in that category and still within their range."""

    items: ItemTable
    ranked: Rows
    name: str = "up_sell"
    depth: int = FEW

    def candidates(self, batch: CustomerBatch, allowed: Mask) -> Pairs:
        """At most `depth` items a customer; none for customers without orders."""
        rows = self.ranked[allowed[self.ranked]][:POOL]
        price, n_categories = log_prices(self.items, rows), _n_categories(self.items)

        def a_step_up(customer: int) -> Mask:
            bought = bought_rows(batch.own, customer)
            usual, dearest = _price_range(self.items, bought, n_categories)
            category = self.items.second_category[rows]
            within = (price > usual[category] + STEP_UP) & (price <= dearest[category] + STRETCH)
            return within & ~np.isin(rows, bought, kind="sort")

        return _in_their_categories(batch, self.items, rows, a_step_up, depth=self.depth)


def _price_range(items: ItemTable, bought: Rows, n_categories: int) -> tuple[Vector, Vector]:
    """Mean and highest log price of what was bought, by category; shape (n_categories,), 0 where nothing was."""
    category, price = items.second_category[bought], log_prices(items, bought)
    count = np.bincount(category, minlength=n_categories)
    dearest = np.zeros(n_categories)
    np.maximum.at(dearest, category, price)
    return np.bincount(category, price, n_categories) / np.maximum(count, 1), dearest


def _n_categories(items: ItemTable) -> int:
    return int(items.second_category.max(initial=0)) + 1


def _in_their_categories(
    batch: CustomerBatch, items: ItemTable, rows: Rows, wanted: Callable[[int], Mask], *, depth: int
) -> Pairs:
    """The first `depth` of `rows` a customer that are wanted for them and in a category they bought from."""
    category, found, n_categories = items.second_category[rows], [], _n_categories(items)
    for customer in range(len(batch.histories)) if len(rows) else ():
        theirs = np.zeros(n_categories, bool)
        theirs[items.second_category[bought_rows(batch.own, customer)]] = True
        found.append(rows[wanted(customer) & theirs[category]][:depth])
    customers = np.repeat(np.arange(len(found)), [len(one) for one in found])
    return Pairs(customers, np.concatenate([np.zeros(0, np.int32), *found]))
