"""What happened after a bundle's `as_of`, as ranking needs it: purchases, sessions, what is on sale.

Only the words; where it comes from is not known here, so that back-tests and batch runs need no database. Events before
the bundle's `as_of` are in the bundle, or in none: a bundle counts no event twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from recsvc.domain.arrays import Counts, Mask
from recsvc.serving.slate import Promise


@dataclass(frozen=True, slots=True)
class LiveLine:
    """One item of a live order; `amount` in minor units, above 0."""

    item_id: str
    quantity: float
    amount: int


@dataclass(frozen=True, slots=True)
class LiveCustomer:
    """What one customer did since `as_of`.

    Attributes
    ----------
    orders : lines by day (days since 1970-01-01), ascending
    looked_at : distinct items of the last session that were not bought since, latest first
    last_day : day of the last event, days since 1970-01-01
    """

    orders: Mapping[int, tuple[LiveLine, ...]]
    looked_at: tuple[str, ...]
    last_day: int


@dataclass(frozen=True, slots=True)
class Stock:
    """What the shop said of the items of a bundle, never changed; every array has shape (n_items,).

    Attributes
    ----------
    sold_out : what may not be shown
    on_sale : what may be shown, whatever the bundle says
    has_price, price : which prices are known, and these in minor units
    """

    sold_out: Mask
    on_sale: Mask
    has_price: Mask
    price: Counts

    def price_of(self, row: int) -> int | None:
        """Price of an item in minor units; None when the shop said none."""
        return int(self.price[row]) if self.has_price[row] else None


@dataclass(frozen=True, slots=True)
class News:
    """What some customers did since the bundle, and what is on sale, at one moment.

    Attributes
    ----------
    hidden : those of whom nothing may be said
    happened : of the others, those who did anything
    stock : None when nobody ever says
    """

    hidden: frozenset[str] = frozenset()
    happened: Mapping[str, LiveCustomer] = field(default_factory=dict)
    stock: Stock | None = None

    def clock_day(self, customer_id: str) -> int:
        """Day after a customer's last live event, days since 1970-01-01; 0 without any."""
        return self.happened[customer_id].last_day + 1 if customer_id in self.happened else 0

    def looked_at(self, customer_id: str) -> tuple[str, ...]:
        """Items of a customer's session."""
        return self.happened[customer_id].looked_at if customer_id in self.happened else ()


class LiveData(Protocol):
    """The live data of one bundle."""

    def news(self, customer_ids: Sequence[str]) -> News:
        """What some customers did since `as_of`, who of them was erased, and what is on sale."""

    def stock(self) -> Stock | None:
        """What is on sale at this moment; None when nobody ever says."""

    def erased(self, customer_ids: Sequence[str]) -> frozenset[str]:
        """Those of some customers who were erased: nothing may be said of them, whatever a bundle holds."""

    def promises(self, customer_ids: Sequence[str], now: datetime) -> Mapping[str, Promise]:
        """What running campaigns promised some customers; whoever is in none is left out."""


NOTHING = News()


class NoLiveData:
    """Nothing happened since."""

    def news(self, customer_ids: Sequence[str]) -> News:
        """Nothing."""
        return NOTHING

    def stock(self) -> None:
        """Nobody says."""

    def erased(self, customer_ids: Sequence[str]) -> frozenset[str]:
        """Nobody."""
        return frozenset()

    def promises(self, customer_ids: Sequence[str], now: datetime) -> Mapping[str, Promise]:
        """Nobody."""
        return {}
