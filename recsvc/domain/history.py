"""The customer record: order-days with money, items with day and quantity; undecayed, uncapped.

It is the one thing the service knows of a customer's past, and everything else (RFM, lapse state, taste, features) is
computed from it here in `domain`, the same way in training, back-test, batch and live requests. Many customers are held
as ragged columns, so that one is simply a batch of one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from recsvc.domain.arrays import AnyArray, Counts, Days, Floats, Money, Offsets, Rows


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

    def __len__(self) -> int:
        return len(self.customer_ids)

    def last_order_day(self) -> Days:
        """Day of each customer's last order; shape (n_customers,). Every customer must have one."""
        return self.order_day[self.order_offsets[1:] - 1]

    def line_customer(self) -> Counts:
        """Position in the batch of each line's customer; shape (n_lines,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.line_offsets))

    def order_customer(self) -> Counts:
        """Position in the batch of each order's customer; shape (n_orders,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.order_offsets))


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One item of a live order; `item_row` is None when the live bundle does not hold the item."""

    item_row: int | None
    quantity: float
    amount: int


EMPTY_LINES = (
    np.zeros(0, np.int32),
    np.zeros(0, np.int32),
    np.zeros(0, np.float32),
    np.zeros(0, np.int64),
)


def no_history(customer_id: str) -> Histories:
    """Record of somebody who never bought: a batch of one customer without orders."""
    offsets = np.zeros(2, np.int64)
    day, item, quantity, amount = EMPTY_LINES
    return Histories((customer_id,), offsets, day, amount, offsets, day, item, quantity, amount)


def append_order(history: Histories, day: int, lines: list[OrderLine]) -> Histories:
    """Record of one customer after one more order; the same result as summarising the order with the rest.

    Parameters
    ----------
    history
        A batch of one customer.
    day : days since 1970-01-01
        Day of the order; may be earlier than, or the same as, one already held.
    lines
        What was bought. Lines of unknown items count for the money only.
    """
    known = [line for line in lines if line.item_row is not None]
    amount = sum(line.amount for line in lines)
    order_day, (order_amount,) = _merge((history.order_day,), (history.order_amount,), ([day],), ([amount],))
    (line_day, line_item), (quantity, line_amount) = _merge_lines(history, day, known)
    return Histories(
        history.customer_ids,
        np.array([0, len(order_day[0])], np.int64),
        order_day[0],
        order_amount,
        np.array([0, len(line_day)], np.int64),
        line_day,
        line_item,
        quantity,
        line_amount,
    )


def _merge_lines(history: Histories, day: int, known: list[OrderLine]) -> tuple[tuple[AnyArray, ...], tuple[AnyArray, ...]]:
    return _merge(
        (history.line_day, history.line_item),
        (history.line_quantity, history.line_amount),
        ([day] * len(known), [line.item_row for line in known]),
        ([line.quantity for line in known], [line.amount for line in known]),
    )


def _merge(
    keys: tuple[AnyArray, ...],
    values: tuple[AnyArray, ...],
    new_keys: tuple[list[int], ...] | tuple[list[int | None], ...] | tuple[list[int], list[int | None]],
    new_values: tuple[list[float], ...] | tuple[list[int], ...] | tuple[list[float], list[int]],
) -> tuple[tuple[AnyArray, ...], tuple[AnyArray, ...]]:
    """Append rows, sort by the keys and add up rows that share them; dtypes stay."""
    all_keys = [np.concatenate([old, np.array(new, old.dtype)]) for old, new in zip(keys, new_keys, strict=True)]
    all_values = [np.concatenate([old, np.array(new, old.dtype)]) for old, new in zip(values, new_values, strict=True)]
    order = np.lexsort(all_keys[::-1])
    sorted_keys = [key[order] for key in all_keys]
    starts = np.flatnonzero(_differs_from_previous(sorted_keys))
    merged = [np.add.reduceat(value[order], starts).astype(value.dtype) if len(starts) else value for value in all_values]
    return tuple(key[starts] for key in sorted_keys), tuple(merged)


def _differs_from_previous(keys: list[AnyArray]) -> AnyArray:
    first = np.ones(len(keys[0]), bool)
    if len(first):
        first[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return first


def take(histories: Histories, positions: Counts) -> Histories:
    """Records of some customers of a batch, in the order asked for."""
    orders, order_offsets = _ragged_take(histories.order_offsets, positions)
    lines, line_offsets = _ragged_take(histories.line_offsets, positions)
    columns = {field.name: getattr(histories, field.name) for field in fields(histories)}
    return Histories(
        customer_ids=tuple(histories.customer_ids[p] for p in positions),
        order_offsets=order_offsets,
        line_offsets=line_offsets,
        **{name: column[orders] for name, column in columns.items() if name in ("order_day", "order_amount")},
        **{name: columns[name][lines] for name in ("line_day", "line_item", "line_quantity", "line_amount")},
    )


def _ragged_take(offsets: Offsets, positions: Counts) -> tuple[Counts, Offsets]:
    lengths = np.diff(offsets)[positions]
    new_offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    within = np.arange(new_offsets[-1]) - np.repeat(new_offsets[:-1], lengths)
    return np.repeat(offsets[:-1][positions], lengths) + within, new_offsets
