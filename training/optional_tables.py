"""The tables beside orders and items, read once: what they say of customers and items by key, and what is wrong.

Whatever a shop has no table of is None here, and costs nothing later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ibis.expr.types import Table

from training.columns import day_of
from training.config import TrainingConfig
from training.customer_attributes import CUSTOMER_CHECKS, attributes_of, type_customers
from training.live_events import LiveEvents, with_live_touches
from training.orders import Check
from training.promotions import PROMOTION_CHECKS, type_promotions
from training.rules import FlaggedOrders
from training.session import Session
from training.sources import RawTable, read_raw
from training.text_sentiment import text_sentiment
from training.touch_tables import (
    CONTACT_CHECKS,
    EVENT_CHECKS,
    FEEDBACK_CHECKS,
    type_contacts,
    type_events,
    type_feedback,
)
from training.touchpoints import contact_facts, daily_touches, event_facts, feedback_facts
from training.validate import Finding, validate_optional, whole_ids

Typing = Callable[[Session, RawTable, TrainingConfig], Table]
TABLES: Final[dict[str, tuple[Typing, tuple[Check, ...]]]] = {
    "customers": (type_customers, CUSTOMER_CHECKS),
    "contacts": (type_contacts, CONTACT_CHECKS),
    "events": (type_events, EVENT_CHECKS),
    "feedback": (type_feedback, FEEDBACK_CHECKS),
    "promotions": (type_promotions, PROMOTION_CHECKS),
}


@dataclass(frozen=True, slots=True)
class OptionalTables:
    """What was read; any `as_of` is cut from it.

    Attributes
    ----------
    touches
        Columns as `touchpoints.daily_touches` returns them.
    contacts
        Columns as `touch_tables.type_contacts` returns them.
    churn_reasons
        customer_key, day, source_row, text.
    attributes
        customer_key, and columns as `customer_attributes.attributes_of` returns them.
    promotions
        item_key, starts_day, ends_day, discount.
    findings
        What is wrong with the tables; none of it stops a run.
    """

    touches: Table | None = None
    contacts: Table | None = None
    churn_reasons: Table | None = None
    attributes: Table | None = None
    promotions: Table | None = None
    findings: tuple[Finding, ...] = ()


def read_optional(
    session: Session, config: TrainingConfig, orders: FlaggedOrders, live: LiveEvents | None = None
) -> OptionalTables:
    """Read, type and check the tables the config names.

    Raises
    ------
    ConfigError, DataError
        A table that is named cannot be read at all, or lacks a needed column.
    """
    typed, findings = dict[str, Table](), list[Finding]()
    for name in TABLES:
        if getattr(config, name) is not None:
            typed[name], wrong = _read(session, config, orders, name)
            findings += wrong
    if live is not None:
        typed = with_live_touches(session, typed, live, config)
    return OptionalTables(
        touches=_touches(session, typed, orders),
        contacts=_usable(typed["contacts"]) if "contacts" in typed else None,
        churn_reasons=_churn_reasons(session, typed, orders),
        attributes=attributes_of(typed["customers"], orders.customers) if "customers" in typed else None,
        promotions=_promotions(typed["promotions"], orders) if "promotions" in typed else None,
        findings=tuple(findings),
    )


def _read(session: Session, config: TrainingConfig, orders: FlaggedOrders, name: str) -> tuple[Table, list[Finding]]:
    """One typed table, and what is wrong with it."""
    source, (type_table, checks) = getattr(config, name), TABLES[name]
    raw = read_raw(session, name, source)
    typed = whole_ids(type_table(session, raw, config))
    found = validate_optional(raw, typed, source.columns, checks)
    if name == "promotions":
        return typed, [*found, *_strangers(raw, typed, orders.items.select("item_id"), source.columns.item_id)]
    return typed, [*found, *_strangers(raw, typed, orders.customers.select("customer_id"), source.columns.customer_id)]


def _strangers(raw: RawTable, typed: Table, known: Table, column: str) -> list[Finding]:
    """A finding when not a single row is about somebody, or something, in the orders.

    Parameters
    ----------
    known
        One column, the ids there are.
    column
        What the user calls it.
    """
    (key,) = known.columns
    named = typed.filter(typed[key].notnull())
    n_rows, n_known = (table.count().to_pyarrow().as_py() for table in (named, named.semi_join(known, key)))
    if n_known or not n_rows:
        return []
    fix = "use the same ids in both tables; nothing of this one is used"
    return [Finding(raw.where, column, "an id that is not in the orders", n_rows, fix, "warn")]


def _usable(typed: Table) -> Table:
    return typed.filter(typed.problems == 0)


def _touches(session: Session, typed: dict[str, Table], orders: FlaggedOrders) -> Table | None:
    facts = []
    if "contacts" in typed:
        facts.append(contact_facts(_usable(typed["contacts"])))
    if "events" in typed:
        facts.append(event_facts(_usable(typed["events"])))
    if "feedback" in typed:
        feedback = _usable(typed["feedback"])
        facts.append(feedback_facts(feedback, text_sentiment(session, feedback)))
    return session.store("touches", daily_touches(facts, orders.customers)) if facts else None


def _churn_reasons(session: Session, typed: dict[str, Table], orders: FlaggedOrders) -> Table | None:
    if "feedback" not in typed:
        return None
    feedback = _usable(typed["feedback"])
    told = feedback.filter(feedback.kind == "churn_reason", feedback.text.notnull())
    known = told.mutate(day=day_of(told.occurred_at)).inner_join(orders.customers, "customer_id")
    return session.store("churn_reasons", known.select("customer_key", "day", "source_row", "text"))


def _promotions(typed: Table, orders: FlaggedOrders) -> Table:
    known = _usable(typed).inner_join(orders.items.select("item_key", "item_id"), "item_id")
    return known.select("item_key", "starts_day", "ends_day", "discount")
