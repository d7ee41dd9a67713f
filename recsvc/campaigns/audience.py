"""Whom a campaign speaks of: a filter over what a bundle says of every customer."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from recsvc.bundle.reader import Bundle
from recsvc.domain.arrays import Mask
from recsvc.domain.filter_language import parse_filter
from recsvc.serving.masks import CATEGORY_SEPARATOR, Column, comparable, fulfilled, numbers

FAVOURITE = "favourite_category"  # one column for all of them, however many a bundle keeps
ATTRIBUTE = "attribute_"
BETWEEN = f"{CATEGORY_SEPARATOR}\0{CATEGORY_SEPARATOR}"  # so that no path goes from one favourite into the next


def audience(bundle: Bundle, where: str) -> Mask:
    """Who fulfils a filter, in the order of `bundle.customer_table`; shape (n_customers,).

    It can name the columns of `recsvc customers` but dates, `favourite_category` for any of a customer's favourites,
    and the attributes the retailer gave. What is not known of somebody fulfils nothing but `!=`.

    Raises
    ------
    FilterError
    """
    columns = dict(_columns(bundle.customer_table)) | dict(_attributes(bundle))
    return fulfilled(parse_filter(where, {name: column.kind for name, column in columns.items()}), columns)


def _columns(table: pa.Table) -> Iterator[tuple[str, Column]]:
    favourites = [name for name in table.column_names if name.startswith(FAVOURITE)]
    if favourites:
        joined = pc.binary_join_element_wise(*(table[name] for name in favourites), BETWEEN, null_handling="skip")
        yield FAVOURITE, Column("path", comparable(joined, "path"))
    for name in table.column_names:
        kind = table[name].type
        if name == "customer_id":
            yield name, Column("id", comparable(table[name], "id"))
        elif pa.types.is_string(kind) and name not in favourites:
            yield name, Column("text", comparable(table[name], "text"))
        elif pa.types.is_boolean(kind):
            yield name, Column("yes or no", pc.fill_null(table[name], False).to_numpy().astype(bool))
        elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
            yield name, Column("number", numbers(table[name]))


def _attributes(bundle: Bundle) -> Iterator[tuple[str, Column]]:
    """What the retailer said of customers, in the order of the customer table; null of whom it said nothing."""
    said = bundle.attributes
    if said is None:
        return
    row = pc.index_in(bundle.customer_table["customer_id"], value_set=said["customer_id"])
    for name in said.column_names:
        if name.startswith(ATTRIBUTE) or name == "language":
            values = said[name].take(row)
            yield name.removeprefix(ATTRIBUTE), Column("text or number", comparable(values, "text"))
