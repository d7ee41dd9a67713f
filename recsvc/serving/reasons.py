"""Why an item is on the list, in words a customer may read, each with the figures it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np

from recsvc.domain.arrays import Factors, Mask, Rows
from recsvc.domain.details import log_prices
from recsvc.domain.grounds import Grounds
from recsvc.domain.items import ItemTable
from recsvc.domain.pairs import CustomerBatch, Pairs, bought_rows
from recsvc.domain.signals import Signals
from recsvc.serving.category_sources import MIN_FALL, STEP_UP
from recsvc.serving.customer_state import moment_of
from recsvc.serving.slate import Reason

MIN_COMEBACK_BUYERS = 5  # fewer would point at single people
MIN_RECENT_BUYERS = 5
CACHED = 4_096  # sentences of a kind that are kept: of many pairs of items, some 700 bytes each


class ReasonWriter:
    """Finds the grounds of chosen items, and puts them into words.

    Parameters
    ----------
    title_of
        What to call the item of a row.
    recent_days
        The window of "lately".
    nameable : shape (n_items,)
        What may be named beside another item.
    """

    def __init__(
        self, items: ItemTable, factors: Factors, title_of: Callable[[int], str], recent_days: int, nameable: Mask
    ) -> None:
        self._items, self._factors, self._title_of = items, factors, title_of
        self._recent_days, self._nameable = recent_days, nameable
        self._own = lru_cache(CACHED)(_of_own)
        self._others = lru_cache(CACHED)(self._of_others)
        self._fallen = lru_cache(CACHED)(self._with_fallen_price)
        self._related = lru_cache(CACHED)(self._related_to)

    def grounds(self, facts: Signals, position: int, pairs: Pairs, batch: CustomerBatch) -> Grounds:
        """What speaks for the item at `position` of the candidates."""
        row, customer = int(pairs.item[position]), int(pairs.customer[position])
        times = int(facts.order_days[position])
        sessions = batch.sessions
        return Grounds(
            times=times,
            usual_gap_days=round(float(facts.typical_gap_days[position])),
            days_since=int(facts.days_since_item[position]),
            because=None if times else self._closest(row, bought_rows(batch.own, customer)),
            looked_at=None if sessions is None else self._closest(row, sessions.rows[customer]),
        )

    def reasons(self, row: int, grounds: Grounds, clock_day: int, last_order_day: int | None) -> tuple[Reason, ...]:
        """At least one reason for an item, the most personal first.

        Parameters
        ----------
        clock_day : days since 1970-01-01
            Of the ranking.
        last_order_day : days since 1970-01-01
            None for somebody who never ordered.
        """
        said = self._own(grounds.times, grounds.usual_gap_days, grounds.days_since)
        if grounds.looked_at is not None and grounds.looked_at != row:
            said += (self._with_session(grounds.looked_at),)
        if last_order_day is not None:
            said += self._to_a_customer(row, grounds, clock_day, last_order_day)
        said += self._others(row)
        return said or (self._popular(row),)

    def _with_session(self, looked_at: int) -> Reason:
        text = f"goes with what you are looking at: {self._title_of(looked_at)}"
        return Reason("session", text, {"because_item_id": self._items.ids.id(looked_at)})

    def _to_a_customer(self, row: int, grounds: Grounds, clock_day: int, last_order_day: int) -> tuple[Reason, ...]:
        """What is new to somebody since their last order."""
        said: tuple[Reason, ...] = ()
        if not grounds.times:
            first_day = int(self._items.first_day[row])
            if first_day > last_order_day:
                since = {"days_on_sale": clock_day - first_day}
                said += (Reason("new_arrival", "new since your last order", since),)
            if grounds.because is not None:
                said += (self._related(row, grounds.because),)
        was_here_lately = last_order_day >= self._items.as_of_day - self._recent_days
        return said if was_here_lately else said + self._fallen(row)

    def _related_to(self, row: int, because: int) -> Reason:
        step_up = _is_a_step_up(self._items, because, row)
        code, what = ("up_sell", "a step up from") if step_up else ("taste", "goes with what you bought:")
        return Reason(code, f"{what} {self._title_of(because)}", {"because_item_id": self._items.ids.id(because)})

    def _closest(self, row: int, rows: Rows) -> int | None:
        """Row of the item nearest in taste among those that may be named."""
        return closest(row, rows[self._nameable[rows]], self._factors)

    def _with_fallen_price(self, row: int) -> tuple[Reason, ...]:
        fall = float(self._items.price_fall(np.array([row]))[0])
        percent = round(100 * fall)
        text = f"{percent} % cheaper since your last order"
        return (Reason("price_drop", text, {"percent": percent}),) if fall >= MIN_FALL else ()

    def _of_others(self, row: int) -> tuple[Reason, ...]:
        """What speaks for an item whoever asks."""
        return tuple(self._said_of_all(row))

    def _said_of_all(self, row: int) -> Iterator[Reason]:
        items = self._items
        if items.is_promoted(np.array([row]))[0]:
            until = f"{moment_of(int(items.promotion_ends_day[row])):%Y-%m-%d}"
            yield Reason("promotion", f"on promotion until {until}", {"until": until})
        came_back, lately = int(items.n_comeback_buyers[row]), int(items.n_recent_buyers[row])
        if came_back >= MIN_COMEBACK_BUYERS:
            text = f"{came_back} customers who came back after a break bought it"
            yield Reason("comeback", text, {"customers": came_back})
        if lately >= MIN_RECENT_BUYERS:
            text = f"{lately} customers bought it in the last {self._recent_days} days"
            yield Reason("trending", text, {"customers": lately, "days": self._recent_days})

    def _popular(self, row: int) -> Reason:
        buyers = int(self._items.n_buyers[row])
        return Reason("popular", "among the products most customers buy", {"buyers": buyers})


def _of_own(times: int, gap_days: int, days_since: int) -> tuple[Reason, ...]:
    """What the customer's own purchases of an item say."""
    if times == 0:
        return ()
    if times == 1:
        text = f"you bought this {days_since} days ago"
        return (Reason("bought_before", text, {"times": 1, "days_since": days_since}),)
    text = f"you bought this {times} times, usually every {gap_days} days; it has been {days_since}"
    if times == 2:  # one gap is no habit
        text = f"you bought this twice, {gap_days} days apart; it has been {days_since}"
    evidence = {"times": times, "usual_gap_days": gap_days, "days_since": days_since}
    return (Reason("bought_often", text, evidence),)


def closest(row: int, rows: Rows, factors: Factors) -> int | None:
    """Which of some items lies nearest to one in taste; None when none of them has factors."""
    rows = rows[rows < len(factors)]
    if not len(rows):
        return None
    lengths = np.linalg.norm(factors[rows], axis=1)
    cosines = factors[rows] @ factors[row] / np.maximum(lengths, np.finfo(np.float32).tiny)
    best = int(np.argmax(cosines))
    return int(rows[best]) if cosines[best] > 0 else None


def _is_a_step_up(items: ItemTable, own: int, row: int) -> bool:
    """Whether an item is of the category of another and dearer."""
    price, own_price = log_prices(items, np.array([row, own]))
    category = items.second_category
    return bool(category[row] > 0 and category[row] == category[own] and price > own_price + STEP_UP)
