"""Live events as training reads them: exported by `recsvc events export`, or asked of the live store by SQL.

Purchases become order lines, views and carts events, feedback feedback. What the user's own files already hold is left
out, so nothing counts twice: an order whose id they have, whole; else a line of the same customer, item, day and
quantity; of the rest, the same kind of the same customer at the same moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import ibis
from ibis.expr.types import Table

from training.config import TrainingConfig
from training.config_data import OrdersConfig
from training.config_tables import EventsConfig, FeedbackConfig
from training.orders import needed, typed_orders
from training.session import Session, engine_errors_as_data_errors
from training.sources import RawTable, read_raw
from training.touch_tables import type_events, type_feedback

NEEDED: Final = ("customer_id", "kind", "occurred_at")
ORDER_FIELDS: Final = frozenset({"order_id", "unit_price", "channel"})
SAME_LINE: Final = ("customer_id", "item_id", "day", "quantity")
SAME_MOMENT: Final = ("customer_id", "kind", "occurred_at")
STEERING: Final = ("view", "cart")


@dataclass(frozen=True, slots=True)
class LiveEvents:
    """Live events in the user's terms: `raw` has the columns that `recsvc events export` writes."""

    raw: RawTable

    def of_kind(self, *kinds: str) -> RawTable:
        """Those of some kinds."""
        raw = self.raw
        return RawTable(raw.name, raw.where, raw.table.filter(raw.table.kind.isin(kinds)), raw.first_row)


def read_live(session: Session, config: TrainingConfig) -> LiveEvents | None:
    """Open the live events the config names; None when it names none.

    Raises
    ------
    DataError
        They cannot be read, or lack a column.
    """
    if config.live is None:
        return None
    raw = read_raw(session, "live", config.live)
    needed(raw, EventsConfig().columns, NEEDED)
    return LiveEvents(raw)


def with_live_purchases(session: Session, typed: Table, live: LiveEvents) -> Table:
    """Order lines of the files, and the live purchases they do not hold; columns as those of `typed`.

    Raises
    ------
    DataError
        If the events turn out to be damaged on the way.
    """
    raw = live.of_kind("purchase").table
    raw = raw.mutate(ordered_at=raw.occurred_at, unit_price=raw.price)
    with engine_errors_as_data_errors(live.raw.where, "export the events again"):
        bought = session.store("live_orders", typed_orders(raw, ORDER_FIELDS, OrdersConfig(), "UTC"))
    new = _not_held(bought, typed)
    offset = typed.source_row.max().fill_null(-1).as_scalar() + 1
    new = new.mutate(source_row=new.source_row + offset)
    if "title" in typed.columns:
        titles = typed.group_by("item_id").agg(title=typed.title.max())
        new = new.left_join(titles, "item_id").drop("item_id_right")
    columns = {
        name: (new[name] if name in new.columns else _nothing(name)).cast(kind) for name, kind in typed.schema().items()
    }
    return session.store("orders_and_live", typed.union(new.select(**columns)))


def with_live_touches(
    session: Session, typed: dict[str, Table], live: LiveEvents, config: TrainingConfig
) -> dict[str, Table]:
    """Typed tables of events and feedback, with the live ones that they do not hold."""
    plain = config.model_copy(
        update={"events": EventsConfig(), "feedback": _feedback_config(config), "timezone": "UTC"}
    )
    said = live.of_kind("feedback")
    topics = said.table.mutate(kind=said.table.topic)
    found = {
        "events": type_events(session, live.of_kind(*STEERING), plain),
        "feedback": type_feedback(session, RawTable(said.name, said.where, topics, said.first_row), plain),
    }
    return {**typed, **{name: _together(typed.get(name), new) for name, new in found.items()}}


def _not_held(bought: Table, typed: Table) -> Table:
    """Purchases that are not among the order lines."""
    has_order = bought.order_hash != ibis.null("string").hash()
    by_order = bought.filter(has_order).anti_join(typed, "order_hash")
    return by_order.union(bought.filter(~has_order)).anti_join(typed, SAME_LINE)


def _nothing(name: str) -> ibis.Value:
    return ibis.literal(0) if name == "discount" else ibis.null()


def _feedback_config(config: TrainingConfig) -> FeedbackConfig:
    """Scores are on the user's scale, whatever their columns are called."""
    return FeedbackConfig(score_range=config.feedback.score_range) if config.feedback else FeedbackConfig()


def _together(held: Table | None, new: Table) -> Table:
    if held is None:
        return new
    both = [name for name in held.columns if name in new.columns]
    return held.select(both).union(new.anti_join(held, SAME_MOMENT).select(both))
