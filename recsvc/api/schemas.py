"""What callers may send. `outbound.py` has what they get back; both are in the OpenAPI description."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from recsvc.domain.filter_language import MAX_LENGTH
from recsvc.serving.slate import Query

MAX_K = 100
MAX_CUSTOMERS = 256
MAX_EXCLUDED = 2_000
MAX_CATEGORIES = 100
MAX_RULES = 20
MAX_SHOWN = 2_000
MAX_CONTEXT = 100
MAX_ID_LENGTH = 8_192

State = Literal["new", "active", "due", "late", "lapsed", "lost"]
ALL_STATES: frozenset[str] = frozenset(get_args(State))

Id = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH)]
CustomerId = Annotated[Id, Field(description="The retailer's own id, any characters.")]
ItemId = Annotated[Id, Field(description="The retailer's own id, any characters.")]
K = Annotated[int, Field(ge=1, le=MAX_K, description="Length of the list; it may be shorter, never padded.")]
Excluded = Annotated[
    tuple[Id, ...],
    Field(max_length=MAX_EXCLUDED, description="Items that must not be shown; unknown ids are ignored."),
]
Categories = Annotated[
    tuple[Id, ...],
    Field(max_length=MAX_CATEGORIES, description="Only items whose category path is, or lies below, one of these."),
]
ExcludePurchased = Annotated[bool, Field(description="Leave out everything this customer ever bought.")]
ExploreSlots = Annotated[
    int | None,
    Field(ge=0, le=MAX_K, description="Last places kept for products never bought; at most k. Default: the service's."),
]
Where = Annotated[
    str | None,
    Field(min_length=1, max_length=MAX_LENGTH, description="Only items that fulfil this filter: `price < 20`."),
]
SlateRules = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)], ...],
    Field(
        max_length=MAX_RULES,
        description="Behind those of the bundle: `pin 1 where ...`, `boost 2 where ...`, `bury`, `block where ...`.",
    ),
]
CategoryCap = Annotated[
    int | None, Field(ge=1, le=MAX_K, description="Items of one category at most. Default: the bundle's.")
]
Shown = Annotated[
    tuple[Id, ...],
    Field(max_length=MAX_SHOWN, description="Items shown in the last sends, once a showing: they step back."),
]
ShownSince = Annotated[
    date | None, Field(description="Day of the earliest of these sends; what was bought since does not step back.")
]
ContextItems = Annotated[
    tuple[Id, ...],
    Field(
        max_length=MAX_CONTEXT,
        description="What the customer looks at, or has in the cart: steers the list, also of somebody unknown.",
    ),
]
Explain = Annotated[bool, Field(description="Say of each item who proposed it and what each feature added.")]


EITHER: list[JsonValue] = [{"required": ["customer_id"]}, {"required": ["customer_ids"]}]


class Request(BaseModel):
    """Anything sent: unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SlateWishes(Request):
    """What a query and a body may ask of a slate by the same names."""

    k: K = 10
    exclude: Excluded = ()
    exclude_purchased: ExcludePurchased = False
    explore_slots: ExploreSlots = None
    explain: Explain = False
    category_cap: CategoryCap = None
    shown: Shown = ()
    shown_since: ShownSince = None
    context_items: ContextItems = ()

    @model_validator(mode="after")
    def _slots_within_list(self) -> Self:
        if self.explore_slots is not None and self.explore_slots > self.k:
            raise PydanticCustomError("too_many", "explore_slots must not exceed k")
        return self

    def question(
        self, customer_id: str, categories: tuple[str, ...], where: str | None, rules: tuple[str, ...]
    ) -> Query:
        """Question to the recommender about one customer."""
        return Query(
            customer_id=customer_id,
            k=self.k,
            exclude=frozenset(self.exclude),
            exclude_purchased=self.exclude_purchased,
            categories=categories,
            explore_slots=self.explore_slots,
            explain=self.explain,
            where=where,
            rules=rules,
            category_cap=self.category_cap,
            shown=self.shown,
            shown_since=self.shown_since,
            context_items=self.context_items,
        )


class RecommendationParams(SlateWishes):
    """Query parameters of a recommendation."""

    category: Categories = ()
    where: Where = None
    rule: SlateRules = ()

    def query_for(self, customer_id: str) -> Query:
        """Question to the recommender about one customer."""
        return self.question(customer_id, self.category, self.where, self.rule)


class CustomerRecommendationParams(RecommendationParams):
    """Query parameters of a recommendation, with the customer among them."""

    customer_id: CustomerId


class Filters(Request):
    """Which items may be shown at all."""

    categories: Categories = ()
    where: Where = None


class RecommendationRequest(SlateWishes):
    """One customer, or up to 256 with the same wishes."""

    model_config = ConfigDict(json_schema_extra={"oneOf": EITHER})

    customer_id: CustomerId | None = None
    customer_ids: Annotated[tuple[CustomerId, ...], Field(min_length=1, max_length=MAX_CUSTOMERS)] | None = None
    filters: Filters = Filters()
    rules: SlateRules = ()

    @model_validator(mode="after")
    def _asks_for_somebody(self) -> Self:
        if (self.customer_id is None) == (self.customer_ids is None):
            raise PydanticCustomError("either", "give either customer_id or customer_ids")
        if self.explain and self.customer_ids is not None:
            raise PydanticCustomError("one_at_a_time", "explain works for one customer_id at a time")
        return self

    def query_for(self, customer_id: str) -> Query:
        """Question to the recommender about one of the customers."""
        return self.question(customer_id, self.filters.categories, self.filters.where, self.rules)


class CustomerParams(Request):
    """Which customer."""

    customer_id: CustomerId


class SimilarParams(Request):
    """How many neighbours."""

    k: K = 10


class ItemSimilarParams(SimilarParams):
    """Which item, and how many neighbours."""

    item_id: ItemId


class ListParams(Request):
    """A page of a list of customers."""

    limit: Annotated[int, Field(ge=1, le=500, description="Rows on a page.")] = 50
    state: Annotated[
        tuple[State, ...], Field(description="Only customers in these states; default: all on the list.")
    ] = ()
    cursor: Annotated[
        str | None,
        Field(max_length=1_024, description="`next_cursor` of the page before; opaque, good for one bundle."),
    ] = None
