"""The typed customers table: consent, language, time zone and attributes, undated, so never a feature."""

from __future__ import annotations

from zoneinfo import available_timezones

import ibis
from ibis.expr.types import Column, Table

from training.columns import flag, text
from training.config import TrainingConfig
from training.config_tables import CustomersConfig
from training.orders import Check, needed, no_column, problems_of
from training.session import Session, engine_errors_as_data_errors
from training.sources import RawTable

CONSENT, ATTRIBUTE = "consent_", "attribute_"
CUSTOMER_CHECKS = (
    Check(1, "customer_id", "no customer", "fill it in"),
    Check(2, "customer_id", "a customer listed before", "keep one; the first row counts"),
    Check(4, "timezone", "no IANA time zone such as Europe/London", "correct it"),
    Check(8, "personalisation", "neither yes nor no", "write true or false"),
)
LEFT_OUT = 1 | 2  # of the other checks only the value is


def type_customers(session: Session, raw: RawTable, config: TrainingConfig) -> Table:
    """Read the customers once, into a stored table.

    Columns: source_row, customer_id, problems, and, where the user has them, personalisation, timezone, language,
    `consent_<channel>` (yes, no or null) and `attribute_<column>` (text).

    Raises
    ------
    DataError
        A mapped column is missing, or the file is damaged.
    """
    source = config.customers or CustomersConfig()
    names, found = source.columns, needed(raw, source.columns, ("customer_id",))
    rows = raw.table.mutate(source_row=ibis.row_number())
    columns = {"source_row": rows.source_row, "customer_id": text(rows, names.customer_id, source)}
    if "personalisation" in found:
        columns["personalisation"] = flag(rows, names.personalisation, source)
        columns["given"] = text(rows, names.personalisation, source).notnull()
    columns |= {name: text(rows, getattr(names, name), source) for name in ("timezone", "language") if name in found}
    columns |= _consents(raw, rows, source) | _attributes(raw, rows, source)
    with engine_errors_as_data_errors(raw.where, "mend that line or export the file again"):
        return session.store("customers_typed", _checked(rows.select(**columns)))


def attributes_of(typed: Table, customers: Table) -> Table:
    """One row for each customer who ever ordered, without what is wrong; and their customer_key.

    Parameters
    ----------
    customers
        `rules.FlaggedOrders.customers`.
    """
    good = typed.filter((typed.problems & LEFT_OUT) == 0)
    if "timezone" in good.columns:
        good = good.mutate(timezone=((good.problems & 4) != 0).ifelse(ibis.null("string"), good.timezone))
    return good.drop("source_row", "problems").inner_join(customers, "customer_id")


def _consents(raw: RawTable, rows: Table, config: CustomersConfig) -> dict[str, Column]:
    named = {name.removeprefix(CONSENT): name for name in raw.table.columns if name.startswith(CONSENT)}
    wanted = named | dict(config.consent)
    for channel, column in wanted.items():
        if column not in raw.table.columns:
            raise no_column(raw, f"customers.consent.{channel}", column)
    return {f"{CONSENT}{channel}": flag(rows, wanted[channel], config) for channel in sorted(wanted)}


def _attributes(raw: RawTable, rows: Table, config: CustomersConfig) -> dict[str, Column]:
    for column in config.attributes:
        if column not in raw.table.columns:
            raise no_column(raw, "customers.attributes", column)
    return {f"{ATTRIBUTE}{column}": text(rows, column, config) for column in config.attributes}


def _checked(typed: Table) -> Table:
    typed = typed.mutate(copy=ibis.row_number().over(group_by="customer_id", order_by="source_row"))
    no = ibis.literal(False)
    zones = ibis.array(sorted(available_timezones()))
    wrong = {
        1: typed.customer_id.isnull(),
        2: typed.customer_id.notnull() & (typed["copy"] > 0),
        4: (~zones.contains(typed.timezone)).fill_null(False) if "timezone" in typed.columns else no,
        8: typed.given & typed.personalisation.isnull() if "given" in typed.columns else no,
    }
    return typed.mutate(problems=problems_of(wrong)).drop("copy", *({"given"} & set(typed.columns)))
