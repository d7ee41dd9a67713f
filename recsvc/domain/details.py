"""Facts about the few candidates that the trees order: too dear for all candidates, told for a hundred a customer.

Like `signals`, they rest on the record, the shop and the taste vector alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
import scipy.sparse as sp

from recsvc.domain.arrays import Counts, Rows, Vector
from recsvc.domain.item_history import ItemHistories
from recsvc.domain.items import ItemTable
from recsvc.domain.lapse import LapseParams
from recsvc.domain.neighbours import closeness
from recsvc.domain.own_details import OwnDetails, own_details
from recsvc.domain.pairs import CustomerBatch, Pairs, last_orders, of_entries, own_entries
from recsvc.domain.shop import Shop
from recsvc.domain.signals import Signals

MIN_PRICE = 1.0  # minor unit: the floor of the logarithm
Record = TypeVar("Record", "OwnDetails", "CustomerTotals")


@dataclass(frozen=True, slots=True)
class CustomerTotals:
    """What is known of each customer as a whole; every array has shape (n_customers,), 0 for somebody without orders.

    Attributes
    ----------
    orders, items, lines : order-days, distinct items, lines of the record
    repeat_share : share of the items bought on two days or more, in [0, 1]
    spend : minor units, products only
    silence_days : days since the last order
    usual_gap_days : days between orders, by the customer's own gaps shrunk to everyone's; above 0
    decayed, decayed_year : order-days of all items together
    price_level : mean log price of what was bought, each line counting once
    """

    orders: Vector
    items: Vector
    lines: Vector
    repeat_share: Vector
    spend: Vector
    silence_days: Vector
    usual_gap_days: Vector
    decayed: Vector
    decayed_year: Vector
    price_level: Vector


@dataclass(frozen=True, slots=True)
class Details:
    """What the trees look at beside the blend's features; every array but `own` and `totals` has shape (n_pairs,).

    Attributes
    ----------
    signals : of the same pairs
    items, row : the item table, and the rows of it
    own : columns of `OwnDetails` per pair, 0 where never bought
    quantity : units bought
    totals : of the customer of each pair
    decayed_in_top, decayed_in_second : the customer's decayed order-days in the item's category at either level
    liked_close, bought_close, last_close : share of what the customer bought, in [0, 1], that is liked by the same
        people, bought in the same orders; the last one of the last order only
    """

    signals: Signals
    items: ItemTable
    row: Rows
    own: OwnDetails
    quantity: Vector
    totals: CustomerTotals
    decayed_in_top: Vector
    decayed_in_second: Vector
    liked_close: Vector
    bought_close: Vector
    last_close: Vector


def details(pairs: Pairs, signals: Signals, batch: CustomerBatch, shop: Shop) -> Details:
    """Facts about each pair, for a few pairs a customer; `signals` are those of the same pairs."""
    items, own = shop.items, batch.own
    entry, bought = own_entries(pairs, own, len(items))
    entries = own_details(batch, len(items))
    totals = customer_totals(batch, entries, shop)
    liked, last_order = _liked(batch.interest, len(shop.factors)), last_orders(batch, len(shop.factors))
    return Details(
        signals=signals,
        items=items,
        row=pairs.item,
        own=taken(entries, lambda column: of_entries(column, entry, bought)),
        quantity=of_entries(own.quantity, entry, bought),
        totals=taken(totals, lambda column: column[pairs.customer]),
        decayed_in_top=_in_category(items.top_category, pairs, own),
        decayed_in_second=_in_category(items.second_category, pairs, own),
        liked_close=closeness(pairs, liked, shop.liked_together),
        bought_close=closeness(pairs, liked, shop.bought_together),
        last_close=closeness(pairs, last_order, shop.bought_together),
    )


def customer_totals(batch: CustomerBatch, entries: OwnDetails, shop: Shop) -> CustomerTotals:
    """Sums over the record of each customer."""
    histories, own, n_customers = batch.histories, batch.own, len(batch.histories)
    line_customer, n_items = histories.line_customer(), np.diff(own.offsets).astype(np.float64)
    lines = np.diff(histories.line_offsets).astype(np.float64)
    log_price = log_prices(shop.items, histories.line_item)

    def added(customer: Counts, weight: Vector) -> Vector:
        return np.bincount(customer, weight, n_customers).astype(np.float64)

    return CustomerTotals(
        orders=batch.n_orders().astype(np.float64),
        items=n_items,
        lines=lines,
        repeat_share=added(own.customer, (own.order_days > 1).astype(np.float64)) / np.maximum(n_items, 1),
        spend=added(line_customer, histories.line_amount.astype(np.float64)),
        silence_days=batch.clock_day - batch.last_order_day(),
        usual_gap_days=_usual_gap(batch, shop.rhythm),
        decayed=added(own.customer, own.decayed_order_days),
        decayed_year=added(own.customer, entries.decayed_year),
        price_level=added(line_customer, log_price) / np.maximum(lines, 1),
    )


def log_prices(items: ItemTable, rows: Rows) -> Vector:
    """Log of the last price of items, in minor units; 0 for what costs nothing."""
    return np.log(np.maximum(items.last_price[rows].astype(np.float64), MIN_PRICE))


def taken(record: Record, take: Callable[[Vector], Vector]) -> Record:
    """Return the same record with every column taken anew."""
    return type(record)(*(take(getattr(record, f.name)) for f in fields(record)))


def _usual_gap(batch: CustomerBatch, rhythm: LapseParams) -> Vector:
    r"""Days between orders at the posterior mean of the rate: :math:`p (v + \sum days) / (q + p n)`."""
    offsets, day = batch.histories.order_offsets, batch.histories.order_day
    n_gaps = np.maximum(np.diff(offsets) - 1, 0)
    span = np.zeros(len(n_gaps))
    several = n_gaps > 0
    span[several] = day[offsets[1:][several] - 1] - day[offsets[:-1][several]]
    gap: Vector = rhythm.p * (rhythm.v + span) / (rhythm.q + rhythm.p * n_gaps)
    return gap


def _in_category(category: Rows, pairs: Pairs, own: ItemHistories) -> Vector:
    """Decayed order-days of each pair's customer in the category of its item; 0 in the category of those with none."""
    width = int(category.max(initial=0)) + 1
    key = own.customer * width + category[own.item]
    total = np.bincount(key, own.decayed_order_days, minlength=(len(own.offsets) - 1) * width)
    wanted = category[pairs.item]
    return np.where(wanted > 0, total[pairs.customer * width + wanted], 0.0)


def _liked(own: ItemHistories, n_catalogue: int) -> sp.csr_matrix:
    """Root of the decayed order-days of each customer with each catalogue item."""
    inside = own.item < n_catalogue
    weight = np.sqrt(own.decayed_order_days[inside])
    return sp.csr_matrix((weight, (own.customer[inside], own.item[inside])), (len(own.offsets) - 1, n_catalogue))
