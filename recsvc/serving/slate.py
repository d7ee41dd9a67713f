"""What the recommender is asked and what it answers, before anybody turns it into JSON, a table or a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from operator import attrgetter
from typing import Literal

Strategy = Literal["personal", "session", "popular", "campaign"]
Stage = Literal["trees", "blend", "popularity"]
Evidence = Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True)
class Query:
    """One question to the recommender.

    Attributes
    ----------
    customer_id
        May be unknown: the answer is then what is popular now.
    k : at least 1
        Length of the list; the answer may be shorter, never padded.
    exclude
        Items that must not be shown; unknown ids are ignored and not reported as applied.
    exclude_purchased
        Leave out everything this customer ever bought.
    categories
        Only items whose category path is, or lies below, one of these; empty means all.
    explore_slots : 0 to k
        Places at the end of the list kept for products this customer never bought; None means the default.
    explain
        Say of each item who proposed it and what each feature added.
    where
        Only items that fulfil this filter, in the language of `recsvc.domain.filter_language`.
    rules
        Further rules, as `recsvc.domain.business_rules` reads them, behind those of the bundle.
    category_cap : at least 1
        Items of one category at most; None means what the bundle says.
    shown
        Items this customer was shown in the last sends, once a showing; unknown ids are ignored.
    shown_since
        Day of the earliest of these sends: what was bought on it or later was not shown in vain.
    context_items
        Items the customer looks at just now, or has in the cart: they steer the list and are not on it; unknown ids
        are ignored.
    """

    customer_id: str
    k: int = 10
    exclude: frozenset[str] = frozenset()
    exclude_purchased: bool = False
    categories: tuple[str, ...] = ()
    explore_slots: int | None = None
    explain: bool = False
    where: str | None = None
    rules: tuple[str, ...] = ()
    category_cap: int | None = None
    shown: tuple[str, ...] = ()
    shown_since: date | None = None
    context_items: tuple[str, ...] = ()


_wishes = attrgetter(*(one.name for one in fields(Query) if one.name not in ("customer_id", "k")))
_NO_WISHES = _wishes(Query(""))


def has_wishes(query: Query) -> bool:
    """Whether a question asks for anything but a list of some length for a customer."""
    return bool(_wishes(query) != _NO_WISHES)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item is on the list: a stable code, a sentence for people, the facts behind it."""

    code: str
    text: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class FeatureEffect:
    """What one feature was for an item, and what it added to the score."""

    feature: str
    value: float
    contribution: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """How an item came to its place.

    Attributes
    ----------
    sources
        Names of the candidate sources that proposed it.
    ranked_by
        What the score comes from; `popularity` for customers without orders.
    blend_score
        What the linear blend gave it: only its hundred best of a customer reach the trees.
    features
        Those that added or took away something, the strongest first. Of trees these are SHAP values: they add up to the
        score but for a constant that all items share.
    """

    sources: tuple[str, ...]
    ranked_by: Stage
    blend_score: float
    features: tuple[FeatureEffect, ...]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One item of a slate. `score` is what the ranking sorts by: comparable within one slate only."""

    item_id: str
    rank: int
    score: float
    reasons: tuple[Reason, ...]
    explanation: Explanation | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """What a running campaign promised a customer, so that every channel shows the same.

    Attributes
    ----------
    campaign_id, arm
        Which one, and the customer's arm in it.
    slate_id, offer
        None of somebody held out: they are treated as usual.
    items
        Products of the message, best first; none of somebody held out.
    made_on
        Day of the launch, days since 1970-01-01.
    """

    campaign_id: str
    arm: str
    made_on: int
    slate_id: str | None = None
    offer: Mapping[str, object] | None = None
    items: tuple[Recommendation, ...] = ()


@dataclass(frozen=True, slots=True)
class FadedCategory:
    """A category that a customer used to buy regularly and has let lapse, though they still order."""

    category: str
    orders: int
    usual_gap_days: int
    days_since: int


@dataclass(frozen=True, slots=True)
class CustomerSummary:
    """Where a customer stands on a day: what every recommendation says of them; the words mean what they do below."""

    state: str
    state_since: datetime
    high_value: bool
    segment: str
    orders: int
    days_since_last_purchase: int


@dataclass(frozen=True, slots=True)
class CustomerState:
    """Where a customer stands at a moment, on their own rhythm.

    Attributes
    ----------
    state
        One of `recsvc.domain.lapse.STATES`.
    state_since, next_state_on
        Days the state began and the next one begins (None when there is none after it).
    layer, layer_label, what_to_do
        One of `recsvc.domain.layers.LAYERS`, in words, and one thing to do about it.
    orders, days_since_last_purchase, spend
        Order-days, days, and minor units, over everything on record.
    spend_per_year, value_at_stake
        Currency units: a year while active; margin of the horizon's usual spend that is expected to be lost.
    win_back_rank, early_warning_rank
        1-based places on the bundle's lists; None when not on it.
    next_order_on, next_order_earliest, next_order_latest
        Median day and 80 % interval; None for customers who are lost, and for days more than a year ahead.
    favourite_categories
        Up to three category paths, the most liked first.
    faded_categories
        Up to three, the most certainly lapsed first; none for customers who have lapsed altogether.
    price_level, price_position
        `low`, `middle` or `high` among customers, and the mean share of a category's items that were cheaper than what
        was bought; None with too few purchases.
    best_hour, best_channel
        When and how this customer is reached best; None where it is not known.
    why
        Three facts that put the customer on the list they are on; none when on no list.
    """

    state: str
    state_since: datetime
    next_state_on: datetime | None
    high_value: bool
    segment: str
    layer: str
    layer_label: str
    what_to_do: str
    orders: int
    days_since_last_purchase: int
    spend: int
    probability_alive: float
    probability_of_return: float
    churn_probability: float
    expected_purchases: float
    expected_average_value: float
    clv: float
    expected_value_of_contact: float
    spend_per_year: float
    value_at_stake: float
    win_back_rank: int | None
    early_warning_rank: int | None
    next_order_on: datetime | None = None
    next_order_earliest: datetime | None = None
    next_order_latest: datetime | None = None
    favourite_categories: tuple[str, ...] = ()
    faded_categories: tuple[FadedCategory, ...] = ()
    price_level: str | None = None
    price_position: float | None = None
    best_hour: int | None = None
    best_channel: str | None = None
    why: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Slate:
    """The ranked answer to one `Query`.

    `strategy` is `session` when nothing is known but what the customer looks at, and `popular` when not even that.
    `customer` is None then. It is `campaign` where a campaign's products lead the list; `promise` is what the campaign
    that runs for this customer promised, whatever leads. `stored` says whether the bundle held the answer ready; a
    live one is no other.
    """

    query: Query
    bundle_id: str
    strategy: Strategy
    items: tuple[Recommendation, ...]
    customer: CustomerSummary | None = None
    filters_applied: tuple[str, ...] = field(default=())
    promise: Promise | None = None
    stored: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class SimilarItem:
    """A neighbour of an item in taste; `affinity` is a cosine in [-1, 1]."""

    item_id: str
    rank: int
    affinity: float


@dataclass(frozen=True, slots=True)
class WinBackRow:
    """One customer of the win-back list or the early warning list, as of the bundle's `as_of`."""

    customer_id: str
    customer: CustomerState


@dataclass(frozen=True, slots=True)
class Item:
    """What is known of a product, for display."""

    item_id: str
    title: str | None = None
    category: str | None = None
    brand: str | None = None
    price: float | None = None
    url: str | None = None
    image_url: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
