"""The typed promotions table: which item is cheaper, from when to when."""

from __future__ import annotations

import ibis
from ibis.expr.types import Table

from training.columns import day_of, moment, number, text
from training.config import TrainingConfig
from training.config_tables import PromotionsConfig
from training.orders import Check, needed, problems_of
from training.session import Session, engine_errors_as_data_errors
from training.sources import RawTable

NEEDED = ("item_id", "starts_at", "ends_at")
ISO = "use ISO dates, or set promotions.starts_at_format"
PROMOTION_CHECKS = (
    Check(1, "item_id", "no item", "fill it in"),
    Check(2, "starts_at", "not a date and time", ISO),
    Check(4, "starts_at", "a date before 1970", "correct it"),
    Check(8, "ends_at", "not a date, or one before its start", ISO),
    Check(16, "discount", "not a share between 0 and 1", "write 0.2 for 20 %, or leave the column out"),
)


def type_promotions(session: Session, raw: RawTable, config: TrainingConfig) -> Table:
    """Read the promotions once, into a stored table.

    Columns: source_row, item_id, starts_day, ends_day (int32, the last day included), discount (share, null where it
    is not known), problems.

    Raises
    ------
    DataError
        A needed column is missing, or the file is damaged.
    """
    source = config.promotions or PromotionsConfig()
    names, rows = source.columns, raw.table.mutate(source_row=ibis.row_number())
    found = needed(raw, names, NEEDED)
    columns = {"source_row": rows.source_row, "item_id": text(rows, names.item_id, source)}
    for day, name in (("starts_day", names.starts_at), ("ends_day", names.ends_at)):
        columns[day] = day_of(moment(rows, name, source, config.timezone, source.starts_at_format))
    columns |= {"discount": ibis.null("float64"), "given": ibis.literal(False)}
    if "discount" in found:
        columns["discount"] = number(rows, names.discount, source, 4).cast("float64")
        columns["given"] = text(rows, names.discount, source).notnull()
    with engine_errors_as_data_errors(raw.where, "mend that line or export the file again"):
        return session.store("promotions_typed", _checked(rows.select(**columns)))


def _checked(typed: Table) -> Table:
    wrong = {
        1: typed.item_id.isnull(),
        2: typed.starts_day.isnull(),
        4: (typed.starts_day < 0).fill_null(False),
        8: typed.ends_day.isnull() | (typed.ends_day < typed.starts_day).fill_null(False),
        16: typed.given & ~typed.discount.between(0.0, 1.0).fill_null(False),
    }
    return typed.mutate(problems=problems_of(wrong)).drop("given")
