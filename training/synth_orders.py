"""Synthetic order lines of a group of customers: baskets, repeats, quantities, prices and returns.

A group of customers is drawn from its own generator, so groups can be made one after the other in bounded
memory, and the result does not depend on which came first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsvc.domain.arrays import Counts, Mask
from training.synth_customers import PREFERENCE, OrderDays, Taste, draw_order_days, draw_taste, pick
from training.synth_shop import WINDOW_DAYS, Shop, draw_items, price_on, season_share

FIRST_DAY = np.datetime64("2024-01-01", "D")
RETURN_SHARE = 0.02
RETURN_WITHIN_DAYS = 28
FAVOURITE_SKEW = 2.0
FAVOURITES_REPLACED = 6  # so many times within the window the dearest one is given up and the next takes its place
SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often the customers of this shop order: typical days between orders, and orders per customer."""

    mean_gap_days: float
    orders_per_customer: float


@dataclass(frozen=True, slots=True)
class Group:
    """Which customers to draw, and how many lines they share.

    Attributes
    ----------
    first_customer, n_customers
        Customers are numbered through all groups.
    first_line, n_lines
        Lines are numbered through all groups; a group has exactly `n_lines`, returns included.
    """

    first_customer: int
    n_customers: int
    first_line: int
    n_lines: int


@dataclass(frozen=True, slots=True)
class Lines:
    """Purchase lines of a group; every array has shape (n_lines,).

    Attributes
    ----------
    order : position of the order in the group, ascending
    customer : position of the customer in the group
    day : day of the window
    item : item number
    quantity : units, at least 1
    """

    order: Counts
    customer: Counts
    day: Counts
    item: Counts
    quantity: Counts


def draw_group_days(group: Group, rhythm: Rhythm, rng: np.random.Generator) -> OrderDays:
    """Draw when each customer of a group orders, and who drops out."""
    return draw_order_days(group.n_customers, rhythm.mean_gap_days, rhythm.orders_per_customer, rng)


def draw_group(group: Group, orders: OrderDays, shop: Shop, rng: np.random.Generator) -> pa.Table:
    """Draw all order lines of a group of customers.

    Parameters
    ----------
    orders
        Days as `draw_group_days` draws them; some are passed over when there are too few lines to fill them.

    Returns
    -------
    pa.Table with `group.n_lines` rows
        order_id, customer_id, item_id, ordered_at (UTC), quantity (negative on a return) and unit_price.
    """
    n_returns = round(RETURN_SHARE * group.n_lines)
    bought = _draw_lines(_at_most(orders, group.n_lines - n_returns, rng), group.n_lines - n_returns, shop, rng)
    seconds = rng.integers(8 * 3600, 20 * 3600, len(orders.day))[bought.order]
    returned = rng.choice(len(bought.day), n_returns, replace=False)
    back_day = np.minimum(bought.day[returned] + rng.integers(1, RETURN_WITHIN_DAYS, n_returns), WINDOW_DAYS - 1)
    price = price_on(shop, bought.item, bought.day)
    every = np.concatenate([np.arange(len(bought.day)), returned])
    at = np.concatenate([bought.day * SECONDS_PER_DAY + seconds, back_day * SECONDS_PER_DAY + 21 * 3600])
    sign = np.where(np.arange(len(every)) < len(bought.day), 1, -1)
    number = group.first_line + np.concatenate([bought.order, returned])
    return pa.table(
        {
            "order_id": _order_ids(number, sign < 0),
            "customer_id": customer_ids(group, bought.customer[every]),
            "item_id": _ids("I", np.arange(shop.n_items), bought.item[every]),
            "ordered_at": pa.array(FIRST_DAY.astype("datetime64[s]") + at.astype("timedelta64[s]")),
            "quantity": (sign * bought.quantity[every]).astype(np.int32),
            "unit_price": price[every] / 100,
        }
    )


