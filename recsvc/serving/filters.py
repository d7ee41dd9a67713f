"""What filters mean: which items of a bundle fulfil one, compiled once, answered for the whole catalogue at a time.

What is not known of an item fulfils no condition but `!=`, and NOT turns that round; whoever said nothing about
availability counts as available, as everywhere. Text compares without regard to case, ids exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsvc.domain.arrays import Mask, frozen
from recsvc.domain.business_rules import BusinessRule, parse_rule
from recsvc.domain.conditions import Kind
from recsvc.domain.filter_language import parse_filter
from recsvc.serving.masks import Column, comparable, fulfilled, numbers

ATTRIBUTE = "attribute_"
MINOR_UNITS = 100
COMPILED = 128  # filters kept a bundle, one byte an item each: 13 MB at 100,000 items
FILTER_COLUMNS = ("item_id", "title", "category", "brand", "price", "margin", "stock", "available", "days_on_sale")
TEXTS: Mapping[str, Kind] = {"item_id": "id", "title": "text", "brand": "text", "category": "path"}


class ItemFilters:
    """Filters and rules over the catalogue of one bundle.

    Parameters
    ----------
    catalogue
        The rows of `items.parquet` that filters speak of.
    as_of_day : days since 1970-01-01
    """

    def __init__(self, catalogue: pa.Table, as_of_day: int) -> None:
        self._catalogue, self._as_of_day = catalogue, as_of_day
        self.mask = lru_cache(maxsize=COMPILED)(self._mask)
        self.rule = lru_cache(maxsize=COMPILED)(self._rule)

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """Everything a filter can name here, by name."""
        return dict(_columns(self._catalogue, self._as_of_day))

    @cached_property
    def kinds(self) -> Mapping[str, Kind]:
        """Kind of every column."""
        return {name: column.kind for name, column in self.columns.items()}

    def _mask(self, text: str) -> Mask:
        """Which items fulfil a filter, read-only; shape (n_items,).

        Raises
        ------
        FilterError
        """
        met: Mask = frozen(fulfilled(parse_filter(text, self.kinds), self.columns))
        return met

    def _rule(self, text: str) -> BusinessRule:
        """Rule that is written so.

        Raises
        ------
        FilterError
        """
        return parse_rule(text, self.kinds)


def _columns(catalogue: pa.Table, as_of_day: int) -> Iterator[tuple[str, Column]]:
    there = catalogue.column_names
    for name in TEXTS.keys() & there:
        yield name, Column(TEXTS[name], comparable(catalogue[name], TEXTS[name]))
    if "available" in there:
        yield "available", Column("yes or no", pc.fill_null(catalogue["available"], True).to_numpy().astype(bool))
    if "stock" in there:
        yield "stock", Column("number", numbers(catalogue["stock"]))
    yield "days_on_sale", Column("number", as_of_day - numbers(catalogue["first_day"]))
    price = numbers(catalogue["last_price"]) / MINOR_UNITS
    if "price" in there:
        listed = numbers(catalogue["price"]) / MINOR_UNITS
        price = np.where(np.isnan(listed), price, listed)
    yield "price", Column("number", price)
    if "unit_cost" in there:
        with np.errstate(divide="ignore", invalid="ignore"):  # a price of 0 has no margin
            margin = 1 - numbers(catalogue["unit_cost"]) / MINOR_UNITS / price
        yield "margin", Column("number", np.where(np.isfinite(margin), margin, np.nan))
    for name in (one for one in there if one.startswith(ATTRIBUTE)):
        yield name.removeprefix(ATTRIBUTE), Column("text or number", comparable(catalogue[name], "text"))
