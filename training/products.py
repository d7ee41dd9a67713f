"""What is recommended: single items, or the coarser products a user asked for with `item_level`."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
from ibis.expr.types import Table

from training.session import Session


@dataclass(frozen=True, slots=True)
class Products:
    """Names and attributes of what is recommended.

    Attributes
    ----------
    names
        item_key, in order of item_id; item_id; then attributes, as far as there is a table of products.
    levels
        item_key of a single item, level_key of the product it belongs to; None when they are the same.
    """

    names: Table
    levels: Table | None = None


def name_products(session: Session, items: Table, described: Table | None, item_level: str | None) -> Products:
    """Tables of names, stored.

    Parameters
    ----------
    items
        `rules.FlaggedOrders.items`.
    described
        Result of `item_table.type_items`, if there is a table of products.
    """
    keys = items.select("item_key", "item_id")
    if described is None:
        return Products(keys)
    if item_level is None:
        attributes = described.drop("is_service", "level")
        joined = keys.left_join(attributes, "item_id", rname="{name}_listed").drop("item_id_listed")
        return Products(session.store("product_names", joined))
    names = session.store("product_names", _level_names(described))
    leveled = keys.inner_join(described.select("item_id", "level"), "item_id")
    keyed = leveled.inner_join(names.select(level_key="item_key", level="item_id"), "level")
    return Products(names, session.store("levels", keyed.select("item_key", "level_key")))


def at_level(lines: Table, levels: Table | None) -> Table:
    """Lines whose products are named at the level that is recommended; services stay what they are."""
    if levels is None:
        return lines
    joined = lines.left_join(levels, "item_key", rname="{name}_single").drop("item_key_single")
    key = ibis.ifelse(joined.is_product, joined.level_key, joined.item_key)
    return joined.mutate(item_key=key).drop("level_key")


def _level_names(described: Table) -> Table:
    """Each level under its own name, in the category most of its items are in."""
    leveled = described.filter(described.level.notnull())
    by = ["level", "category"] if "category" in described.columns else ["level"]
    sizes = leveled.group_by(by).agg(size=leveled.count())
    place = ibis.row_number().over(group_by="level", order_by=[ibis.desc("size"), *by])
    largest = sizes.mutate(place=place).filter(lambda table: table.place == 0).drop("place", "size")
    named = largest.mutate(item_id=largest.level, title=largest.level).drop("level")
    return named.mutate(item_key=ibis.row_number().over(order_by="item_id").cast("int32"))
