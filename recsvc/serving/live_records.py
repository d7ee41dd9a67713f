"""The customers of a question as of now: the bundle's records with live purchases appended, and what they look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsvc.bundle.reader import Bundle
from recsvc.domain.arrays import Mask, Rows
from recsvc.domain.history import Histories, OrderLine, append_order, concatenate, take
from recsvc.domain.ids import ItemIds
from recsvc.domain.session import Sessions
from recsvc.serving.live_data import LiveCustomer, LiveData, News


@dataclass(frozen=True, slots=True)
class Customers:
    """A batch of customers, in the order asked for; `known` says who ever ordered, shape (n_customers,)."""

    histories: Histories
    known: Mask
    sessions: Sessions


def news_of(bundle: Bundle, live: LiveData, customer_ids: Sequence[str]) -> News:
    """What is new of some customers; nothing may be said of those who want no personalisation either."""
    news, unprofiled = live.news(customer_ids), bundle.not_to_be_profiled
    if not unprofiled:
        return news
    hidden = news.hidden | unprofiled.intersection(customer_ids)
    return News(hidden, {one: what for one, what in news.happened.items() if one not in hidden}, news.stock)


def customers_now(
    bundle: Bundle, news: News, customer_ids: Sequence[str], context: Sequence[tuple[str, ...]]
) -> Customers:
    """Customers with everything that is known, and may be used, of them at this moment.

    Parameters
    ----------
    context : length n_customers
        Items that the caller says each is looking at.
    """
    histories, _ = bundle.customers.get_many(list(customer_ids), news.hidden)
    if news.happened:
        histories = with_live_orders(histories, news.happened, bundle.items.ids)
    looked_at = [(*seen, *news.looked_at(one)) for one, seen in zip(customer_ids, context, strict=True)]
    rows = tuple(_catalogue_rows(bundle, items) for items in looked_at)
    sessions = Sessions(rows, np.array([news.clock_day(one) for one in customer_ids], np.int32))
    return Customers(histories, np.diff(histories.order_offsets) > 0, sessions)


def histories_now(bundle: Bundle, live: LiveData, customer_ids: Sequence[str]) -> Histories:
    """Records of customers with what they ordered since; empty for those of whom nothing may be said."""
    news = news_of(bundle, live, customer_ids)
    return customers_now(bundle, news, customer_ids, [()] * len(customer_ids)).histories


def strangers(bundle: Bundle, live: LiveData, customer_ids: Sequence[str]) -> frozenset[str]:
    """Those of some customers of whom nothing may be said: erased, or without personalisation."""
    unprofiled = bundle.not_to_be_profiled
    return live.erased(customer_ids) | (unprofiled.intersection(customer_ids) if unprofiled else unprofiled)


def with_live_orders(histories: Histories, happened: Mapping[str, LiveCustomer], ids: ItemIds) -> Histories:
    """Records after the live orders, each appended to its customer's."""
    return concatenate(
        [
            _appended(take(histories, np.array([position])), happened[customer_id], ids)
            if customer_id in happened
            else take(histories, np.array([position]))
            for position, customer_id in enumerate(histories.customer_ids)
        ]
    )


def _appended(history: Histories, customer: LiveCustomer, ids: ItemIds) -> Histories:
    for day, lines in customer.orders.items():
        rows = [ids.row(line.item_id) if line.item_id in ids else None for line in lines]
        known = zip(rows, lines, strict=True)
        history = append_order(history, day, [OrderLine(row, line.quantity, line.amount) for row, line in known])
    return history


def _catalogue_rows(bundle: Bundle, item_ids: Sequence[str]) -> Rows:
    rows = np.unique(bundle.items.ids.known_rows(item_ids))
    return rows[rows < bundle.items.n_catalogue]
