"""What customers like to buy and what they like to pay, from the record and the shelf alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from recsvc.domain.arrays import AnyArray, Counts, Mask, Rows, Vector
from recsvc.domain.history import Histories
from recsvc.domain.shelf import Shelf
from recsvc.domain.standing import Standing

FAVOURITES = 3
HALF_LIFE_DAYS = 90.0
PRIOR_ORDER_DAYS = 2.0  # of everybody's purchases, added to those of each customer
MIN_LINES = 5  # with a price to compare; fewer say nothing of what somebody likes to pay
PRICE_LEVELS: Final = ("low", "middle", "high")
THIRDS = (33, 67)  # percent of customers
FALLBACK_THIRDS = (1 / 3, 2 / 3)  # where no standing of customers was stored


@dataclass(frozen=True, slots=True)
class Preferences:
    """Tastes of a batch of customers.

    Attributes
    ----------
    categories : shape (n_customers, 3), position in `shelf.names`, the most liked first
        Means nothing from place `n_categories` on.
    n_categories : shape (n_customers,), 0 to 3
    price_position : shape (n_customers,), in [0, 1]
        Mean share of a category's items that were cheaper than what was paid; means nothing without `has_price`.
    has_price : shape (n_customers,)
    """

    categories: Rows
    n_categories: Counts
    price_position: Vector
    has_price: Mask


def preferences(histories: Histories, shelf: Shelf) -> Preferences:
    """Favourite categories and price level of customers who all have at least one order.

    Order-days are decayed to each customer's own last order: a taste does not fade while somebody stays away.
    """
    whose, item = histories.line_customer(), histories.line_item
    placed = shelf.is_placed[item]
    whose, category = whose[placed], shelf.category[item[placed]]
    age_days = histories.last_order_day()[whose] - histories.line_day[placed]
    categories, n_categories = _favourites(whose, category, age_days, shelf, len(histories))
    quantity, amount = histories.line_quantity[placed].astype(np.float64), histories.line_amount[placed]
    paid = np.maximum(np.rint(amount / quantity), 0.0).astype(np.int64)
    position, known = shelf.price_position(category, paid)
    known &= paid > 0
    lines = np.bincount(whose[known], minlength=len(histories))
    total = np.bincount(whose[known], position[known], len(histories))
    return Preferences(categories, n_categories, total / np.maximum(lines, 1), lines >= MIN_LINES)


def price_levels(price_position: Vector, standing: Standing) -> Rows:
    """Price level of each customer among all, as a position in `PRICE_LEVELS`; shape (n_customers,).

    Thirds of customers, not of prices: most buy across a category, so the middle of prices would hold them all.
    """
    lines = [standing.share_at("price_position", percent) for percent in THIRDS]
    bounds = [fallback if line is None else line for line, fallback in zip(lines, FALLBACK_THIRDS, strict=True)]
    return np.searchsorted(bounds, price_position, side="right").astype(np.int32)


def _favourites(
    whose: Counts, category: Rows, age_days: AnyArray, shelf: Shelf, n_customers: int
) -> tuple[Rows, Counts]:
    """Categories with the most decayed order-days, each customer's shrunk to everybody's; ties by name."""
    pair = whose * max(len(shelf.names), 1) + category
    order = np.argsort(pair, kind="stable")  # days of a customer ascend already, and stay so within a pair
    pair, age = pair[order], age_days[order]
    is_new_pair = np.diff(pair, prepend=-1) != 0
    distinct_day = is_new_pair | (np.diff(age, prepend=-1) != 0)
    worth = np.where(distinct_day, 0.5 ** (age / HALF_LIFE_DAYS), 0.0)
    starts = np.flatnonzero(is_new_pair)
    liked = np.add.reduceat(worth, starts) if len(starts) else np.zeros(0)
    customer, place = np.divmod(pair[starts], max(len(shelf.names), 1))
    score = liked + PRIOR_ORDER_DAYS * shelf.share[place] if len(starts) else liked
    return _first_of_each(customer, place, score, n_customers)


def _first_of_each(customer: Counts, place: Counts, score: Vector, n_customers: int) -> tuple[Rows, Counts]:
    """The best-scored places of each customer as rows of a table, and how many there are."""
    order = np.lexsort((place, -score, customer))
    customer, place = customer[order], place[order]
    offsets = np.searchsorted(customer, np.arange(n_customers + 1))
    rank = np.arange(len(customer)) - offsets[customer]
    first = rank < FAVOURITES
    table = np.zeros((n_customers, FAVOURITES), np.int32)
    table[customer[first], rank[first]] = place[first]
    return table, np.minimum(np.diff(offsets), FAVOURITES).astype(np.int64)
