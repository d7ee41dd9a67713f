"""What is on sale now, by item row of a bundle: learned from the live store, and only of what changed."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import TypeVar

import numpy as np

from recsvc.domain.arrays import Counts, Mask, Rows
from recsvc.domain.ids import ItemIds
from recsvc.serving.live_data import Stock
from recsvc.store.availability import AvailabilityStore, Offer

Column = TypeVar("Column", Mask, Counts)


def stock_without_word(n_items: int) -> Stock:
    """Nothing was said of any item."""
    nothing = np.zeros(n_items, bool)
    return Stock(nothing, nothing, nothing, np.zeros(n_items, np.int64))


class LiveStock:
    """The stock of one bundle; safe to share between threads.

    Raises
    ------
    StoreUnavailable
        If the database does not answer.
    """

    def __init__(self, store: AvailabilityStore, ids: ItemIds) -> None:
        self._store, self._ids = store, ids
        self._lock = Lock()
        self._mark: int | None = None
        self._seq = 0
        self._stock = stock_without_word(len(ids))

    def now(self, mark: int | None) -> Stock:
        """Stock with everything that was said before the database had this mark, or before this call without one."""
        if mark is not None and mark == self._mark:
            return self._stock
        with self._lock:
            self._seq, changed = self._store.changed_after(self._seq)
            if changed:
                self._stock = _after(self._stock, changed, self._ids)
            self._mark = mark
            return self._stock


def _after(stock: Stock, changed: tuple[Offer, ...], ids: ItemIds) -> Stock:
    known = [offer for offer in changed if offer.item_id in ids]
    rows = ids.known_rows(offer.item_id for offer in known)
    on_sale, sold_out, has_price, price = (
        _replaced(stock.on_sale, rows, [offer.available for offer in known]),
        _replaced(stock.sold_out, rows, [not offer.available for offer in known]),
        _replaced(stock.has_price, rows, [offer.price is not None for offer in known]),
        _replaced(stock.price, rows, [offer.price or 0 for offer in known]),
    )
    return Stock(sold_out, on_sale, has_price, price)


def _replaced(column: Column, rows: Rows, values: Sequence[int]) -> Column:
    """Return a read-only copy with other values in some rows."""
    new = column.copy()
    new[rows] = values
    new.flags.writeable = False
    return new
