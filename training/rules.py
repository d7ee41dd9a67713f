"""Which single lines are not believed: the rules that need only the line itself, and no date to cut at.

They are decided once for a table of orders and hold at every `as_of`, because exact duplicates share their moment.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
from ibis.expr.types import BooleanColumn, StringColumn, Table

from training.config import TrainingConfig
from training.session import Session

LINE_RULES = {
    "bad_row": "a date, quantity, price or item that cannot be read",
    "exact_duplicate": "agrees with an earlier line in every column that is read, discount and channel aside",
    "cancelled_status": "its status says it never happened",
    "zero_quantity": "a line of no units",
    "zero_or_negative_price": "a gift, sample or correction: no or a negative price",
    "absurd_quantity": "more units than cleaning.max_quantity",
    "return_without_customer": "a return nobody can be credited with",
}
LINE_COLUMNS = (
    "source_row",
    "customer_key",
    "item_key",
    "ordered_at",
    "day",
    "quantity",
    "amount",
    "is_return",
    "is_product",
    "dropped_by",
)
OPTIONAL_COLUMNS = ("discount", "channel", "title")
BESIDE_THE_LINE = ("source_row", "problems", "day", "discount", "channel")  # say nothing of whether two lines are one


@dataclass(frozen=True, slots=True)
class FlaggedOrders:
    """Order lines that any `as_of` can be cut from.

    Ids are replaced by integer keys in order of id, so that every later aggregation is one of integers.

    Attributes
    ----------
    lines
        source_row, customer_key (null where unknown), item_key, ordered_at, day, quantity (above 0 but for dropped
        lines), amount (minor units), is_return, is_product, dropped_by (a key of `LINE_RULES`, or null), and discount
        (minor units), channel and title if there are any.
    customers
        customer_key, customer_id.
    items
        item_key, item_id, is_product.
    """

    lines: Table
    customers: Table
    items: Table


def flag_orders(session: Session, typed: Table, described: Table | None, config: TrainingConfig) -> FlaggedOrders:
    """Mark every line, and keep the result in stored tables."""
    customers = session.store("customer_keys", _keys(typed, "customer"))
    keyed = _keys(typed, "item")
    items = session.store("item_keys", keyed.mutate(is_product=~_is_service(keyed, described, config)))
    marked = typed.left_join(_duplicates(session, typed, config), "source_row")
    marked = marked.left_join(customers, "customer_id", rname="{name}_known").drop("customer_id_known")
    marked = marked.left_join(items, "item_id", rname="{name}_known").drop("item_id_known")
    is_return = marked.in_return_order | (marked.quantity < 0).fill_null(False)
    marked = marked.mutate(is_return=is_return, is_product=marked.is_product.fill_null(True))
    flagged = marked.mutate(dropped_by=_first_rule(marked, config), quantity=marked.quantity.abs())
    flagged = flagged.mutate(amount=flagged.is_return.ifelse(flagged.amount.abs(), flagged.amount))
    extra = [name for name in OPTIONAL_COLUMNS if name in typed.columns]
    return FlaggedOrders(session.store("orders", flagged.select(*LINE_COLUMNS, *extra)), customers, items)


def _keys(typed: Table, kind: str) -> Table:
    """Ids, numbered from 0 in their order."""
    name = f"{kind}_id"
    ids = typed.filter(typed[name].notnull()).select(name).distinct()
    return ids.mutate(**{f"{kind}_key": ibis.row_number().over(order_by=name).cast("int32")})


def _is_service(items: Table, described: Table | None, config: TrainingConfig) -> BooleanColumn:
    rules = config.services
    service = items.item_id.re_search(rules.item_id_pattern) if rules.item_id_pattern else ibis.literal(False)
    if described is None:
        return service
    excluded = _out_of_taste(described, config)
    if rules.unlisted_items or config.item_level:  # what is not listed has no level
        return service | items.item_id.notin(described.filter(~excluded).item_id)
    return service | items.item_id.isin(described.filter(excluded).item_id)


def _out_of_taste(described: Table, config: TrainingConfig) -> BooleanColumn:
    unnamed = described.level.isnull()
    return described.is_service | unnamed if config.item_level else described.is_service


def _first_rule(marked: Table, config: TrainingConfig) -> StringColumn:
    """Name of the first rule that drops a line; the order is that of `LINE_RULES`."""
    statuses = config.orders.cancelled_statuses
    cancelled = marked.status.isin(statuses) if statuses and "status" in marked.columns else ibis.literal(False)
    same_sign = (marked.amount > 0) == (marked.quantity > 0)
    free = ((marked.amount == 0) | ~same_sign) & config.cleaning.drop_free_lines
    return ibis.cases(
        (marked.problems != 0, "bad_row"),
        (marked.is_copy.fill_null(False), "exact_duplicate"),
        (cancelled.fill_null(False), "cancelled_status"),
        (marked.quantity == 0, "zero_quantity"),
        (free, "zero_or_negative_price"),
        (marked.quantity.abs() > config.cleaning.max_quantity, "absurd_quantity"),
        (marked.is_return & marked.customer_id.isnull(), "return_without_customer"),
    )


def _duplicates(session: Session, typed: Table, config: TrainingConfig) -> Table:
    """Rows (source_row, is_copy) that repeat an earlier one: suspects by hash, then compared column by column."""
    columns = [name for name in typed.columns if name not in BESIDE_THE_LINE]
    hashed = typed.mutate(line_hash=ibis.struct({name: typed[name] for name in columns}).hash())
    sizes = hashed.group_by("line_hash").agg(size=hashed.count())
    suspects = hashed.semi_join(sizes.filter(sizes.size > 1), "line_hash")
    numbered = suspects.mutate(copy=ibis.row_number().over(group_by=columns, order_by="source_row"))
    copies = numbered.filter((numbered.copy > 0) & config.cleaning.drop_exact_duplicates)
    return session.store("duplicates", copies.select("source_row", is_copy=ibis.literal(True)))
