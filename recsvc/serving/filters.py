"""What filters mean: which items of a bundle fulfil one, compiled once, answered for the whole catalogue at a time.

What is not known of an item fulfils no condition but `!=`, and NOT turns that round; whoever said nothing about
availability counts as available, as everywhere. Text compares without regard to case, ids exactly.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsvc.domain.arrays import Mask, Vector, frozen
from recsvc.domain.business_rules import BusinessRule, parse_rule
from recsvc.domain.conditions import Condition, Every, Expression, Kind, Not, Some, Value
from recsvc.domain.filter_language import parse_filter

CATEGORY_SEPARATOR = " > "
ATTRIBUTE = "attribute_"
MINOR_UNITS = 100
COMPILED = 128  # filters kept a bundle, one byte an item each: 13 MB at 100,000 items
FILTER_COLUMNS = ("item_id", "title", "category", "brand", "price", "margin", "stock", "available", "days_on_sale")
TEXTS: Mapping[str, Kind] = {"item_id": "id", "title": "text", "brand": "text", "category": "path"}
COMPARE: Mapping[str, Callable[[Vector, float], Mask]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Column:
    """Something a filter can name: an Arrow array of text, or numpy of numbers (NaN: not known) or of yes and no."""

    kind: Kind
    values: pa.ChunkedArray | Vector | Mask


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
        met: Mask = frozen(self._met(parse_filter(text, self.kinds)))
        return met

    def _rule(self, text: str) -> BusinessRule:
        """Rule that is written so.

        Raises
        ------
        FilterError
        """
        return parse_rule(text, self.kinds)

    def _met(self, expression: Expression) -> Mask:
        if isinstance(expression, Not):
            return ~self._met(expression.inner)
        if isinstance(expression, Every):
            return reduce(operator.and_, map(self._met, expression.parts))
        if isinstance(expression, Some):
            return reduce(operator.or_, map(self._met, expression.parts))
        if expression.operator == "!=":
            return ~_fulfilled(self.columns[expression.column], Condition(expression.column, "in", expression.values))
        return _fulfilled(self.columns[expression.column], expression)


def _columns(catalogue: pa.Table, as_of_day: int) -> Iterator[tuple[str, Column]]:
    there = catalogue.column_names
    for name in TEXTS.keys() & there:
        yield name, Column(TEXTS[name], _comparable(catalogue[name], TEXTS[name]))
    if "available" in there:
        yield "available", Column("yes or no", pc.fill_null(catalogue["available"], True).to_numpy().astype(bool))
    if "stock" in there:
        yield "stock", Column("number", _numbers(catalogue["stock"]))
    yield "days_on_sale", Column("number", as_of_day - _numbers(catalogue["first_day"]))
    price = _numbers(catalogue["last_price"]) / MINOR_UNITS
    if "price" in there:
        listed = _numbers(catalogue["price"]) / MINOR_UNITS
        price = np.where(np.isnan(listed), price, listed)
    yield "price", Column("number", price)
    if "unit_cost" in there:
        with np.errstate(divide="ignore", invalid="ignore"):  # a price of 0 has no margin
            margin = 1 - _numbers(catalogue["unit_cost"]) / MINOR_UNITS / price
        yield "margin", Column("number", np.where(np.isfinite(margin), margin, np.nan))
    for name in (one for one in there if one.startswith(ATTRIBUTE)):
        yield name.removeprefix(ATTRIBUTE), Column("text or number", _comparable(catalogue[name], "text"))


def _comparable(values: pa.ChunkedArray, kind: Kind) -> pa.ChunkedArray:
    values = values.cast(pa.string())
    if kind == "id":
        return values
    lower = pc.utf8_lower(values)
    return _framed(lower) if kind == "path" else lower


def _framed(path: pa.ChunkedArray | pa.Scalar) -> pa.ChunkedArray | pa.Scalar:
    """Path with a separator at both ends, so that whole levels can be looked for."""
    separator = pa.scalar(CATEGORY_SEPARATOR)
    return pc.binary_join_element_wise(separator, path, separator, "")


def _numbers(values: pa.ChunkedArray) -> Vector:
    numbers: Vector = values.cast(pa.float64()).to_numpy()
    return numbers


def _fulfilled(column: Column, condition: Condition) -> Mask:
    values = column.values
    if condition.operator == "is":
        return np.asarray(values, bool)
    if condition.operator in ("=", "in"):
        return _is_one_of(column, condition.values)
    numbers = _read_numbers(values) if column.kind == "text or number" else np.asarray(values, np.float64)
    bounds = [value.number for value in condition.values]
    if condition.operator == "..":
        return (numbers >= bounds[0]) & (numbers <= bounds[1])
    return COMPARE[condition.operator](numbers, bounds[0])


def _is_one_of(column: Column, wanted: tuple[Value, ...]) -> Mask:
    if column.kind == "number":
        return np.isin(column.values, [value.number for value in wanted])
    if column.kind == "path":
        return reduce(operator.or_, (_lies_in(column.values, value.text) for value in wanted))
    if column.kind == "text or number":
        as_number = [value.number for value in wanted if value.is_number]
        as_text = tuple(value for value in wanted if not value.is_number)
        return np.isin(_read_numbers(column.values), as_number) | _is_text(column, as_text)
    return _is_text(column, wanted)


def _is_text(column: Column, wanted: tuple[Value, ...]) -> Mask:
    texts = pa.array([value.text for value in wanted], pa.string())
    found = pc.is_in(column.values, value_set=texts if column.kind == "id" else pc.utf8_lower(texts))
    return np.asarray(found, bool)


def _lies_in(paths: pa.ChunkedArray, category: str) -> Mask:
    """Which paths contain some levels, one behind the other: a name at any level, or a path from anywhere."""
    sought = _framed(pc.utf8_lower(pa.scalar(category))).as_py()
    return np.asarray(pc.fill_null(pc.match_substring(paths, sought), False), bool)


def _read_numbers(texts: pa.ChunkedArray) -> Vector:
    return np.asarray(pd.to_numeric(texts.to_pandas(), errors="coerce"), np.float64)