def customer_ids(group: Group, position: Counts) -> pa.Array:
    """Ids of customers of a group."""
    return _ids("C", group.first_customer + np.arange(group.n_customers), position)


def moments(day: Counts, rng: np.random.Generator) -> pa.Array:
    """A moment between seven and ten on each day of the window."""
    at = day * SECONDS_PER_DAY + rng.integers(7 * 3600, 22 * 3600, len(day))
    return pa.array(FIRST_DAY.astype("datetime64[s]") + at.astype("timedelta64[s]"))


def _at_most(orders: OrderDays, n_lines: int, rng: np.random.Generator) -> OrderDays:
    """All orders, or as many as there are lines to fill them."""
    if len(orders.day) <= n_lines:
        return orders
    kept = np.sort(rng.choice(len(orders.day), n_lines, replace=False))
    return OrderDays(orders.customer[kept], orders.day[kept], orders.churned)


def _draw_lines(orders: OrderDays, n_lines: int, shop: Shop, rng: np.random.Generator) -> Lines:
    n_customers = int(orders.customer[-1]) + 1
    weight = rng.standard_gamma(2.0, len(orders.day)) * rng.lognormal(0, 0.5, n_customers)[orders.customer]
    size = 1 + rng.multinomial(n_lines - len(orders.day), weight / weight.sum())
    order = np.repeat(np.arange(len(orders.day)), size)
    customer, day = orders.customer[order], orders.day[order]
    taste = draw_taste(n_customers, shop, rng)
    item = _draw_basket_items(taste, customer, day, shop, rng)
    again = _repeats_within_order(order, item)
    item[again] = draw_items(shop, rng.integers(shop.n_categories, size=int(again.sum())), day[again], rng)
    return Lines(order, customer, day, item, rng.geometric(0.7, n_lines))


def _draw_basket_items(taste: Taste, customer: Counts, day: Counts, shop: Shop, rng: np.random.Generator) -> Counts:
    """One item per line: a favourite, or something from a liked category that is in season."""
    n = len(customer)
    first = taste.categories[customer, pick(PREFERENCE, n, rng)]
    second = np.where(rng.random(n) < 0.2, rng.integers(shop.n_categories, size=n), taste.categories[customer, 0])
    category = np.where(rng.random(n) < season_share(shop, first, day), first, second)
    item = draw_items(shop, category, day, rng)
    rank = (taste.favourites.shape[1] * rng.random(n) ** FAVOURITE_SKEW).astype(np.int64)
    place = (rank + FAVOURITES_REPLACED * day // WINDOW_DAYS) % taste.favourites.shape[1]
    favourite = taste.favourites[customer, place]
    is_loyal = (rng.random(n) < taste.loyalty[customer]) & (shop.arrival_day[favourite] <= day)
    return np.where(is_loyal, favourite, item)


def _repeats_within_order(order: Counts, item: Counts) -> Mask:
    """Lines whose item already stands on an earlier line of the same order."""
    key = order * (int(item.max()) + 1) + item
    ranked = np.argsort(key, kind="stable")
    again = np.zeros(len(key), bool)
    again[ranked[1:]] = key[ranked[1:]] == key[ranked[:-1]]
    return again


def _order_ids(number: Counts, is_return: Mask) -> pa.Array:
    prefix = pc.if_else(pa.array(is_return), "R", "O")
    return pc.binary_join_element_wise(prefix, pc.cast(pa.array(number), pa.string()), "")


def _ids(prefix: str, numbers: Counts, position: Counts) -> pa.Array:
    """Ids as a dictionary array: each distinct one is written once."""
    return pa.DictionaryArray.from_arrays(position.astype(np.int32), make_ids(prefix, numbers))


def make_ids(prefix: str, numbers: Counts) -> pa.Array:
    """Ids like `C0000042`, in the order of the numbers."""
    padded = pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), 7, "0")
    return pc.binary_join_element_wise(prefix, padded, "")
