"""Why an item is on the list, in words a customer may read, each with the figures it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from recsvc.domain.arrays import Factors, Mask, Rows
from recsvc.domain.details import log_prices
from recsvc.domain.items import ItemTable
from recsvc.domain.pairs import CustomerBatch, Pairs, bought_rows
from recsvc.domain.signals import Signals
from recsvc.serving.category_sources import MIN_FALL, STEP_UP
from recsvc.serving.customer_state import moment_of
from recsvc.serving.slate import Reason

MIN_COMEBACK_BUYERS = 5  # fewer would point at single people
MIN_RECENT_BUYERS = 5


@dataclass(frozen=True, slots=True)
class ReasonWriter:
    """Writes the reasons of chosen items.

    Attributes
    ----------
    title_of : what to call the item of a row
    nameable : shape (n_items,), what may be named beside another item
    recent_days : the window of "lately"
    """

    items: ItemTable
    factors: Factors
    title_of: Callable[[int], str]
    recent_days: int
    nameable: Mask

    def reasons(self, facts: Signals, position: int, pairs: Pairs, batch: CustomerBatch) -> tuple[Reason, ...]:
        """At least one reason for the item at `position` of the candidates, the most personal first."""
        row, customer = int(pairs.item[position]), int(pairs.customer[position])
        own = list(self._own(facts, position))
        news = self._new_to_them(row, batch, customer, bought=bool(own))
        said = (*own, *self._looked_at(row, batch, customer), *news, *self._cheaper(row, batch, customer))
        return (*said, *self._others(row)) or (
            Reason("popular", "among the products most customers buy", {"buyers": int(self.items.n_buyers[row])}),
        )

    def _own(self, facts: Signals, position: int) -> Iterator[Reason]:
        times, since = int(facts.order_days[position]), int(facts.days_since_item[position])
        gap = round(float(facts.typical_gap_days[position]))
        if times == 2:  # one gap is no habit
            text = f"you bought this twice, {gap} days apart; it has been {since}"
            yield Reason("bought_often", text, {"times": times, "usual_gap_days": gap, "days_since": since})
        elif times > 2:
            text = f"you bought this {times} times, usually every {gap} days; it has been {since}"
            yield Reason("bought_often", text, {"times": times, "usual_gap_days": gap, "days_since": since})
        elif times == 1:
            yield Reason("bought_before", f"you bought this {since} days ago", {"times": 1, "days_since": since})

    def _looked_at(self, row: int, batch: CustomerBatch, customer: int) -> Iterator[Reason]:
        if batch.sessions is None:
            return
        because = self._closest(row, batch.sessions.rows[customer])
        if because is not None and because != row:
            text = f"goes with what you are looking at: {self.title_of(because)}"
            yield Reason("session", text, {"because_item_id": self.items.ids.id(because)})

    def _new_to_them(self, row: int, batch: CustomerBatch, customer: int, *, bought: bool) -> Iterator[Reason]:
        last_order = _last_order_day(batch, customer)
        if bought or last_order is None:
            return
        if self.items.first_day[row] > last_order:
            days = int(batch.clock_day[customer] - self.items.first_day[row])
            yield Reason("new_arrival", "new since your last order", {"days_on_sale": days})
        because = self._closest(row, bought_rows(batch.own, customer))
        if because is not None:
            step_up = _is_a_step_up(self.items, because, row)
            code, what = ("up_sell", "a step up from") if step_up else ("taste", "goes with what you bought:")
            yield Reason(code, f"{what} {self.title_of(because)}", {"because_item_id": self.items.ids.id(because)})

    def _closest(self, row: int, rows: Rows) -> int | None:
        """Row of the item nearest in taste among those that may be named."""
        return closest(row, rows[self.nameable[rows]], self.factors)

    def _cheaper(self, row: int, batch: CustomerBatch, customer: int) -> Iterator[Reason]:
        last_order, fall = _last_order_day(batch, customer), float(self.items.price_fall(np.array([row]))[0])
        if last_order is not None and last_order < self.items.as_of_day - self.recent_days and fall >= MIN_FALL:
            percent = round(100 * fall)
            yield Reason("price_drop", f"{percent} % cheaper since your last order", {"percent": percent})
        if self.items.is_promoted(np.array([row]))[0]:
            until = f"{moment_of(int(self.items.promotion_ends_day[row])):%Y-%m-%d}"
            yield Reason("promotion", f"on promotion until {until}", {"until": until})

    def _others(self, row: int) -> Iterator[Reason]:
        came_back, lately = int(self.items.n_comeback_buyers[row]), int(self.items.n_recent_buyers[row])
        if came_back >= MIN_COMEBACK_BUYERS:
            text = f"{came_back} customers who came back after a break bought it"
            yield Reason("comeback", text, {"customers": came_back})
        if lately >= MIN_RECENT_BUYERS:
            text = f"{lately} customers bought it in the last {self.recent_days} days"
            yield Reason("trending", text, {"customers": lately, "days": self.recent_days})


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


def _last_order_day(batch: CustomerBatch, customer: int) -> int | None:
    end = int(batch.histories.order_offsets[customer + 1])
    return int(batch.histories.order_day[end - 1]) if end > batch.histories.order_offsets[customer] else None
