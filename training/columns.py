"""How one raw column becomes a typed one. Nothing here raises on a value: what cannot be read becomes null.

Ids become text, numbers DECIMAL, moments naive UTC timestamps; money is counted in minor units by the caller.
"""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.datatypes as dt
from ibis.expr.types import BooleanColumn, Column, StringColumn, Table

from training.config_data import Source

LARGEST_AMOUNT = 10.0**10  # currency units on one line; more is a typing error, and overflows DECIMAL(18, 7)

YES, NO = ("true", "t", "yes", "y", "1", "on"), ("false", "f", "no", "n", "0", "off")


def _timezone(zone: str, at: datetime) -> datetime:
    """Wall time in a zone: a function of the engine."""
    raise NotImplementedError


def _try_strptime(text: str, pattern: str) -> datetime:
    """Moment a text stands for, or null: a function of the engine."""
    raise NotImplementedError


AT_ZONE = ibis.udf.scalar.builtin(
    _timezone, name="timezone", signature=(("string", dt.Timestamp("UTC")), dt.Timestamp())
)
IN_UTC = ibis.udf.scalar.builtin(
    _timezone, name="timezone", signature=(("string", dt.Timestamp()), dt.Timestamp("UTC"))
)
READ_MOMENT = ibis.udf.scalar.builtin(
    _try_strptime, name="try_strptime", signature=(("string", "string"), dt.Timestamp())
)


def text(raw: Table, column: str, source: Source) -> StringColumn:
    """Text of a column, null where it stands for "no value"; 123.0 of a float column is "123"."""
    value = raw[column]
    if value.type().is_floating():
        whole = value.try_cast("int64")
        as_text = ibis.ifelse(whole.cast("float64") == value, whole.cast("string"), value.cast("string"))
        return as_text.nullif("nan")
    if not value.type().is_string():
        return value.cast("string")
    nothing = ibis.array(list(source.missing_values)).cast("array<string>")  # a long IN would become a join
    return (nothing.contains(value) | (value.strip() == "")).ifelse(ibis.null("string"), value)


def joined_text(raw: Table, columns: str | tuple[str, ...], separator: str, source: Source) -> StringColumn:
    """Text of several columns, joined; null parts are left out, and null when all are."""
    names = (columns,) if isinstance(columns, str) else columns
    parts = ibis.array([text(raw, name, source).strip() for name in names]).filter(lambda part: part.notnull())
    return parts.join(separator).nullif("")


def number(raw: Table, column: str, source: Source, scale: int) -> Column:
    """DECIMAL(18, scale) of a column; null where it is no number."""
    value = raw[column]
    if not value.type().is_numeric():
        value = text(raw, column, source)
        if source.decimal == ",":
            value = value.replace(".", "").replace(",", ".")
    return value.try_cast(dt.Decimal(18, scale))


def product(quantity: Column, unit_price: Column) -> Column:
    """Exact product, null where it is beyond what is believable."""
    rough = quantity.cast("float64") * unit_price.cast("float64")
    return (rough.abs() < LARGEST_AMOUNT).ifelse(quantity * unit_price, None)


def minor_units(amount: Column) -> Column:
    """Money as a whole number of hundredths, rounded half away from zero; null beyond what is believable.

    Two decimals are exact in a float below the limit, and far faster than wide DECIMAL.
    """
    rounded = amount.try_cast(dt.Decimal(18, 2)).cast("float64")
    return (rounded.abs() < LARGEST_AMOUNT).ifelse((rounded * 100).round().cast("int64"), ibis.null("int64"))


def moment(raw: Table, column: str, source: Source, zone: str, pattern: str | None = None) -> Column:
    """UTC timestamp of a column; a moment that names no zone is read in `zone`, which must be the session's."""
    value = raw[column]
    if value.type().is_timestamp() and value.type().timezone is None and zone == "UTC":
        return value.cast(dt.Timestamp())
    if value.type().is_string():
        value = text(raw, column, source)
        value = READ_MOMENT(value, pattern) if pattern else value
    return AT_ZONE("UTC", value.try_cast(dt.Timestamp("UTC")))


def day_of(at: Column) -> Column:
    """Days since 1970-01-01 of a UTC timestamp, int32."""
    return (at.epoch_seconds() // 86_400).cast("int32")


def flag(raw: Table, column: str, source: Source) -> BooleanColumn:
    """Yes or no; null where it is neither."""
    value = raw[column]
    if value.type().is_boolean():
        return value
    said = text(raw, column, source).strip().lower()
    return ibis.cases((said.isin(YES), True), (said.isin(NO), False))


def local_time(at: Column, zone: str) -> Column:
    """Wall time in a zone of a UTC timestamp."""
    return at if zone == "UTC" else AT_ZONE(zone, IN_UTC("UTC", at))
