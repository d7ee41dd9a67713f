"""From typed tables to touchpoints: one row a customer, day and kind, at any `as_of`.

What a table says is added up by day once, when it is read; a cut-off then is a filter on the day. Values are added as
whole thousandths, so that no order of adding changes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import ibis
from ibis import _
from ibis.expr.types import Column, Table

from recsvc.domain.touchpoints import KINDS, SCORES
from training.columns import day_of
from training.config_tables import EventKind
from training.touch_tables import OPTIONALLY_SCORED as SCORED_TEXTS

THOUSANDTHS = 1000
ONCE = ibis.literal(1.0)
FACT = ("customer_id", "day", "kind", "thousandths")


def contact_facts(contacts: Table) -> Table:
    """Contacts, opens and clicks, each on its own day; who was held out was not contacted."""
    sent = contacts.filter(~contacts.held_out)
    moments = (("contact", "sent_at"), ("open", "opened_at"), ("click", "clicked_at"))
    return _all([_facts(sent.filter(_[at].notnull()), kind, at) for kind, at in moments if at in sent.columns])


def event_facts(events: Table) -> Table:
    """Every event under its own kind."""
    return _all([_facts(events.filter(events.kind == kind), kind, "occurred_at") for kind in get_args(EventKind)])


def feedback_facts(feedback: Table, of_texts: Table) -> Table:
    """Answers, complaints and sentiment: of reviews and posts from their score where they have one, else of their text.

    Parameters
    ----------
    feedback
        Rows of `touch_tables.type_feedback` that can be used.
    of_texts
        As `text_sentiment.text_sentiment` returns it.
    """
    at, of = "occurred_at", {kind: feedback.filter(feedback.kind == kind) for kind in ("nps", "csat", "complaint")}
    scored = feedback.filter(feedback.kind.isin(SCORED_TEXTS), feedback.score.notnull())
    told = feedback.inner_join(of_texts, "source_row")
    return _all(
        [
            _facts(of["nps"], "nps", at, _.score),
            _facts(of["csat"], "csat", at, _.score),
            _facts(of["complaint"], "complaint", at),
            _facts(scored, "sentiment", at, _.score * 2 - 1),
            _facts(told, "sentiment", at, _.sentiment),
        ]
    )


def daily_touches(facts: Sequence[Table], customers: Table) -> Table:
    """Facts added up by customer, day and kind: customer_key, day, kind, total (thousandths), n.

    Parameters
    ----------
    customers
        `rules.FlaggedOrders.customers`; whoever is not among them never ordered.
    """
    known = _all(facts).inner_join(customers, "customer_id")
    return _by_day(known, known.thousandths)


def order_touches(orders: Table) -> Table:
    """Returns and discounts of order lines that are cut and believed; columns as `daily_touches` returns them.

    A return counts on its own day and for its own worth, whatever purchase it undid; so does one of something bought
    before the data begin.
    """
    products = orders.filter(orders.is_product, orders.customer_key.notnull())
    returned = products.filter(products.is_return, products.amount > 0)
    parts = [_money(returned, "return", returned.amount)]
    if "discount" in orders.columns:
        cheaper = products.filter(~products.is_return, products.discount > 0)
        parts.append(_money(cheaper, "discount", cheaper.discount))
    return _all(parts)


def touchpoints_of(touches: Sequence[Table], customer_rows: Table) -> Table:
    """Touchpoints by customer row: customer_row, day, kind, value; in that order.

    Parameters
    ----------
    touches
        Cut tables as `daily_touches` and `order_touches` return them.
    customer_rows
        As `summaries.customers` returns them.
    """
    owned = _all(touches).inner_join(customer_rows.select("customer_key", "customer_row"), "customer_key")
    is_score = owned.kind.isin([KINDS.index(kind) for kind in SCORES])
    divisor = is_score.ifelse(owned.n, 1).cast("float64") * THOUSANDTHS
    found = owned.select("customer_row", "day", "kind", value=owned.total.cast("float64") / divisor)
    return found.order_by("customer_row", "day", "kind")


def _money(lines: Table, kind: str, amount: Column) -> Table:
    """Minor units as thousandths, by day."""
    return _by_day(lines.mutate(kind=_number(kind)), amount * (THOUSANDTHS // 100))


def _by_day(facts: Table, thousandths: Column) -> Table:
    return facts.group_by("customer_key", "day", "kind").agg(total=thousandths.sum().cast("int64"), n=facts.count())


def _facts(rows: Table, kind: str, at: str, value: ibis.Value | ibis.Deferred = ONCE) -> Table:
    """One fact a row, on the day of a moment."""
    valued = rows.mutate(day=day_of(rows[at]), kind=_number(kind), value=value)
    return valued.mutate(thousandths=(valued.value * THOUSANDTHS).round().cast("int64")).select(*FACT)


def _number(kind: str) -> ibis.Value:
    return ibis.literal(KINDS.index(kind), "int8")


def _all(parts: Sequence[Table]) -> Table:
    return parts[0] if len(parts) == 1 else ibis.union(*parts)
