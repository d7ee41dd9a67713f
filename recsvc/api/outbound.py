"""What callers get back: one model a reply, described in OpenAPI.

Replies are built as plain dicts, in `replies.py`: checking our own output on every request would cost more
than making it. A test checks every reply against these models instead. Money is in currency units.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from recsvc.api.schemas import State
from recsvc.serving.slate import Stage, Strategy

Probability = Annotated[float, Field(ge=0, le=1)]


class Reply(BaseModel):
    """Anything sent back."""

    model_config = ConfigDict(extra="forbid")


class ReasonReply(Reply):
    """Why an item, or a customer, is on the list."""

    code: Annotated[str, Field(description="Stable, for programs.")]
    text: Annotated[str, Field(description="For people.")]
    evidence: Annotated[dict[str, str | int | float], Field(description="The facts behind it.")]


class ItemReply(Reply):
    """A product, for display; null where the catalogue does not say."""

    item_id: str
    rank: Annotated[int, Field(ge=1)]
    title: str | None
    category: str | None
    brand: str | None
    price: float | None
    url: str | None
    image_url: str | None


class FeatureEffectReply(Reply):
    """What one feature was, and what it added to the score."""

    feature: str
    value: float
    contribution: float


class ExplanationReply(Reply):
    """How an item came to its place."""

    sources: Annotated[list[str], Field(description="Candidate sources that proposed it.")]
    ranked_by: Stage
    blend_score: Annotated[float, Field(description="What chose the hundred candidates that the trees order.")]
    features: Annotated[
        list[FeatureEffectReply],
        Field(description="The strongest first; contributions add up to the score but for a constant of the slate."),
    ]


class RecommendedItem(ItemReply):
    """One place of a slate."""

    score: Annotated[float, Field(description="What the ranking sorts by; comparable within one slate only.")]
    reasons: list[ReasonReply]
    explanation: Annotated[ExplanationReply | None, Field(description="Only with `explain`; absent otherwise.")] = None


class SimilarItemReply(ItemReply):
    """A neighbour of an item."""

    affinity: Annotated[float, Field(ge=-1.001, le=1.001, description="Cosine in taste.")]


class CustomerSummary(Reply):
    """Where a customer stands today, on their own rhythm."""

    state: State
    state_since: date
    high_value: bool
    segment: str
    orders: int
    days_since_last_purchase: int


class FadedCategoryReply(Reply):
    """A category the customer used to buy regularly and has let lapse."""

    category: str
    orders: Annotated[int, Field(description="Order-days that contained it.")]
    usual_gap_days: Annotated[int, Field(description="Half of the customer's gaps were no longer.")]
    days_since: Annotated[int, Field(description="Since the last of these order-days.")]


class CustomerProfile(CustomerSummary):
    """Everything the service can say of a customer; null where it cannot."""

    next_state_on: date | None
    layer: Annotated[str, Field(description="Cell of value x risk: stable, for programs.")]
    layer_label: Annotated[str, Field(description="The layer, for people.")]
    what_to_do: Annotated[str, Field(description="One thing to do for customers of this layer.")]
    spend: float
    spend_per_year: Annotated[float, Field(description="Expected a year while active.")]
    probability_alive: Probability
    probability_of_return: Probability
    churn_probability: Annotated[Probability, Field(description="No order within the training horizon.")]
    expected_purchases: float
    expected_average_value: float
    clv: float
    expected_value_of_contact: float
    value_at_stake: Annotated[float, Field(description="Margin of the horizon's usual spend x churn probability.")]
    win_back_rank: int | None
    early_warning_rank: int | None
    next_order_on: Annotated[date | None, Field(description="Median day; null when lost, or over a year ahead.")]
    next_order_earliest: Annotated[date | None, Field(description="One order in ten comes before it.")]
    next_order_latest: Annotated[date | None, Field(description="One order in ten comes after it.")]
    favourite_categories: Annotated[list[str], Field(max_length=3, description="Paths, the most liked first.")]
    faded_categories: Annotated[
        list[FadedCategoryReply], Field(max_length=3, description="Empty for customers who have lapsed altogether.")
    ]
    price_level: Literal["low", "middle", "high"] | None
    price_position: Annotated[
        float | None, Field(ge=0, le=1, description="Mean share of a category's items cheaper than what was bought.")
    ]
    best_hour: Annotated[int | None, Field(ge=0, le=23)]
    best_channel: str | None
    why: Annotated[list[ReasonReply], Field(description="What put the customer on a list; empty when on none.")]


class ExperimentReply(Reply):
    """Running campaign that a customer is in."""

    name: Annotated[str, Field(description="Send it as `campaign_id` of events.")]
    arm: Annotated[str, Field(description="contacted, explored (offer drawn by lot), or held_out.")]
    slate_id: Annotated[str | None, Field(description="`message_id` of the export; null when held out.")]


class OfferReply(Reply):
    """What a campaign offers a customer."""

    name: str
    text: Annotated[str, Field(description="What the customer reads; empty for a plain reminder.")]
    discount: Annotated[float, Field(ge=0, lt=1, description="Share of an order.")]
    code: str | None
    valid_until: date
    eligible_item_ids: Annotated[list[str], Field(description="Products of the slate it counts for.")]


class RecommendationReply(Reply):
    """A slate. `customer` is null, and `strategy` session or popular, when the customer never ordered.

    `strategy` is campaign where the products of a running campaign's message lead.
    """

    recommendation_id: str
    bundle_id: str
    customer_id: str
    strategy: Strategy
    customer: CustomerSummary | None
    experiment: Annotated[ExperimentReply | None, Field(description="Null where no running campaign has them.")]
    offer: OfferReply | None
    items: list[RecommendedItem]
    filters_applied: Annotated[
        list[str], Field(description="Filters that took items away, and rules that changed the slate, in words.")
    ]


class RecommendationsReply(Reply):
    """Slates, in the order of `customer_ids`."""

    slates: list[RecommendationReply]


class CustomerReply(Reply):
    """One customer."""

    bundle_id: str
    customer_id: str
    customer: CustomerProfile


class SimilarReply(Reply):
    """Neighbours of an item, nearest first."""

    bundle_id: str
    item_id: str
    items: list[SimilarItemReply]


class ListedCustomer(Reply):
    """One row of the win-back list or the early warning list."""

    customer_id: str
    customer: CustomerProfile


class ListReply(Reply):
    """A page of a list of customers, best first; `next_cursor` is null on the last."""

    bundle_id: str
    as_of: datetime
    customers: list[ListedCustomer]
    next_cursor: str | None


class LiveReply(Reply):
    """The process answers."""

    status: Literal["alive"]


class ReadyReply(Reply):
    """The service can answer. `problem` says why a newer bundle was not taken up."""

    status: Literal["ready"]
    bundle_id: str
    as_of: datetime
    created_at: datetime
    problem: str | None


class FieldProblemReply(Reply):
    """What is wrong with one part of the request."""

    location: str
    message: str


class Problem(Reply):
    """An error, as RFC 9457 has it."""

    type: str
    title: str
    status: int
    code: Annotated[str, Field(description="Stable, for programs; the README lists them.")]
    detail: str
    errors: list[FieldProblemReply]
    request_id: str
