"""The typed products table: one row per item, with what marks it a service and the level it is recommended at."""

from __future__ import annotations

from functools import reduce
from operator import or_

import ibis
from ibis.expr.types import BooleanColumn, Table

from recsvc.errors import ConfigError
from recsvc.serving.filters import ATTRIBUTE
from training.columns import day_of, joined_text, minor_units, moment, number, text
from training.config import TrainingConfig
from training.config_data import ItemsConfig
from training.orders import no_column, present
from training.session import Session, engine_errors_as_data_errors
from training.sources import RawTable

TEXTS = ("brand", "url", "image_url")
MONEY = ("price", "unit_cost")


def type_items(session: Session, raw: RawTable, config: TrainingConfig) -> Table:
    """Read the products once, into a stored table.

    Columns: item_id, is_service, level (null unless `item_level` is set), and title, category, brand, price and
    unit_cost (minor units), stock (units), available, available_from (day), url, image_url and `attribute_<column>`
    (text) where the user has them. Of several rows with one item_id the first counts; rows without one are left out.

    Raises
    ------
    ConfigError
        `item_level`, `items.attributes` or `services.item_columns` names a column that is not there.
    DataError
        A mapped column is missing, or the file is damaged.
    """
    items = config.items or ItemsConfig()
    found = present(raw, items.columns)
    if "item_id" not in found:
        raise no_column(raw, "items.columns.item_id", items.columns.item_id)
    _check_rule_columns(raw, config)
    numbered = raw.table.mutate(source_row=ibis.row_number())
    typed = numbered.select(**_described(numbered, found, items, config.timezone), **_ruled(numbered, config, items))
    with engine_errors_as_data_errors(raw.where, "copy or export the file again"):
        return session.store("items_typed", _first_of_each(typed))


def _described(raw: Table, found: frozenset[str], items: ItemsConfig, zone: str) -> dict[str, ibis.Value]:
    names = items.columns
    columns = {"source_row": raw.source_row, "item_id": text(raw, names.item_id, items)}
    columns |= {name: text(raw, getattr(names, name), items) for name in TEXTS if name in found}
    columns |= {name: minor_units(number(raw, getattr(names, name), items, 4)) for name in MONEY if name in found}
    if "title" in found:
        columns["title"] = joined_text(raw, names.title, " ", items)
    if "category" in found:
        columns["category"] = joined_text(raw, names.category, " > ", items)
    if "stock" in found:
        columns["stock"] = number(raw, names.stock, items, 4).cast("float64")
    if "available" in found:
        columns["available"] = text(raw, names.available, items).try_cast("boolean")
    if "available_from" in found:
        columns["available_from"] = day_of(moment(raw, names.available_from, items, zone))
    return columns | {f"{ATTRIBUTE}{name}": text(raw, name, items) for name in items.attributes}


def _ruled(raw: Table, config: TrainingConfig, items: ItemsConfig) -> dict[str, ibis.Value]:
    marks = [text(raw, column, items).isin(values) for column, values in config.services.item_columns.items()]
    level = text(raw, config.item_level, items) if config.item_level else ibis.null("string")
    return {"is_service": _any(marks), "level": level}


def _any(marks: list[BooleanColumn]) -> BooleanColumn:
    return reduce(or_, (mark.fill_null(False) for mark in marks), ibis.literal(False))


def _first_of_each(typed: Table) -> Table:
    ranked = typed.filter(typed.item_id.notnull()).mutate(
        copy=ibis.row_number().over(group_by="item_id", order_by="source_row")
    )
    return ranked.filter(ranked.copy == 0).drop("copy", "source_row")


def _check_rule_columns(raw: RawTable, config: TrainingConfig) -> None:
    wanted = dict.fromkeys(config.services.item_columns, "services.item_columns")
    wanted |= dict.fromkeys(config.items.attributes if config.items else (), "items.attributes")
    if config.item_level:
        wanted[config.item_level] = "item_level"
    for column, key in wanted.items():
        if column not in raw.table.columns:
            raise ConfigError(key, f"{raw.where} has no column {column!r}", f"use one of {raw.table.columns}")
