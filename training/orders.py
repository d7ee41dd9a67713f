"""The typed order lines: the user's columns, read once, with what is wrong with each row as a bit mask.

Columns of the result: source_row (from 0), order_hash, in_return_order (its id matches `return_order_pattern`),
customer_id, item_id, ordered_at (UTC), day, quantity DECIMAL(18, 3), amount (minor units of the line), problems, and
discount (minor units, 0 or more), currency, channel, status, title where the user has them. An order's id is nearly as
various as the lines, and needed only to tell orders apart, so its 64-bit hash is kept.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add, or_

import ibis
from ibis.expr.types import BooleanColumn, Column, IntegerColumn, Table

from recsvc.domain.documents import Section
from recsvc.errors import DataError
from training.columns import day_of, minor_units, moment, number, product, text
from training.config_data import OrderColumns, OrdersConfig
from training.session import Session, engine_errors_as_data_errors
from training.sources import RawTable

NEEDED = ("customer_id", "item_id", "ordered_at", "quantity")
OPTIONAL_TEXTS = ("currency", "channel", "status", "title")


@dataclass(frozen=True, slots=True)
class Check:
    """One way a row can be unusable; `bit` marks it in `problems`."""

    bit: int
    field: str
    problem: str
    fix: str


CHECKS = (
    Check(1, "item_id", "no item", "fill it in"),
    Check(2, "ordered_at", "not a date and time", "use ISO dates, or set orders.ordered_at_format"),
    Check(4, "ordered_at", "a date before 1970", "correct it"),
    Check(8, "quantity", "not a number", "write plain numbers, or set orders.decimal"),
    Check(16, "amount", "not a believable price", "write plain numbers without currency signs, or set orders.decimal"),
)


def present(raw: RawTable, columns: Section) -> frozenset[str]:
    """Our names of the columns the table has.

    Raises
    ------
    DataError
        A column the config maps is not there; the nearest one is named.
    """
    there = set(raw.table.columns)
    found = set()
    for field, mapped in columns:
        names = (mapped,) if isinstance(mapped, str) else mapped
        missing = [name for name in names if name not in there]
        if not missing:
            found.add(field)
        elif field in columns.model_fields_set:
            raise no_column(raw, f"{raw.name}.columns.{field}", missing[0])
    return frozenset(found)


def needed(raw: RawTable, columns: Section, fields: Iterable[str]) -> frozenset[str]:
    """Our names of the columns a table has.

    Raises
    ------
    DataError
        One that the config maps, or one of `fields`, is not there.
    """
    found = present(raw, columns)
    for field in fields:
        if field not in found:
            raise no_column(raw, f"{raw.name}.columns.{field}", getattr(columns, field))
    return found


def orders_columns(raw: RawTable, columns: OrderColumns) -> frozenset[str]:
    """Our names of the columns the orders have; DataError unless they have what every order needs."""
    found = needed(raw, columns, NEEDED)
    if not found & {"unit_price", "line_total"}:
        raise no_column(raw, "orders.columns.unit_price (or line_total)", columns.unit_price)
    return found


def no_column(raw: RawTable, key: str, name: str) -> DataError:
    """Error that says a column is missing, which is nearest, and which key to set."""
    there = list(raw.table.columns)
    nearest = difflib.get_close_matches(name, there, n=1)
    shown = ", ".join(repr(column) for column in there[:12])
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    return DataError(raw.where, f"there is no column {name!r}", f"{hint}set {key}; the columns are {shown}")


def type_orders(session: Session, raw: RawTable, config: OrdersConfig, zone: str) -> Table:
    """Read every order line once, into a stored table.

    Raises
    ------
    DataError
        A needed column is missing, or the file turns out to be damaged on the way.
    """
    found = orders_columns(raw, config.columns)
    with engine_errors_as_data_errors(
        raw.where, "mend that line or export the file again; or set encoding or delimiter"
    ):
        return session.store("orders_typed", typed_orders(raw.table, found, config, zone))


def typed_orders(raw: Table, found: frozenset[str], config: OrdersConfig, zone: str) -> Table:
    """Expression of the typed order lines.

    Rows are numbered as they are scanned: only there is the order of the file certain, a parallel insert may lose it.
    """
    raw = raw.mutate(source_row=ibis.row_number())
    names = config.columns
    columns = {
        "source_row": raw.source_row,
        "customer_id": text(raw, names.customer_id, config),
        "item_id": text(raw, names.item_id, config),
        "ordered_at": moment(raw, names.ordered_at, config, zone, config.ordered_at_format),
        "quantity": number(raw, names.quantity, config, scale=3),
        "amount": _amount(raw, found, config),
        **_order(raw, found, config),
    }
    columns |= {name: text(raw, getattr(names, name), config) for name in OPTIONAL_TEXTS if name in found}
    if "discount" in found:
        columns["discount"] = minor_units(_discount(raw, config)).fill_null(0)
    typed = raw.select(**columns)
    return typed.mutate(day=day_of(typed.ordered_at), problems=_problems(typed))


def _order(raw: Table, found: frozenset[str], config: OrdersConfig) -> dict[str, Column]:
    order_id = text(raw, config.columns.order_id, config) if "order_id" in found else ibis.null("string")
    pattern = config.return_order_pattern
    matches = order_id.re_search(pattern).fill_null(False) if pattern else ibis.literal(False)
    return {"order_hash": order_id.hash(), "in_return_order": matches}


def _amount(raw: Table, found: frozenset[str], config: OrdersConfig) -> Column:
    names = config.columns
    if "line_total" in found:
        return minor_units(number(raw, names.line_total, config, scale=4))
    amount = product(number(raw, names.quantity, config, scale=3), number(raw, names.unit_price, config, scale=4))
    if "discount" in found:
        amount = amount - _discount(raw, config)
    return minor_units(amount)


def _discount(raw: Table, config: OrdersConfig) -> Column:
    """Money taken off, whatever its sign; what cannot be read took nothing off."""
    names = (config.columns.discount,) if isinstance(config.columns.discount, str) else config.columns.discount
    return reduce(add, (number(raw, name, config, scale=4).abs().fill_null(0) for name in names))


def _problems(typed: Table) -> Column:
    wrong = {
        1: typed.item_id.isnull(),
        2: typed.ordered_at.isnull(),
        4: (typed.ordered_at < ibis.timestamp("1970-01-01")).fill_null(False),
        8: typed.quantity.isnull(),
        16: typed.amount.isnull() & typed.quantity.notnull(),
    }
    return problems_of(wrong)


def problems_of(wrong: Mapping[int, BooleanColumn]) -> IntegerColumn:
    """Bit mask of what is wrong with each row, from conditions by bit."""
    return reduce(or_, (condition.ifelse(bit, 0).cast("int32") for bit, condition in wrong.items()))
