"""What was different for a customer when they left: one rule a reason, each on the record up to one order.

Everybody is judged at one order so old that a lapse after it would show by now: whoever left at their last, whoever
stayed at any, after which they were back in time. Rules see nothing the customer did after that order, so their rates
among the two compare. They find coincidences, not causes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from recsvc.domain.arrays import AnyArray, Counts, Days, Mask, Rows, Vector
from recsvc.domain.history import Histories
from training.churn_market import Market

# The most specific evidence first: who has several reasons is counted under the first.
REASONS: Final = ("complaint", "favourite_gone", "price_rise", "category_faded")
LOOKBACK_DAYS = 364
TROUBLE_DAYS = 30  # between a complaint or return and the order, before or after it
FAVOURITE_ORDERS = 3  # at least, with the item
FAVOURITE_SHARE = 1 / 3  # of the orders, with the item
PRICE_RISE = 0.10  # above the general price level
LEAST_SOLD = 1e-3  # units: less is rounding, not another customer
PRICE_COVERAGE = 0.5  # of what was spent, on items whose price is known at the end
MAIN_SHARE = (
    2 / 3
)  # of the earlier orders, with the main category: by chance, 3 orders in a row lack it at most 1 in 27
EARLIER_ORDERS = 4
LAST_ORDERS = 3
GOLDEN_RATIO = (5**0.5 - 1) / 2
CATEGORY_KEPT = 0.5  # of its share of sales that a category kept with everybody; below, it faded for all


@dataclass(frozen=True, slots=True)
class JudgedOrders:
    """The order at which each customer is judged; every array has shape (n_customers,).

    Attributes
    ----------
    left : lapsed or lost
    stayed : has been back within the own limit
    day : days since 1970-01-01; like the rest, means nothing where a customer neither left nor stayed
    limit_days : silence that counts as a lapse, in whole days
    n_orders : up to and with that order
    age_days : from the first order to that one
    amount : minor units, of all orders up to that one
    """

    left: Mask
    stayed: Mask
    day: Counts
    limit_days: Counts
    n_orders: Counts
    age_days: Counts
    amount: Counts


@dataclass(frozen=True, slots=True)
class Troubles:
    """Complaints, low satisfaction and returns of a batch; each of shape (n_troubles,).

    Attributes
    ----------
    customer : position in the batch
    day : days since 1970-01-01
    """

    customer: Counts
    day: Days


@dataclass(frozen=True, slots=True)
class KnownLines:
    """Lines up to the judged orders, as columns of shape (n_lines,); `customer` is a position in the batch."""

    customer: Counts
    day: Days
    item: Rows
    quantity: Vector
    amount: Vector


def judged_orders(
    histories: Histories, left: Mask, lapsed_after_days: Vector, as_of_day: int, n_before: int = 0
) -> JudgedOrders:
    """For each customer an order that lies more than a lapse back: the last, or of whoever did not leave any of those.

    Which one is spread evenly over customers, so that orders of those who stayed lie at all times of the record.

    Parameters
    ----------
    left : shape (n_customers,)
        Lapsed or lost at `as_of_day`.
    lapsed_after_days : shape (n_customers,), days
        Silence after which each counts as lapsed (`lapse.lapsed_after_days`).
    n_before
        Customers read before this batch.
    """
    limit = np.floor(lapsed_after_days).astype(np.int64) + 1
    whose, starts = histories.order_customer(), histories.order_offsets[:-1]
    old = histories.order_day <= as_of_day - limit[whose]
    n_old = np.bincount(whose[old], minlength=len(histories))
    chosen = np.where(left, n_old - 1, (_spread(n_before, len(histories)) * n_old).astype(np.int64))
    judged, last = starts + np.maximum(chosen, 0), histories.order_offsets[1:] - 1
    day = histories.order_day[judged].astype(np.int64)
    back_after = histories.order_day[np.minimum(judged + 1, last)] - day
    until = np.arange(len(whose)) <= judged[whose]
    return JudgedOrders(
        left=left & (n_old > 0),
        stayed=~left & (n_old > 0) & (judged < last) & (back_after <= limit),
        day=day,
        limit_days=limit,
        n_orders=judged - starts + 1,
        age_days=day - histories.order_day[starts],
        amount=np.bincount(whose[until], histories.order_amount[until], len(histories)).astype(np.int64),
    )


def evidence(histories: Histories, at: JudgedOrders, market: Market, troubles: Troubles | None) -> Mask:
    """Which reasons apply to which customers; shape (n_customers, n_reasons), in the order of `REASONS`."""
    lines = known_lines(histories, at)
    found = (
        had_trouble(at, troubles),
        favourite_gone(lines, at, market),
        price_rise(histories, lines, at, market) >= PRICE_RISE,
        category_faded(histories, at, market),
    )
    return np.stack(found, axis=1) & (at.left | at.stayed)[:, None]


def known_lines(histories: Histories, at: JudgedOrders) -> KnownLines:
    """Lines of the year up to the judged orders."""
    customer = histories.line_customer()
    before = at.day[customer] - histories.line_day
    kept = (before >= 0) & (before < LOOKBACK_DAYS)
    return KnownLines(
        customer[kept],
        histories.line_day[kept],
        histories.line_item[kept],
        histories.line_quantity[kept].astype(np.float64),
        histories.line_amount[kept].astype(np.float64),
    )


def had_trouble(at: JudgedOrders, troubles: Troubles | None) -> Mask:
    """Who complained, was dissatisfied or returned something within 30 days of the judged order; (n_customers,)."""
    if troubles is None:
        return np.zeros(len(at.day), bool)
    near = np.abs(troubles.day - at.day[troubles.customer]) <= TROUBLE_DAYS
    return np.bincount(troubles.customer[near], minlength=len(at.day)) > 0


def favourite_gone(lines: KnownLines, at: JudgedOrders, market: Market) -> Mask:
    """Whose favourite was sold for the last time before they would have been back; shape (n_customers,).

    A favourite is in at least 3 orders and in a third of them all.
    """
    n_items = len(market.gone)
    pair, times = np.unique(lines.customer * n_items + lines.item, return_counts=True)
    customer, item = pair // n_items, pair % n_items
    orders = _distinct_days(lines, len(at.day))
    favourite = (times >= FAVOURITE_ORDERS) & (times >= FAVOURITE_SHARE * orders[customer])
    in_time = market.last_day[item] <= at.day[customer] + at.limit_days[customer]
    return _any_of(customer[favourite & market.gone[item] & in_time], len(at.day))


def price_rise(histories: Histories, lines: KnownLines, at: JudgedOrders, market: Market) -> Vector:
    """How much dearer each customer's own items became than prices in general; shape (n_customers,), 0 = as much.

    What others paid for an item in the period after the judged order's, or in its own, against what they paid in the
    period the customer bought it in, weighted by the customer's money; then over the rise of the general level. Others,
    because whoever stays would else be compared with the own prices. 0 where it is known of less than half the money.
    """
    n, own = len(at.day), _OwnSales(histories, market)
    end, then = market.period_of(at.day)[lines.customer], market.period_of(lines.day)
    before = own.others_price(lines, then)
    later, same = own.others_price(lines, end + 1), own.others_price(lines, end)
    now, last = np.where(later > 0, later, same), np.minimum(end + (later > 0), market.n_periods - 1)
    known = (before > 0) & (now > 0) & (lines.amount > 0)
    rise = np.divide(now, before, out=np.ones(len(now)), where=known) / (market.level[last] / market.level[then])
    paid = np.bincount(lines.customer[known], lines.amount[known], n)
    enough = (paid > 0) & (paid >= PRICE_COVERAGE * np.bincount(lines.customer, lines.amount, n))
    risen = np.bincount(lines.customer[known], (lines.amount * rise)[known], n)
    return np.divide(risen, paid, out=np.ones(n), where=enough) - 1.0


class _OwnSales:
    """What each customer of a batch bought by item and period, to tell what all others paid."""

    def __init__(self, histories: Histories, market: Market) -> None:
        self._market = market
        key = self._keys(histories.line_customer(), histories.line_item, market.period_of(histories.line_day))
        self._key, position = np.unique(key, return_inverse=True)
        self._quantity = np.bincount(position, histories.line_quantity, len(self._key))
        self._amount = np.bincount(position, histories.line_amount, len(self._key))

    def others_price(self, lines: KnownLines, period: Counts) -> Vector:
        """What others paid a unit in a period, in minor units; 0 where nobody else bought it. Shape (n_lines,)."""
        quantity, amount = self._market.sold_in(lines.item, period)
        wanted = self._keys(lines.customer, lines.item, period)
        place = np.minimum(np.searchsorted(self._key, wanted), len(self._key) - 1)
        mine = self._key[place] == wanted
        others, theirs = quantity - self._quantity[place] * mine, amount - self._amount[place] * mine
        known = (others > LEAST_SOLD) & (theirs > 0)
        return np.asarray(np.divide(theirs, others, out=np.zeros(len(others)), where=known), np.float64)

    def _keys(self, customer: Counts, item: Rows, period: Counts) -> Counts:
        of_item = item.astype(np.int64) * (self._market.n_periods + 1) + period
        return customer * (len(self._market.gone) * (self._market.n_periods + 1)) + of_item


def category_faded(histories: Histories, at: JudgedOrders, market: Market) -> Mask:
    """Whose main category is in none of the last 3 orders, while it kept its place with everybody; (n_customers,).

    The main category is the one most was spent on before; it was in at least two thirds of at least 4 earlier orders,
    and still holds at least half of the share of sales that it had in the half year before.
    """
    n, width = len(at.day), market.n_categories
    if not width:
        return np.zeros(n, bool)
    customer, ordinal = histories.line_customer(), _order_ordinal(histories)
    category, n_earlier = market.category[histories.line_item], at.n_orders - LAST_ORDERS
    known = (category < width) & (ordinal < at.n_orders[customer])
    earlier = known & (ordinal < n_earlier[customer])
    main, has_main = _largest(customer[earlier], category[earlier], histories.line_amount[earlier], n)
    of_main = known & (category == main[customer])
    seen = np.unique(_key(customer[of_main], ordinal[of_main]))
    whose, late = seen >> 32, (seen & 0xFFFFFFFF) >= n_earlier[seen >> 32]
    times = np.bincount(whose[~late], minlength=n)
    steady = has_main & (n_earlier >= EARLIER_ORDERS) & (times >= MAIN_SHARE * n_earlier)
    return steady & ~_any_of(whose[late], n) & _kept(market, main, market.period_of(at.day))


def _spread(n_before: int, n: int) -> Vector:
    """Numbers in [0, 1) that cover it evenly, whatever the batches: multiples of the golden ratio."""
    return np.asarray((np.arange(n_before, n_before + n) * GOLDEN_RATIO) % 1.0, np.float64)


def _kept(market: Market, category: Counts, period: Counts) -> Mask:
    """Whether a category's share of everybody's lines is at least half of that of the six periods before."""
    before = np.stack([market.category_share[category, np.maximum(period - back, 0)] for back in range(1, 7)])
    return np.asarray(market.category_share[category, period] >= CATEGORY_KEPT * before.mean(axis=0), bool)


def _largest(customer: Counts, category: Counts, amount: AnyArray, n: int) -> tuple[Counts, Mask]:
    """Category each customer spent most on, the first of equals, and whether there is one."""
    pair, position = np.unique(_key(customer, category), return_inverse=True)
    money = np.bincount(position, amount, len(pair))
    order = np.lexsort((pair, -money, pair >> 32))
    whose, first = np.unique(pair[order] >> 32, return_index=True)
    largest = np.zeros(n, np.int64)
    largest[whose] = pair[order][first] & 0xFFFFFFFF
    return largest, _any_of(whose, n)


def _order_ordinal(histories: Histories) -> Counts:
    """How many orders of the same customer come before each line's; shape (n_lines,)."""
    orders = _key(histories.order_customer(), histories.order_day)
    place = np.searchsorted(orders, _key(histories.line_customer(), histories.line_day))
    return place - histories.order_offsets[:-1][histories.line_customer()]


def _distinct_days(lines: KnownLines, n: int) -> Counts:
    return np.bincount(np.unique(_key(lines.customer, lines.day)) >> 32, minlength=n)


def _key(high: AnyArray, low: AnyArray) -> Counts:
    """Two non-negative numbers below 2^31 as one, in the order of both."""
    return (high.astype(np.int64) << 32) | low.astype(np.int64)


def _any_of(positions: Counts, n: int) -> Mask:
    return np.bincount(positions, minlength=n) > 0
