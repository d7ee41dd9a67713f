"""The tables nobody needs to have: customers, contacts, events, feedback and promotions, and what is in them.

They follow the rules of `config_data`: names on the left are ours, values are the user's own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from recsvc.domain.documents import Section
from training.config_data import ColumnName, Source

EventKind = Literal["view", "cart", "wishlist", "visit", "login", "usage"]
FeedbackKind = Literal["nps", "csat", "complaint", "review", "social", "churn_reason"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]


def _rises(ends: tuple[float, float]) -> tuple[float, float]:
    if not ends[0] < ends[1]:
        raise ValueError("must be the worst score and then the best")
    return ends


class CustomerColumns(Section):
    """What the columns of the customers table are called."""

    customer_id: ColumnName = "customer_id"
    personalisation: ColumnName = "personalisation"
    """Whether somebody wants to be shown what suits them."""
    timezone: ColumnName = "timezone"
    language: ColumnName = "language"


class CustomersConfig(Source):
    """What is known of customers, undated: for contact rules and for segments, never a feature."""

    columns: CustomerColumns = CustomerColumns()
    consent: dict[Name, ColumnName] = Field(default_factory=dict)
    """Channel, and the column that says whether it may be used; columns named `consent_<channel>` need no line."""
    attributes: tuple[ColumnName, ...] = ()
    """Other columns to keep; whatever is not named stays where it is."""


class ContactColumns(Section):
    """What the columns of the contacts table are called."""

    customer_id: ColumnName = "customer_id"
    campaign_id: ColumnName = "campaign_id"
    channel: ColumnName = "channel"
    cost: ColumnName = "cost"
    sent_at: ColumnName = "sent_at"
    opened_at: ColumnName = "opened_at"
    clicked_at: ColumnName = "clicked_at"
    held_out: ColumnName = "held_out"
    """Whether the customer was only compared with: nothing was sent."""
    offer_by_lot: ColumnName = "offer_by_lot"
    """Name of the offer, of customers whose offer was drawn by lot."""


class ContactsConfig(Source):
    """Who was contacted, and what they did with it."""

    columns: ContactColumns = ContactColumns()
    sent_at_format: str | None = None
    """strptime format of its moments, where they are no ISO dates."""


class EventColumns(Section):
    """What the columns of the events table are called."""

    customer_id: ColumnName = "customer_id"
    item_id: ColumnName = "item_id"
    """Where the event has one."""
    kind: ColumnName = "kind"
    occurred_at: ColumnName = "occurred_at"


class EventsConfig(Source):
    """Views, carts, wishlists, visits, logins, usage."""

    columns: EventColumns = EventColumns()
    kinds: dict[str, EventKind] = Field(default_factory=dict)
    """Your names of kinds, and ours."""
    occurred_at_format: str | None = None


class FeedbackColumns(Section):
    """What the columns of the feedback table are called."""

    customer_id: ColumnName = "customer_id"
    occurred_at: ColumnName = "occurred_at"
    kind: ColumnName = "kind"
    score: ColumnName = "score"
    text: ColumnName = "text"


class FeedbackConfig(Source):
    """Answers, complaints, reviews, posts and reasons for leaving."""

    columns: FeedbackColumns = FeedbackColumns()
    kinds: dict[str, FeedbackKind] = Field(default_factory=dict)
    """Your names of kinds, and ours."""
    occurred_at_format: str | None = None
    score_range: Annotated[tuple[float, float], AfterValidator(_rises)] = (1.0, 5.0)
    """Worst and best score of `csat`, `review` and `social`; NPS is 0 to 10 anywhere."""


class LiveConfig(Source):
    """Live events, as `recsvc events export` writes them, or a query of the live store with the same columns."""


class PromotionColumns(Section):
    """What the columns of the promotions table are called."""

    item_id: ColumnName = "item_id"
    starts_at: ColumnName = "starts_at"
    ends_at: ColumnName = "ends_at"
    discount: ColumnName = "discount"
    """Share of the price taken off, from 0 to 1."""


class PromotionsConfig(Source):
    """Which items were, are or will be cheaper, and when."""

    columns: PromotionColumns = PromotionColumns()
    starts_at_format: str | None = None


class ErasuresConfig(Section):
    """Who was erased: their orders count for items, and for nobody."""

    path: Path
    """File that `recsvc privacy tombstones` wrote."""
