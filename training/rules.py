"""Which single lines are not believed: the rules that need only the line itself, and no date to cut at.

They are decided once for a table of orders and hold at every `as_of`, because exact duplicates share their moment.
"""

from __future__ import annotations

import ibis
from ibis.expr.types import BooleanColumn, StringColumn, Table

from training.config import TrainingConfig
from training.session import Session

LINE_RULES = {
    "bad_row": "a date, quantity, price or item that cannot be read",
    "exact_duplicate": "agrees with an earlier line in every column that is read",
    "cancelled_status": "its status says it never happened",
    "zero_quantity": "a line of no units",
    "zero_or_negative_price": "a gift, sample or correction: no or a negative price",
    "absurd_quantity": "more units than cleaning.max_quantity",
    "return_without_customer": "a return nobody can be credited with",
}


def flag_orders(session: Session, typed: Table, items: Table | None, config: TrainingConfig) -> Table:
    """Mark every line, into a stored table that any `as_of` can be cut from.

    Columns: source_row, order_id, customer_id, item_id, ordered_at, day, quantity (above 0 but for dropped lines),
    amount (minor units), is_return, is_product, dropped_by (a key of `LINE_RULES`, or null), and title if there is
    one.
    """
    marked = typed.left_join(_duplicates(session, typed, config), "source_row")
    marked = marked.mutate(is_return=_is_return(typed, config), is_product=~_is_service(typed, items, config))
    flagged = marked.mutate(dropped_by=_first_rule(marked, config), quantity=marked.quantity.abs())
    flagged = flagged.mutate(amount=flagged.is_return.ifelse(flagged.amount.abs(), flagged.amount))
    kept = ["source_row", "order_id", "customer_id", "item_id", "ordered_at", "day", "quantity", "amount"]
    title = ["title"] if "title" in typed.columns else []
    return session.store("orders", flagged.select(*kept, "is_return", "is_product", "dropped_by", *title))


def _is_return(typed: Table, config: TrainingConfig) -> BooleanColumn:
    negative = typed.quantity < 0
    pattern = config.orders.return_order_pattern
    if pattern is None:
        return negative.fill_null(False)
    return negative.fill_null(False) | typed.order_id.re_search(pattern).fill_null(False)


def _is_service(typed: Table, items: Table | None, config: TrainingConfig) -> BooleanColumn:
    rules = config.services
    by_id = typed.item_id.re_search(rules.item_id_pattern) if rules.item_id_pattern else ibis.literal(False)
    service = by_id.fill_null(False)
    if items is None:
        return service
    if rules.unlisted_items:
        return service | typed.item_id.notin(items.filter(~_out_of_taste(items, config)).item_id)
    return service | typed.item_id.isin(items.filter(_out_of_taste(items, config)).item_id)


def _out_of_taste(items: Table, config: TrainingConfig) -> BooleanColumn:
    return items.is_service | items.level.isnull() if config.item_level else items.is_service


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
    columns = [name for name in typed.columns if name not in ("source_row", "problems", "day")]
    hashed = typed.mutate(line_hash=ibis.struct({name: typed[name] for name in columns}).hash())
    sizes = hashed.group_by("line_hash").agg(size=hashed.count())
    suspects = hashed.semi_join(sizes.filter(sizes.size > 1), "line_hash")
    numbered = suspects.mutate(copy=ibis.row_number().over(group_by=columns, order_by="source_row"))
    copies = numbered.filter((numbered.copy > 0) & config.cleaning.drop_exact_duplicates)
    return session.store("duplicates", copies.select("source_row", is_copy=ibis.literal(True)))
