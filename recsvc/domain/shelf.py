"""The catalogue as a shop floor: which category each item stands in, and how dear it is among its neighbours.

Categories are paths cut at two levels: the first alone ("GROCERY") says too little, and deeper ones too little each.
What may say something about health, faith or intimate life is no category here, so it is never shown of anybody.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Counts, Mask, Money, Rows, Vector

SEPARATOR = " > "
LEVELS = 2
MIN_PRICED = 5  # items with a price; fewer make no cheap and no dear
PRICE_BITS = 40  # a price in minor units takes fewer
ABOVE_ALL = np.iinfo(np.int64).max  # so that a search always ends on a key
SENSITIVE = re.compile(
    r"\b(pharma|prescri|rx\b|medic|health ?care|remed|incontinen|laxativ|antacid|analges|allerg|diabet|diet|fitness"
    r"|family planning|contracep|condom|fertil|pregnan|matern|feminin|sexual|erotic|adult|hiv|first aid"
    r"|vision aid|hearing|smoking|tobacco|cigar|kosher|halal|religio|ethnic|politic)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Categories and prices by item row.

    Attributes
    ----------
    names : length n_categories, ascending; paths of at most two levels
    category : shape (n_items,), position in `names`; means nothing where `is_placed` is False
    is_placed : shape (n_items,)
        False without a category, or with a sensitive one.
    share : shape (n_categories,), share of all purchases by distinct buyers; adds up to 1
    price_keys : shape (n_prices,), category and last price as one integer, each once, ascending; a last one above all
    n_cheaper : shape (n_prices + 1,), items with a key below each
    starts : shape (n_categories + 1,), items with a price in the categories before each
    """

    names: tuple[str, ...]
    category: Rows
    is_placed: Mask
    share: Vector
    price_keys: Counts
    n_cheaper: Counts
    starts: Counts

    def price_position(self, category: Rows, price: Money) -> tuple[Vector, Mask]:
        """Share of a category's items that are cheaper than a price, those as dear counted half; and where it is known.

        Parameters
        ----------
        category : shape (n,), position in `names`
        price : shape (n,), minor units
        """
        key = category.astype(np.int64) << PRICE_BITS | price
        place = np.searchsorted(self.price_keys, key)
        cheaper = self.n_cheaper[place].astype(np.float64)
        as_dear = np.where(self.price_keys[place] == key, self.n_cheaper[place + 1] - self.n_cheaper[place], 0)
        sizes = np.diff(self.starts)[category]
        return (cheaper + as_dear / 2 - self.starts[category]) / np.maximum(sizes, 1), sizes >= MIN_PRICED


def build_shelf(paths: Sequence[str | None], last_price: Money, n_buyers: Counts) -> Shelf:
    """Shelf from the columns of `items.parquet`.

    Parameters
    ----------
    paths : length n_items
        Category paths as the retailer writes them, levels separated by " > ".
    last_price : shape (n_items,), minor units
    n_buyers : shape (n_items,)

    Examples
    --------
    >>> shelf = build_shelf(["FOOD > MILK > UHT", "FOOD > BREAD", "DRUG > PHARMACY", None], *np.ones((2, 4), np.int64))
    >>> shelf.names, shelf.is_placed.tolist(), shelf.share.tolist()
    (('FOOD > BREAD', 'FOOD > MILK'), [True, True, False, False], [0.5, 0.5])
    """
    distinct = list(set(paths))
    cut = {
        path: _cut(shown) if shown else None for path, shown in zip(distinct, without_sensitive(distinct), strict=True)
    }
    placed = [cut[path] for path in paths]
    names = tuple(sorted({name for name in placed if name is not None}))
    position = {name: place for place, name in enumerate(names)}
    is_placed = np.array([name is not None for name in placed], bool)
    category = np.array([0 if name is None else position[name] for name in placed], np.int32)
    buyers = np.bincount(category[is_placed], n_buyers[is_placed], len(names))
    priced = is_placed & (last_price > 0)
    keys, counts = np.unique(category[priced].astype(np.int64) << PRICE_BITS | last_price[priced], return_counts=True)
    n_cheaper = np.concatenate([[0], np.cumsum(counts), [counts.sum()]])
    starts = n_cheaper[np.searchsorted(keys, np.arange(len(names) + 1, dtype=np.int64) << PRICE_BITS)]
    keys = np.append(keys, ABOVE_ALL)
    return Shelf(names, category, is_placed, buyers / max(buyers.sum(), 1.0), keys, n_cheaper, starts)


def without_sensitive(paths: Sequence[str | None], also: Sequence[str] = ()) -> list[str | None]:
    """The same paths, None for sensitive ones, however deep the word is.

    Parameters
    ----------
    also : category paths
        They and what lies below them are sensitive, too; case does not matter.

    Examples
    --------
    >>> without_sensitive(["DRUG > TOBACCO", "Toys > Dolls", "Toys", None], also=["toys > dolls"])
    [None, None, 'Toys', None]
    """
    below = tuple(one.casefold() + SEPARATOR for one in also)
    return [None if path and _is_sensitive(path, below) else path for path in paths]


def _is_sensitive(path: str, below: tuple[str, ...]) -> bool:
    return SENSITIVE.search(path) is not None or (path.casefold() + SEPARATOR).startswith(below)


def _cut(path: str) -> str:
    """First two levels of a path."""
    return SEPARATOR.join(path.split(SEPARATOR)[:LEVELS])
