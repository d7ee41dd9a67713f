"""Customers who did something since a bundle's `as_of`: a purchase counts in the very next answer of any worker.

On SQLite a worker knows the customers who did anything, 16 bytes each, and learns of new ones only after a commit: for
everybody else a request costs one number. Other databases are asked about the customer, by index, on every request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from threading import Lock
from typing import Final

from recsvc.domain.keys import key_of_id
from recsvc.serving.customer_state import day_of
from recsvc.serving.live_data import LiveCustomer, LiveLine
from recsvc.store.events import Event, EventKind, EventStore

STEERING: Final[tuple[EventKind, ...]] = ("purchase", "view", "cart")
SESSION = timedelta(days=1)  # before the last event: what was looked at earlier says little about now
SESSION_ITEMS = 20
CENT, TENTH_OF_CENT, HUNDREDTH_OF_CENT = Decimal("0.01"), Decimal("0.001"), Decimal("0.0001")


class LiveCustomers:
    """What customers did since one bundle; safe to share between threads.

    Parameters
    ----------
    store
        The events.
    as_of
        Of the bundle: earlier events do not count.

    Raises
    ------
    StoreUnavailable
        If the database does not answer; so do all questions.
    """

    def __init__(self, store: EventStore, as_of: datetime) -> None:
        self._store, self._as_of = store, as_of
        self._lock = Lock()
        self._mark: int | None = None
        self._seq = 0
        self._keys: set[bytes] = set()

    def of(self, customer_ids: Sequence[str], mark: int | None) -> Mapping[str, LiveCustomer]:
        """What some customers did since `as_of`; whoever did nothing is left out.

        Parameters
        ----------
        mark
            Of the database just now, as `recsvc.store.watch` tells it.
        """
        if mark is not None:
            self._catch_up(mark)
            customer_ids = [one for one in customer_ids if key_of_id(one) in self._keys]
        if not customer_ids:
            return {}
        found = self._store.of_customers(customer_ids, STEERING, since=self._as_of)
        return {
            customer_id: live_customer(list(theirs))
            for customer_id, theirs in groupby(sorted(found, key=_customer), key=_customer)
        }

    def _catch_up(self, mark: int) -> None:
        """Learn who did something since the last question."""
        if mark == self._mark:
            return
        with self._lock:
            self._seq, keys = self._store.customers_after(self._seq, STEERING, since=self._as_of)
            self._keys |= keys
            self._mark = mark  # read before the events were: what came between is looked for again


def live_customer(some: Sequence[Event]) -> LiveCustomer:
    """What at least one event of a customer, in order of time, come to."""
    bought = [event for event in some if event.kind == "purchase"]
    by_day = groupby(bought, key=lambda event: day_of(event.occurred_at))
    orders = {day: tuple(_lines(theirs)) for day, theirs in by_day}
    return LiveCustomer(
        orders={day: lines for day, lines in orders.items() if lines},
        looked_at=_looked_at(some),
        last_day=day_of(some[-1].occurred_at),
    )


def amount_of(quantity: float, price: float) -> int:
    """Minor units of a line, rounded as training rounds them: half away from zero.

    Examples
    --------
    >>> amount_of(3, 0.335)
    101
    """
    units = Decimal(repr(quantity)).quantize(TENTH_OF_CENT, ROUND_HALF_UP)
    total = units * Decimal(repr(price)).quantize(HUNDREDTH_OF_CENT, ROUND_HALF_UP)
    return int(total.quantize(CENT, ROUND_HALF_UP) * 100)


def _lines(bought: Iterable[Event]) -> Iterable[LiveLine]:
    """Lines that cost something: training leaves gifts and samples out, too."""
    for event in bought:
        quantity = float(event.details.get("quantity", 1.0))
        amount = amount_of(quantity, float(event.details["price"]))
        if event.item_id is not None and amount > 0:
            yield LiveLine(event.item_id, quantity, amount)


def _looked_at(some: Sequence[Event]) -> tuple[str, ...]:
    begins = some[-1].occurred_at - SESSION
    found: dict[str, bool] = {}
    for event in reversed(some):
        if event.item_id is not None and event.occurred_at > begins:
            found.setdefault(event.item_id, event.kind != "purchase")
    return tuple(item_id for item_id, only_looked_at in found.items() if only_looked_at)[:SESSION_ITEMS]


def _customer(event: Event) -> str:
    return event.customer_id
