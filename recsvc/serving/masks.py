"""What a filter means: which rows of some columns fulfil it.

What is not known fulfils no condition but `!=`, and NOT turns that round. Text compares without regard to case, ids
exactly.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsvc.domain.arrays import Mask, Vector
from recsvc.domain.conditions import Condition, Every, Expression, Kind, Not, Some, Value

CATEGORY_SEPARATOR = " > "
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


def fulfilled(expression: Expression, columns: Mapping[str, Column]) -> Mask:
    """Which rows fulfil an expression that names only columns there are; shape (n_rows,)."""
    if isinstance(expression, Not):
        return ~fulfilled(expression.inner, columns)
    if isinstance(expression, Every):
        return reduce(operator.and_, (fulfilled(part, columns) for part in expression.parts))
    if isinstance(expression, Some):
        return reduce(operator.or_, (fulfilled(part, columns) for part in expression.parts))
    column = columns[expression.column]
    if expression.operator == "!=":
        return ~_of_one(column, Condition(expression.column, "in", expression.values))
    return _of_one(column, expression)


def comparable(values: pa.ChunkedArray, kind: Kind) -> pa.ChunkedArray:
    """Texts as `Column` holds them for a kind: lower case but for ids, paths with a separator at both ends."""
    values = values.cast(pa.string())
    if kind == "id":
        return values
    lower = pc.utf8_lower(values)
    return _framed(lower) if kind == "path" else lower


def _framed(path: pa.ChunkedArray | pa.Scalar) -> pa.ChunkedArray | pa.Scalar:
    """Path with a separator at both ends, so that whole levels can be looked for."""
    separator = pa.scalar(CATEGORY_SEPARATOR)
    return pc.binary_join_element_wise(separator, path, separator, "")


def numbers(values: pa.ChunkedArray) -> Vector:
    """Numbers as `Column` holds them; NaN where there is none."""
    found: Vector = values.cast(pa.float64()).to_numpy()
    return found


def _of_one(column: Column, condition: Condition) -> Mask:
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
