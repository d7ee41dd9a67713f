"""The way in, whole: a config becomes typed tables once, and those become the tables of any `as_of`.

with open_session(config) as session:
    tables = load_tables(session, config)
    raise_on_stop(tables.findings)
    prepared = prepare(tables, as_of_day)
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
from ibis.expr.types import Table

from training import summaries
from training.cleaning import CleaningReport, clean
from training.config import TrainingConfig
from training.item_table import type_items
from training.orders import type_orders
from training.rules import flag_orders
from training.session import Session
from training.sources import read_raw


@dataclass(frozen=True, slots=True)
class Tables:
    """What was read, typed and flagged; any `as_of` is cut from it.

    `orders` is the result of `rules.flag_orders`, `items` of `item_table.type_items`.
    """

    session: Session
    config: TrainingConfig
    orders: Table
    items: Table | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything training needs to know of the time before `as_of_day`; shapes are in `summaries`."""

    as_of_day: int
    customers: Table
    items: Table
    record_lines: Table
    report: CleaningReport


def load_tables(session: Session, config: TrainingConfig) -> Tables:
    """Read and type the tables of a config; the only pass over the user's files.

    Raises
    ------
    ConfigError, DataError
        A table cannot be read at all. Rows that cannot be used do not raise: they are in `findings`.
    """
    raw_orders = read_raw(session, "orders", config.orders)
    items = type_items(session, read_raw(session, "items", config.items), config) if config.items else None
    typed = type_orders(session, raw_orders, config.orders)
    orders = flag_orders(session, typed, items, config)
    session.drop(typed)
    return Tables(session, config, orders, items)


def prepare(tables: Tables, as_of_day: int) -> Prepared:
    """Cut, clean, net and summarise, as a person would have on the morning of `as_of_day`."""
    session, config = tables.session, tables.config
    cleaned = clean(session, tables.orders, as_of_day)
    lines = _at_item_level(cleaned.lines, tables)
    daily = session.store("daily", summaries.daily_lines(lines))
    latest = summaries.latest_lines(lines)
    customers = session.store("customers", summaries.customers(daily))
    items = session.store("items", summaries.items(daily, latest, _described(tables), as_of_day, config.catalogue))
    records = session.store("records", summaries.record_lines(daily, customers, items))
    session.drop(daily)
    return Prepared(as_of_day, customers.order_by("customer_row"), items.order_by("item_row"), records, cleaned.report)


def _at_item_level(lines: Table, tables: Tables) -> Table:
    """Lines whose products are named by the level the user recommends at."""
    if tables.config.item_level is None or tables.items is None:
        return lines
    levels = tables.items.filter(tables.items.level.notnull()).select("item_id", "level")
    joined = lines.left_join(levels, "item_id").drop("item_id_right")
    return joined.mutate(item_id=ibis.ifelse(joined.is_product, joined.level, joined.item_id)).drop("level")


def _described(tables: Tables) -> Table | None:
    """Attributes by item; at a coarser level its name, and the category most of its items have."""
    items = tables.items
    if items is None or tables.config.item_level is None:
        return items.drop("is_service", "level") if items is not None else None
    leveled = items.filter(items.level.notnull())
    by = ["level", "category"] if "category" in items.columns else ["level"]
    sizes = leveled.group_by(by).agg(size=leveled.count())
    best = ibis.row_number().over(group_by="level", order_by=[ibis.desc("size"), *by])
    first = sizes.mutate(place=best).filter(lambda table: table.place == 0)
    return first.mutate(item_id=first.level, title=first.level).drop("level", "size", "place")
