"""What the handlers work with: the part of the recommender they need, keys, live events, the settings, the clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from recsvc.api.gate import Gate
from recsvc.api.metrics import Metrics
from recsvc.api.rate_limit import RateLimit
from recsvc.serving.slate import CustomerState, Item, Query, SimilarItem, Slate, WinBackRow
from recsvc.settings import Settings
from recsvc.store.availability import AvailabilityStore
from recsvc.store.events import EventStore
from recsvc.store.key_ring import KeyRing


class Answers(Protocol):
    """One loaded bundle that answers questions; a request takes it once and keeps to it."""

    @property
    def bundle_id(self) -> str:
        """Identity of the bundle."""

    @property
    def as_of(self) -> datetime:
        """End of observation, exclusive, UTC."""

    @property
    def created_at(self) -> datetime:
        """Moment the bundle was made, UTC."""

    def recommend(self, query: Query, *, now: datetime) -> Slate:
        """Answer one query."""

    def recommend_many(self, queries: Sequence[Query], *, now: datetime) -> list[Slate]:
        """Answer queries in order."""

    def customer(self, customer_id: str, *, now: datetime) -> CustomerState:
        """State of a customer; raises `UnknownCustomer`."""

    def similar(self, item_id: str, k: int) -> tuple[SimilarItem, ...]:
        """Neighbours of an item, nearest first; raises `UnknownItem`."""

    def win_back(self, *, after_rank: int, limit: int, states: frozenset[str], now: datetime) -> tuple[WinBackRow, ...]:
        """Customers of the win-back list below a rank, best first; no states: all those on it."""

    def early_warning(
        self, *, after_rank: int, limit: int, states: frozenset[str], now: datetime
    ) -> tuple[WinBackRow, ...]:
        """Valuable customers who are slipping, below a rank, most at stake first; no states: all those on it."""

    def item(self, item_id: str) -> Item:
        """What is known of a product, for display."""


class Status(Protocol):
    """Which bundle is live, and what was wrong with the last one that would not load."""

    @property
    def bundle_id(self) -> str | None:
        """Identity of the live bundle, None before the first."""

    @property
    def problem(self) -> str | None:
        """Sentence about the bundle that would not load, None when all is well."""


class Live(Protocol):
    """Holder of the bundle that is live now."""

    def current(self) -> Answers:
        """Bundle to answer from; raises `NotReady` before the first."""

    def status(self) -> Status:
        """Whether all is well."""

    def tell(self, listener: Callable[[], None]) -> None:
        """Call a listener now, and whenever `status` changes, from whichever thread notices."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a handler may use. `openapi` is the description of the routes, as JSON."""

    settings: Settings
    live: Live
    keys: KeyRing
    events: EventStore
    availability: AvailabilityStore
    rate_limit: RateLimit
    gate: Gate
    metrics: Metrics
    clock: Callable[[], datetime]
    store_is_reachable: Callable[[], bool]
    openapi: bytes

    def reaches_store(self) -> bool:
        """Whether the live store answers now; the metrics learn of it."""
        reachable = self.store_is_reachable()
        self.metrics.reaches_store(reachable)
        return reachable

    def recommender(self) -> Answers:
        """Live bundle."""
        return self.live.current()

    def note_live(self) -> None:
        """Put into the metrics of this worker what it answers from, and whether a newer bundle would not load.

        At once and not with its next request: that may be long in coming, and any worker may be asked for all.
        """
        status = self.live.status()
        self.metrics.has_problem(status.problem is not None)
        if status.bundle_id is not None:
            answers = self.live.current()
            self.metrics.serves(answers.bundle_id, answers.created_at)
