"""Which questions a bundle holds the answer to ready: the one that ranking would give.

Ready is the default question about somebody of whom nothing is new, as long as nothing on the list is sold out, and
nothing came back on sale that the bundle took for gone: it could belong on any list.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsvc.bundle.reader import Bundle
from recsvc.bundle.slates import STRANGER, BareSlate, SlatesReader
from recsvc.serving.live_data import News, Stock
from recsvc.serving.rules import available_items
from recsvc.serving.slate import Query, has_wishes

SOLD_OUT = "availability"  # among the filters applied


@dataclass(frozen=True, slots=True)
class Shelves:
    """What a stock means for stored slates: catalogue rows that are sold out, and whether others came back."""

    stock: Stock | None
    sold_out: frozenset[int]
    has_more: bool


class StoredSlates:
    """The stored slates of one bundle that holds some."""

    def __init__(self, bundle: Bundle, slates: SlatesReader) -> None:
        self._slates = slates
        self._was_on_sale, _ = available_items(bundle.catalogue, bundle.items.n_catalogue)
        self._stranger = slates.get(STRANGER)
        self._shelves = Shelves(None, frozenset(), has_more=False)

    def get(self, query: Query, news: News) -> BareSlate | None:
        """What the bundle holds ready for a question; None where it must be ranked."""
        customer_id = query.customer_id
        if query.k != self._slates.k or customer_id in news.happened or has_wishes(query):
            return None
        shelves = self._shelves_of(news.stock)
        if shelves.has_more:
            return None
        found = None if customer_id in news.hidden else self._slates.get(customer_id)
        return _unless_sold_out(found or self._stranger, shelves.sold_out)

    def _shelves_of(self, stock: Stock | None) -> Shelves:
        """The same as long as the stock is the same: it is asked for with every question."""
        shelves = self._shelves
        if stock is None or shelves.stock is stock:
            return shelves
        n_catalogue = len(self._was_on_sale)
        sold_out = frozenset(np.flatnonzero(stock.sold_out[:n_catalogue]).tolist())
        has_more = bool((stock.on_sale[:n_catalogue] & ~self._was_on_sale).any())
        self._shelves = Shelves(stock, sold_out, has_more)
        return self._shelves


def _unless_sold_out(slate: BareSlate | None, sold_out: frozenset[int]) -> BareSlate | None:
    if slate is None or not sold_out:
        return slate
    if any(item.row in sold_out for item in slate.items):
        return None
    return BareSlate(slate.course, slate.items, tuple(dict.fromkeys((SOLD_OUT, *slate.filters_applied))))
