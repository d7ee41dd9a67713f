"""A small recommender that answers like the real one, and the application around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from recsvc.errors import NotReady, UnknownCustomer, UnknownItem
from recsvc.serving.slate import (
    CustomerState,
    Item,
    Query,
    Reason,
    Recommendation,
    SimilarItem,
    Slate,
    WinBackRow,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AS_OF = datetime(2026, 2, 27, tzinfo=UTC)
CREATED_AT = datetime(2026, 2, 27, 3, tzinfo=UTC)
ITEMS = tuple(f"item-{n:03}" for n in range(150))
WIN_BACK = tuple(f"customer-{n}" for n in range(1, 8))
SLIPPING = tuple(f"slipping-{n}" for n in range(1, 6))
STRANGE_ID = "a/b//c d\n%2F?&#é🛒/recommendations"


def state_of(customer_id: str) -> CustomerState:
    rank = WIN_BACK.index(customer_id) + 1 if customer_id in WIN_BACK else None
    warned = SLIPPING.index(customer_id) + 1 if customer_id in SLIPPING else None
    return CustomerState(
        state="late" if rank == 1 else "lapsed",
        state_since=datetime(2026, 1, 10, tzinfo=UTC),
        next_state_on=None if rank == 1 else datetime(2026, 6, 1, tzinfo=UTC),
        high_value=True,
        segment="drifting away, high value",
        layer="high_lapsed",
        layer_label="best customers, lapsed",
        what_to_do="Win back first.",
        orders=9,
        days_since_last_purchase=71,
        spend=123_456,
        probability_alive=0.4,
        probability_of_return=0.25,
        churn_probability=0.75,
        expected_purchases=0.8,
        expected_average_value=31.5,
        clv=80.0,
        expected_value_of_contact=2.5,
        spend_per_year=400.0,
        value_at_stake=75.0,
        win_back_rank=rank,
        early_warning_rank=warned,
        next_order_on=None if rank == 1 else datetime(2026, 3, 20, tzinfo=UTC),
        favourite_categories=("food > fruit",),
        price_level="low",
        price_position=0.3,
        why=(Reason("rhythm", "used to order every 21 days; silent for 71 days", {"days_since": 71}),),
    )


@dataclass
class FakeRecommender:
    bundle_id: str = "b-first"
    as_of: datetime = AS_OF
    created_at: datetime = CREATED_AT
    known: frozenset[str] = frozenset({*WIN_BACK, *SLIPPING, STRANGE_ID})
    asked: list[Query] = field(default_factory=list)

    def recommend(self, query: Query, *, now: datetime) -> Slate:
        self.asked.append(query)
        shown = [item for item in ITEMS if item not in query.exclude][: query.k]
        if query.categories and "food" not in query.categories:
            shown = []
        reason = Reason("bought_often", "you bought this 6 times", {"times": 6, "every_days": 24.0})
        items = tuple(Recommendation(item, rank, 1.0 / rank, (reason,)) for rank, item in enumerate(shown, 1))
        is_known = query.customer_id in self.known
        customer = state_of(query.customer_id) if is_known else None
        return Slate(query, self.bundle_id, "personal" if is_known else "popular", items, customer)

    def recommend_many(self, queries: Sequence[Query], *, now: datetime) -> list[Slate]:
        return [self.recommend(query, now=now) for query in queries]

    def customer(self, customer_id: str, *, now: datetime) -> CustomerState:
        if customer_id not in self.known:
            raise UnknownCustomer(customer_id)
        return state_of(customer_id)

    def similar(self, item_id: str, k: int) -> tuple[SimilarItem, ...]:
        if item_id not in {*ITEMS, STRANGE_ID}:
            raise UnknownItem(item_id)
        return tuple(SimilarItem(item, rank, 0.9 / rank) for rank, item in enumerate(ITEMS[:k], 1))

    def win_back(self, *, after_rank: int, limit: int, states: frozenset[str], now: datetime) -> tuple[WinBackRow, ...]:
        return _rows(WIN_BACK[after_rank:], limit, states)

    def early_warning(
        self, *, after_rank: int, limit: int, states: frozenset[str], now: datetime
    ) -> tuple[WinBackRow, ...]:
        return _rows(SLIPPING[after_rank:], limit, states)

    def item(self, item_id: str) -> Item:
        return Item(item_id, title=f"Title of {item_id}", category="food > fruit", price=1.25)


def _rows(customer_ids: Sequence[str], limit: int, states: frozenset[str]) -> tuple[WinBackRow, ...]:
    rows = (WinBackRow(customer_id, state_of(customer_id)) for customer_id in customer_ids)
    return tuple(row for row in rows if not states or row.customer.state in states)[:limit]


@dataclass
class FakeStatus:
    bundle_id: str | None
    problem: str | None = None


@dataclass
class FakeLive:
    recommender: FakeRecommender | None = field(default_factory=FakeRecommender)
    problem: str | None = None
    changed: Callable[[], None] = lambda: None

    def tell(self, listener: Callable[[], None]) -> None:
        self.changed = listener
        listener()

    def current(self) -> FakeRecommender:
        if self.recommender is None:
            raise NotReady("no bundle is live yet; run `recsvc-train fit`")
        return self.recommender

    def status(self) -> FakeStatus:
        return FakeStatus(self.recommender and self.recommender.bundle_id, self.problem)
