"""Synthetic customers: who orders on which day, and what they like.

The process is the one the value and lapse models assume, so that a fit has something to find: gaps between
orders are gamma with a personal mean, after each order a customer may drop out for good (MBG/NBD), and some
pause for long and come back. Taste follows three related categories and a short list of favourites, which
changes over time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Counts, Mask, Vector
from training.synth_shop import WINDOW_DAYS, Shop, draw_items

GAP_SHAPE = 2.0
PAUSE_SHARE = 0.03
PAUSE_FACTOR = 8.0
SUMMER_LOSS = 0.3
PREFERENCE = (0.6, 0.85, 1.0)  # cumulative share of the first, second and third category
N_FAVOURITES = 12
PILOT_CUSTOMERS = 4000
MAX_ORDERS = 300.0


@dataclass(frozen=True, slots=True)
class OrderDays:
    """Orders of a group of customers.

    Attributes
    ----------
    customer : shape (n_orders,), position in the group, ascending
    day : shape (n_orders,), day of the window, strictly ascending within a customer
    churned : shape (n_customers,), who dropped out within the window
    """

    customer: Counts
    day: Counts
    churned: Mask


@dataclass(frozen=True, slots=True)
class Taste:
    """What each customer of a group likes.

    Attributes
    ----------
    categories : shape (n_customers, 3), category number
    favourites : shape (n_customers, N_FAVOURITES), item number, dearest first
    loyalty : shape (n_customers,), share of lines that go to favourites, in [0, 1]
    """

    categories: Counts
    favourites: Counts
    loyalty: Vector


def usual_orders(n_customers: int, n_lines: int) -> float:
    """Orders per customer to aim at: as many orders as lines in an order, within what two years hold."""
    return float(np.clip((n_lines / n_customers) ** 0.5, 1.2, MAX_ORDERS))


def find_mean_gap(orders_per_customer: float, rng: np.random.Generator) -> float:
    """Days between orders that give the wanted orders per customer, by bisection on a pilot group."""
    seed = int(rng.integers(2**31))
    low, high = np.log(1.0), np.log(2.0 * WINDOW_DAYS)
    for _ in range(12):
        middle = (low + high) / 2
        pilot = draw_order_days(
            PILOT_CUSTOMERS, float(np.exp(middle)), orders_per_customer, np.random.default_rng(seed)
        )
        too_many = len(pilot.day) > orders_per_customer * PILOT_CUSTOMERS
        low, high = (middle, high) if too_many else (low, middle)
    return float(np.exp((low + high) / 2))


def draw_order_days(
    n_customers: int, mean_gap_days: float, orders_per_customer: float, rng: np.random.Generator
) -> OrderDays:
    """Draw the days on which each of `n_customers` orders; every customer has at least one.

    Parameters
    ----------
    mean_gap_days
        Typical days between orders; each customer has their own mean around it.
    orders_per_customer : at least 1
        Sets how soon customers drop out.
    """
    first = (WINDOW_DAYS * rng.random(n_customers) ** 1.5).astype(np.int64)
    own_gap = mean_gap_days * rng.lognormal(0, 0.6, n_customers)
    dropout = rng.beta(1.2, 1.0 + 1.2 * orders_per_customer, n_customers).clip(1e-4)
    room = (1.5 * (WINDOW_DAYS - first) / np.maximum(own_gap, 1.0)).astype(np.int64) + 5
    wanted = rng.geometric(dropout)
    n_orders = np.minimum(wanted, room)
    customer = np.repeat(np.arange(n_customers), n_orders)
    is_first = np.concatenate([[True], customer[1:] != customer[:-1]])
    day = _running_days(first, _draw_gaps(own_gap[customer], rng), is_first, n_orders)
    keep = (day < WINDOW_DAYS) & (is_first | (rng.random(len(day)) < _shop_season(day)))
    churned = (wanted <= room) & (day[np.cumsum(n_orders) - 1] < WINDOW_DAYS)
    return OrderDays(customer[keep], day[keep], churned)


def _draw_gaps(own_gap: Vector, rng: np.random.Generator) -> Counts:
    gap = own_gap * rng.standard_gamma(GAP_SHAPE, len(own_gap)) / GAP_SHAPE
    pause = rng.random(len(own_gap)) < PAUSE_SHARE
    return np.maximum(np.rint(np.where(pause, PAUSE_FACTOR * gap, gap)), 1).astype(np.int64)


def _running_days(first: Counts, gaps: Counts, is_first: np.ndarray, n_orders: Counts) -> Counts:
    steps = np.where(is_first, 0, gaps)
    total = np.cumsum(steps)
    return np.asarray(total - np.repeat(total[is_first], n_orders) + np.repeat(first, n_orders), np.int64)


def _shop_season(day: Counts) -> Vector:
    """Share of the wish to order that becomes an order: all of it in December, less in June."""
    return np.asarray(1 - SUMMER_LOSS * (1 - np.cos(2 * np.pi * (day % 365 - 350) / 365)) / 2, np.float64)


def draw_taste(n_customers: int, shop: Shop, rng: np.random.Generator) -> Taste:
    """Draw what each customer likes; the main category decides the other two, so tastes cluster."""
    n = shop.n_categories
    main = (n * rng.random(n_customers) ** 1.5).astype(np.int64)
    categories = np.column_stack([main, (main + 1) % n, (7 * main + 3) % n])
    wanted = categories[:, pick(PREFERENCE, N_FAVOURITES, rng)].ravel()
    favourites = draw_items(shop, wanted, np.full(len(wanted), WINDOW_DAYS // 2), rng)
    return Taste(categories, favourites.reshape(n_customers, N_FAVOURITES), rng.beta(3, 3, n_customers))


def pick(cumulative: tuple[float, ...], n: int, rng: np.random.Generator) -> Counts:
    """Draw `n` positions with the given cumulative shares."""
    return np.searchsorted(cumulative, rng.random(n), side="right").astype(np.int64)
