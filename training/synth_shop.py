"""The shop behind synthetic orders: categories with seasons, items that arrive over time, prices that move.

It exists so that orders can be made at any size without a catalogue of somebody else's. It draws everything
once from a generator it is given, and writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Counts, Mask, Money, Vector

WINDOW_DAYS = 730
ITEMS_PER_CATEGORY = 40
MAX_CATEGORIES = 60
NEW_ARRIVAL_SHARE = 0.15
PROMOTED_SHARE = 0.08
PROMOTION_FACTOR = 0.8
YEARLY_PRICE_RISE = 0.03
POPULARITY_SKEW = 2.5  # the item at share s of a category's ranking is drawn with density s ** (1 / skew - 1)

DEPARTMENTS = ("Kitchen", "Pantry", "Garden", "Bath", "Paper", "Toys", "Light", "Textile", "Craft", "Season")
KINDS = ("basics", "classics", "gifts", "refills", "sets", "small things")
MATERIALS = ("Oak", "Linen", "Glass", "Copper", "Wool", "Clay", "Cotton", "Steel", "Paper", "Wax")
THINGS = ("bowl", "candle", "cloth", "tray", "mug", "box", "lamp", "brush", "jar", "ribbon", "card", "basket")
BRANDS = ("Alder", "Birch & Co", "Corbel", "Dunmore", "Elm House", "Fennel", "Gable", "Hearth")


@dataclass(frozen=True, slots=True)
class Shop:
    """Categories and items; items of one category stand side by side, most popular first.

    Attributes
    ----------
    category_start : shape (n_categories + 1,), position of each category's first item
    season_peak : shape (n_categories,), day of the year at which the category sells best
    season_depth : shape (n_categories,), share of sales lost half a year away from the peak, in [0, 1)
    arrival_day : shape (n_items,), day of the window on which an item goes on sale; 0 = always there
    base_price : shape (n_items,), minor units on the first day
    promoted : shape (n_items, n_weeks), True in weeks with a lower price
    """

    category_start: Counts
    season_peak: Vector
    season_depth: Vector
    arrival_day: Counts
    base_price: Money
    promoted: Mask

    @property
    def n_categories(self) -> int:
        """Number of categories, at least 1."""
        return len(self.season_peak)

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.base_price)

    def item_category(self) -> Counts:
        """Category of every item; shape (n_items,)."""
        return np.repeat(np.arange(self.n_categories), np.diff(self.category_start))


def build_shop(n_items: int, rng: np.random.Generator) -> Shop:
    """Draw a shop of `n_items` items."""
    n_categories = int(np.clip(n_items // ITEMS_PER_CATEGORY, 1, MAX_CATEGORIES))
    start = np.linspace(0, n_items, n_categories + 1).astype(np.int64)
    arrival = np.where(rng.random(n_items) < NEW_ARRIVAL_SHARE, rng.integers(1, WINDOW_DAYS, n_items), 0)
    arrival[start[:-1]] = 0  # every category has something to sell from the first day on
    level = np.repeat(rng.lognormal(1.6, 0.7, n_categories), np.diff(start))
    return Shop(
        category_start=start,
        season_peak=rng.uniform(0, 365, n_categories),
        season_depth=rng.uniform(0.0, 0.7, n_categories),
        arrival_day=arrival.astype(np.int64),
        base_price=np.maximum(np.rint(100 * level * rng.lognormal(0, 0.5, n_items)), 5).astype(np.int64),
        promoted=rng.random((n_items, WINDOW_DAYS // 7 + 1)) < PROMOTED_SHARE,
    )


def season_share(shop: Shop, category: Counts, day: Counts) -> Vector:
    """How well a category sells on a day, against its best day; same shape as `category`, in (0, 1]."""
    phase = 2 * np.pi * (day % 365 - shop.season_peak[category]) / 365
    return np.asarray(1 - shop.season_depth[category] * (1 - np.cos(phase)) / 2, np.float64)


def price_on(shop: Shop, item: Counts, day: Counts) -> Money:
    """Price per unit on a day, in minor units, at least 1; same shape as `item`."""
    rise = 1 + YEARLY_PRICE_RISE * (day // 365)
    factor = np.where(shop.promoted[item, day // 7], PROMOTION_FACTOR * rise, rise)
    return np.maximum(np.rint(shop.base_price[item] * factor), 1).astype(np.int64)


def draw_items(shop: Shop, category: Counts, day: Counts, rng: np.random.Generator) -> Counts:
    """Draw one item from each category, popular ones more often, among those on sale that day.

    Parameters
    ----------
    category : shape (n,), category number
    day : shape (n,), day of the window

    Returns
    -------
    shape (n,), item number
        An item not on sale yet is drawn again twice, then replaced by the category's best seller.
    """
    item = _draw(shop, category, rng)
    for _ in range(2):
        early = np.flatnonzero(shop.arrival_day[item] > day)
        item[early] = _draw(shop, category[early], rng)
    return np.where(shop.arrival_day[item] > day, shop.category_start[category], item)


def _draw(shop: Shop, category: Counts, rng: np.random.Generator) -> Counts:
    start = shop.category_start[category]
    size = shop.category_start[category + 1] - start
    return start + (size * rng.random(len(category)) ** POPULARITY_SKEW).astype(np.int64)


def category_paths(shop: Shop) -> list[str]:
    """Name path of every category, `department > kind`; different for different categories."""
    return [
        f"{DEPARTMENTS[c % len(DEPARTMENTS)]} > {KINDS[c // len(DEPARTMENTS) % len(KINDS)]}"
        for c in range(shop.n_categories)
    ]


def item_titles(shop: Shop) -> list[str]:
    """Title of every item; the number at the end keeps two of the same make apart."""
    return [
        f"{MATERIALS[i * 7 % len(MATERIALS)]} {THINGS[i * 5 % len(THINGS)]} No. {i + 1}" for i in range(shop.n_items)
    ]


def item_brands(shop: Shop) -> list[str]:
    """Brand of every item."""
    return [BRANDS[i * 3 % len(BRANDS)] for i in range(shop.n_items)]
