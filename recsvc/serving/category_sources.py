"""Sources that look at the categories a customer buys from: what is new there, cheaper, on offer, or a step up.

Each proposes the products most customers bought lately among those it is about. Without categories all products are
of one category.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Mask, Rows, Vector
from recsvc.domain.details import log_prices
from recsvc.domain.items import ItemTable
from recsvc.domain.pairs import CustomerBatch, Pairs, bought_rows

FEW = 20  # of sources that say the same to many
POOL = 2000  # products bought most lately that an occasion is looked for among
MIN_FALL = 0.1  # of a price, to be worth telling
STEP_UP = 0.1  # of a log price: dearer than what the customer pays, not as dear
STRETCH = 0.25  # of a log price: how far beyond the dearest they bought is still theirs


@dataclass(frozen=True, slots=True)
class NewArrivals:
    """Products first sold after the customer's last order."""

    items: ItemTable
    ranked: Rows
    name: str = "new_arrivals"
    depth: int = FEW

    def candidates(self, batch: CustomerBatch, allowed: Mask) -> Pairs:
        """At most `depth` items a customer; none for customers without orders."""
        last = batch.last_order_day()
        rows = self.ranked[allowed[self.ranked]]
        rows = rows[self.items.first_day[rows] > last.min(initial=np.inf)]
        first_day = self.items.first_day[rows]
        return _in_their_categories(
            batch, self.items, rows, lambda customer: first_day > last[customer], depth=self.depth
        )


@dataclass(frozen=True, slots=True)
class PriceDrops:
    """Products whose price fell since the customer's last order."""

    items: ItemTable
    ranked: Rows
    name: str = "price_drops"
    depth: int = FEW

    def candidates(self, batch: CustomerBatch, allowed: Mask) -> Pairs:
        """At most `depth` items a customer; none for customers who ordered since, or never."""
        rows = self.ranked[allowed[self.ranked]]
        rows = rows[self.items.price_fall(rows) >= MIN_FALL]
        saw_it = batch.last_order_day() >= self.items.as_of_day - self.items.recent_days
        return _in_their_categories(
            batch, self.items, rows, lambda customer: np.full(len(rows), not saw_it[customer]), depth=self.depth
        )


@dataclass(frozen=True, slots=True)
class Promotions:
    """Products on one of the retailer's promotions."""

    items: ItemTable
    ranked: Rows
    name: str = "promotions"
    depth: int = FEW

    def candidates(self, batch: CustomerBatch, allowed: Mask) -> Pairs:
        """At most `depth` items a customer; none for customers without orders."""
        rows = self.ranked[allowed[self.ranked]]
        rows = rows[self.items.is_promoted(rows)]
        return _in_their_categories(batch, self.items, rows, lambda _: np.ones(len(rows), bool), depth=self.depth)


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
        price = log_prices(self.items, rows)

        def a_step_up(customer: int) -> Mask:
            bought = bought_rows(batch.own, customer)
            usual, dearest = _price_range(self.items, bought)
            category = self.items.second_category[rows]
            within = (price > usual[category] + STEP_UP) & (price <= dearest[category] + STRETCH)
            return within & ~np.isin(rows, bought, kind="sort")

        return _in_their_categories(batch, self.items, rows, a_step_up, depth=self.depth)


def _price_range(items: ItemTable, bought: Rows) -> tuple[Vector, Vector]:
    """Mean and highest log price of what was bought, by category; shape (n_categories,), 0 where nothing was."""
    category, price = items.second_category[bought], log_prices(items, bought)
    n_categories = _n_categories(items)
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
