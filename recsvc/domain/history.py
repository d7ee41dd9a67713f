"""The customer record: order-days with money, items with day and quantity, touchpoints; undecayed, uncapped.

It is the one thing the service knows of a customer's past, and everything else (RFM, lapse state, taste, features) is
computed from it here in `domain`, the same way in training, back-test, batch and live requests. Many customers are held
as ragged columns, so that one is simply a batch of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from recsvc.domain.arrays import AnyArray, Counts, Days, Floats, Mask, Money, Offsets, Rows
from recsvc.domain.ragged import offsets_of, owner_of, rows_of
from recsvc.domain.touchpoints import Touchpoints, concatenate_touchpoints, no_touchpoints, take_touchpoints
from recsvc.errors import DataError


@dataclass(frozen=True, slots=True)
class Histories:
    """Records of a batch of customers, as ragged columns.

    Customer `c` owns orders `order_offsets[c]:order_offsets[c + 1]` and lines `line_offsets[c]:line_offsets[c + 1]`.

    Attributes
    ----------
    customer_ids : length n_customers
    order_offsets : shape (n_customers + 1,)
    order_day : shape (n_orders,), days since 1970-01-01, strictly ascending within a customer
    order_amount : shape (n_orders,), minor units (1/100 of the currency), never negative
    line_offsets : shape (n_customers + 1,)
    line_day : shape (n_lines,), days since 1970-01-01, ascending within a customer
    line_item : shape (n_lines,), item row, strictly ascending within a customer's day
    line_quantity : shape (n_lines,), units, above 0
    line_amount : shape (n_lines,), minor units
    touchpoints : of the same customers; none when not given

    Raises
    ------
    DataError
        If the touchpoints are of another number of customers.
    """

    customer_ids: tuple[str, ...]
    order_offsets: Offsets
    order_day: Days
    order_amount: Money
    line_offsets: Offsets
    line_day: Days
    line_item: Rows
    line_quantity: Floats
    line_amount: Money
    touchpoints: Touchpoints = field(default_factory=Touchpoints)

    def __post_init__(self) -> None:
        if len(self.touchpoints.offsets) == len(self) + 1:
            return
        if len(self.touchpoints):
            raise DataError("customer records", "the touchpoints are of another number of customers")
        object.__setattr__(self, "touchpoints", no_touchpoints(len(self)))

    def __len__(self) -> int:
        return len(self.customer_ids)

    def last_order_day(self) -> Days:
        """Day of each customer's last order; shape (n_customers,). Every customer must have one."""
        return self.order_day[self.order_offsets[1:] - 1]

    def line_customer(self) -> Counts:
        """Position in the batch of each line's customer; shape (n_lines,)."""
        return owner_of(self.line_offsets)

    def order_customer(self) -> Counts:
        """Position in the batch of each order's customer; shape (n_orders,)."""
        return owner_of(self.order_offsets)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One item of a live order; `item_row` is None when the live bundle does not hold the item."""

    item_row: int | None
    quantity: float
    amount: int


@dataclass(frozen=True, slots=True)
class Lines:
    """Order lines as columns, each of shape (n_lines,).

    Attributes
    ----------
    day : days since 1970-01-01
    item : item row; means nothing where `is_product` is False
    is_product : False for services such as postage
    quantity : units
    amount : minor units
    """

    day: Days
    item: Rows
    is_product: Mask
    quantity: Floats
    amount: Money


ORDER_COLUMNS = ("order_day", "order_amount")
LINE_COLUMNS = ("line_day", "line_item", "line_quantity", "line_amount")


def no_history(customer_id: str) -> Histories:
    """Record of somebody who never bought: a batch of one customer without orders."""
    nothing, none = np.zeros(2, np.int64), np.zeros(0, np.int32)
    quantity, amount = np.zeros(0, np.float32), np.zeros(0, np.int64)
    return Histories((customer_id,), nothing, none, amount, nothing, none, none, quantity, amount)


def build_histories(customer_ids: Sequence[str], customer: Counts, lines: Lines) -> Histories:
    """Records from order lines sorted by customer, day and item row.

    A customer-day with at least one product is an order; what was paid for services that day belongs to it. Days on
    which only services were bought are not orders.

    Parameters
    ----------
    customer_ids
        Every one of them has at least one product line.
    customer : shape (n_lines,), position in `customer_ids`
    lines
        What was bought.
    """
    n_customers = len(customer_ids)
    (whose, day), (amount, products) = _sum_by_key([customer, lines.day], [lines.amount, lines.is_product.astype(int)])
    is_order, product = products > 0, lines.is_product
    return Histories(
        customer_ids=tuple(customer_ids),
        order_offsets=np.searchsorted(whose[is_order], np.arange(n_customers + 1)).astype(np.int64),
        order_day=day[is_order],
        order_amount=np.maximum(amount[is_order], 0),
        line_offsets=np.searchsorted(customer[product], np.arange(n_customers + 1)).astype(np.int64),
        line_day=lines.day[product],
        line_item=lines.item[product],
        line_quantity=lines.quantity[product],
        line_amount=lines.amount[product],
    )


def append_order(history: Histories, day: int, lines: list[OrderLine]) -> Histories:
    """Record of one customer after one more order; the same result as summarising the order with the rest.

    Parameters
    ----------
    history
        A batch of one customer.
    day : days since 1970-01-01
        Day of the order; may be earlier than, or the same as, one already held.
    lines
        What was bought. Lines of items the live bundle does not hold count for the money only.
    """
    known = [line for line in lines if line.item_row is not None]
    (order_day,), (order_amount,) = _sum_by_key(
        [_with(history.order_day, [day])],
        [_with(history.order_amount, [sum(line.amount for line in lines)])],
    )
    (line_day, line_item), (line_quantity, line_amount) = _sum_by_key(
        [
            _with(history.line_day, [day] * len(known)),
            _with(history.line_item, [line.item_row for line in known]),
        ],
        [
            _with(history.line_quantity, [line.quantity for line in known]),
            _with(history.line_amount, [line.amount for line in known]),
        ],
    )
    return Histories(
        customer_ids=history.customer_ids,
        order_offsets=np.array([0, len(order_day)], np.int64),
        order_day=order_day,
        order_amount=order_amount,
        line_offsets=np.array([0, len(line_day)], np.int64),
        line_day=line_day,
        line_item=line_item,
        line_quantity=line_quantity,
        line_amount=line_amount,
        touchpoints=history.touchpoints,
    )


def concatenate(batches: Sequence[Histories]) -> Histories:
    """Put several batches one behind the other."""
    columns = {
        name: np.concatenate([getattr(batch, name) for batch in batches]) for name in (*ORDER_COLUMNS, *LINE_COLUMNS)
    }
    return Histories(
        customer_ids=tuple(customer_id for batch in batches for customer_id in batch.customer_ids),
        order_offsets=offsets_of([np.diff(batch.order_offsets) for batch in batches]),
        line_offsets=offsets_of([np.diff(batch.line_offsets) for batch in batches]),
        touchpoints=concatenate_touchpoints([batch.touchpoints for batch in batches]),
        **columns,
    )


def take(histories: Histories, positions: Counts) -> Histories:
    """Records of some customers of a batch, in the order asked for."""
    orders, order_offsets = rows_of(histories.order_offsets, positions)
    lines, line_offsets = rows_of(histories.line_offsets, positions)
    return Histories(
        customer_ids=tuple(histories.customer_ids[p] for p in positions),
        order_offsets=order_offsets,
        line_offsets=line_offsets,
        touchpoints=take_touchpoints(histories.touchpoints, positions),
        **{name: getattr(histories, name)[orders] for name in ORDER_COLUMNS},
        **{name: getattr(histories, name)[lines] for name in LINE_COLUMNS},
    )


def _with(column: AnyArray, new: Sequence[float | None]) -> AnyArray:
    return np.concatenate([column, np.array(new, column.dtype)])


def _sum_by_key(keys: list[AnyArray], values: list[AnyArray]) -> tuple[list[AnyArray], list[AnyArray]]:
    """Sort rows by their keys and add up those that share all of them; dtypes stay."""
    order = np.lexsort(keys[::-1])
    keys = [key[order] for key in keys]
    first = np.ones(len(order), bool)
    first[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    starts = np.flatnonzero(first)
    if not len(starts):
        return keys, values
    return [key[starts] for key in keys], [np.add.reduceat(v[order], starts).astype(v.dtype) for v in values]
