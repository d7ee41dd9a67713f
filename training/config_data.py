"""Where the data is and what its columns are called: the part of a training config that a user writes.

Names on the left are ours, values are the user's own. Columns that already bear our names need no mapping.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveInt, StringConstraints

from recsvc.domain.documents import Section
from recsvc.serving.filters import FILTER_COLUMNS

ColumnName = Annotated[str, StringConstraints(min_length=1)]
ColumnNames = ColumnName | Annotated[tuple[ColumnName, ...], Field(min_length=1)]
MISSING_VALUES = ("", "NA", "N/A", "nan", "NaN", "NULL", "null", "None", "<NA>")


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]


def _is_no_column_of_ours(name: str) -> str:
    if name in FILTER_COLUMNS:
        raise ValueError("is the name of a column that filters know already; rename it")
    if "`" in name:
        raise ValueError("holds a backquote, which filters put around names")
    return name


AttributeName = Annotated[ColumnName, AfterValidator(_is_no_column_of_ours)]


class OrderColumns(Section):
    """What the columns of the orders table are called in the user's data."""

    order_id: ColumnName = "order_id"
    """Optional; finds returns by their number and tells baskets without a customer apart."""
    customer_id: ColumnName = "customer_id"
    item_id: ColumnName = "item_id"
    ordered_at: ColumnName = "ordered_at"
    quantity: ColumnName = "quantity"
    unit_price: ColumnName = "unit_price"
    """Price of one unit; this or `line_total` is needed."""
    line_total: ColumnName = "line_total"
    """Price of the whole line, discounts taken off; wins over `unit_price`."""
    discount: ColumnNames = "discount"
    """Optional; money taken off the line, in one column or several: off the price where that is `unit_price`, and said
    to be off already where it is `line_total`."""
    currency: ColumnName = "currency"
    channel: ColumnName = "channel"
    """Optional; where it was ordered."""
    status: ColumnName = "status"
    title: ColumnName = "title"
    """Optional; without an items table the last title seen is the item's title."""


class ItemColumns(Section):
    """What the columns of the items table are called; several columns may make one title or category path."""

    item_id: ColumnName = "item_id"
    title: ColumnNames = "title"
    category: ColumnNames = "category"
    brand: ColumnName = "brand"
    price: ColumnName = "price"
    unit_cost: ColumnName = "unit_cost"
    stock: ColumnName = "stock"
    """Units there are; for filters."""
    available: ColumnName = "available"
    available_from: ColumnName = "available_from"
    url: ColumnName = "url"
    image_url: ColumnName = "image_url"


class Source(Section):
    """One table: files (a path or glob of CSV, CSV.gz or Parquet), a file of an installed package, or SQL."""

    path: str | None = None
    """File or glob; relative to the config file, or to the package when `package` is set."""
    package: str | None = None
    """Importable name of an installed distribution that ships the file."""
    url: str | None = None
    """SQLAlchemy URL of a database; needs `query`."""
    query: str | None = None
    """SQL that returns the table; read as a stream."""
    encoding: str = "utf-8"
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    """Of CSV files; found in the header line when not given."""
    decimal: Literal[".", ","] = "."
    """Decimal mark in numbers that are written as text."""
    missing_values: tuple[str, ...] = MISSING_VALUES
    """Texts that mean "no value"."""


class OrdersConfig(Source):
    """The order lines."""

    columns: OrderColumns = OrderColumns()
    ordered_at_format: str | None = None
    """strptime format such as `%d/%m/%Y %H:%M`; not needed for ISO dates."""
    cancelled_statuses: tuple[str, ...] = ()
    """Values of `status` that mean the line never happened."""
    return_order_pattern: Pattern | None = None
    """Lines whose order_id matches are returns; lines with a negative quantity always are."""
    bad_rows: Literal["stop", "skip"] = "stop"
    """When a date, quantity, price or item cannot be read: stop, or leave the row out and count it."""


class ItemsConfig(Source):
    """The products, if there is a table of them."""

    columns: ItemColumns = ItemColumns()
    attributes: tuple[AttributeName, ...] = ()
    """Other columns that filters of a slate may name; whatever is not named stays where it is."""
    sensitive_categories: tuple[str, ...] = ()
    """Categories never named of anybody, nor in a message, beside those whose name hints at health or faith."""


class ServicesConfig(Section):
    """What is not a product (postage, fees, fuel): never recommended.

    Its money counts with the order of a day on which a product was bought, too; a day of services alone is no order.
    """

    item_id_pattern: Pattern | None = None
    """Item ids that match, anywhere unless anchored, are services."""
    item_columns: dict[ColumnName, tuple[str, ...]] = Field(default_factory=dict)
    """Columns of the items table, and the values that mark a service."""
    unlisted_items: bool = False
    """Treat items that the items table does not list as services: they have no title to show."""


class CleaningConfig(Section):
    """Which lines are not believed; each rule is counted in the report."""

    max_quantity: PositiveInt = 100_000
    """More units than this on one line is a typing error, not an order."""
    drop_exact_duplicates: bool = True
    """Keep one of several lines that agree in every column that is read."""
    drop_free_lines: bool = True
    """Leave out lines at no or a negative price: gifts, samples, stock corrections."""
