"""The one recommender: a live request, a batch file and a back-test all ask this class.

Scored candidates, then the slate, then its reasons. Nothing here reads a clock: ranking happens at the bundle's
`as_of`, or the day after the customer's last live event, the state shown to the caller at the caller's `now`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from itertools import groupby

import numpy as np

from recsvc.bundle.reader import Bundle, read_categories, read_nameable, read_shelf
from recsvc.bundle.slates import BareItem, BareSlate
from recsvc.domain.arrays import AnyArray, Counts
from recsvc.domain.course import courses
from recsvc.domain.history import Histories, take
from recsvc.errors import UnknownCustomer
from recsvc.serving.arranging import Arranged, arrange, hand_of
from recsvc.serving.customer_lists import CustomerLists
from recsvc.serving.customer_state import Places, day_of
from recsvc.serving.display import MINOR_UNITS, item_at
from recsvc.serving.explanations import explanations
from recsvc.serving.filters import ItemFilters
from recsvc.serving.live_data import LiveData, News, NoLiveData, Stock
from recsvc.serving.live_records import Customers, customers_now, histories_now, news_of
from recsvc.serving.placing import HouseRules
from recsvc.serving.profile_writer import ProfileWriter
from recsvc.serving.promises import with_promises
from recsvc.serving.ranking import choose
from recsvc.serving.reasons import ReasonWriter
from recsvc.serving.rules import Rules
from recsvc.serving.scoring import Scored, Scorer
from recsvc.serving.slate import CustomerState, Item, Query, SimilarItem, Slate, WinBackRow
from recsvc.serving.stored import SOLD_OUT, StoredSlates
from recsvc.serving.teller import Answered, Teller
from recsvc.serving.whys import WhyWriter

BATCH = 256  # customers ranked at once: bounds memory, changes no answer
ITEMS_KEPT = 16_384  # for display, some 600 bytes each: to read one anew takes ten times as long


class Recommender:
    """Ranks the catalogue of one bundle for its customers, and for strangers; `live` is what happened since."""

    def __init__(self, bundle: Bundle, live: LiveData | None = None) -> None:
        self.bundle = bundle
        self.live = live or NoLiveData()
        self._stock: Stock | None = None  # as of the last question: what prices are shown by
        self.bundle_id = bundle.bundle_id
        self.as_of = bundle.manifest.as_of
        self.created_at = bundle.manifest.created_at
        self.scorer = Scorer(bundle)
        catalogue = bundle.catalogue.slice(0, bundle.items.n_catalogue)
        self._house = HouseRules(bundle.standing, ItemFilters(catalogue, bundle.items.as_of_day), bundle.items)
        recent_days, self.nameable = bundle.manifest.ranking["recent_days"], read_nameable(bundle.catalogue)
        self._item_at = lru_cache(ITEMS_KEPT)(partial(item_at, bundle.catalogue))
        self._reasons = ReasonWriter(bundle.items, bundle.factors, self._title, recent_days, self.nameable)
        self._teller = Teller(self.bundle_id, bundle.items.ids, self._reasons)
        self._stored = None if bundle.slates is None else StoredSlates(bundle, bundle.slates)
        self._profiles = ProfileWriter(
            models=bundle.models,
            shelf=read_shelf(bundle.catalogue),
            whys=WhyWriter(bundle.models, bundle.manifest.currency),
            habit_of=bundle.customers.habit,
            categories=read_categories(bundle.catalogue),
        )
        self._lists = CustomerLists(bundle, self.live, self._profiles)

    def recommend(self, query: Query, *, now: datetime) -> Slate:
        """Ranked answer to one question; `now` dates the customer's state only."""
        return self.recommend_many([query], now=now)[0]

    def recommend_many(self, queries: Sequence[Query], *, now: datetime) -> list[Slate]:
        """Answers in the order of the questions; each equals what it would be alone."""
        news = news_of(self.bundle, self.live, [query.customer_id for query in queries])
        self._stock = news.stock
        answers = dict(self._ready(queries, news))
        others = [(number, query) for number, query in enumerate(queries) if number not in answers]
        answers.update(self._ranked(others, news))
        slates = [self._teller.told(answers[number], day_of(now)) for number in range(len(queries))]
        members = [slate.query.customer_id for slate in slates if slate.customer]
        return with_promises(slates, news, self.live.promises(members, now), self._may_be_shown)

    def bare_slates(self, customer_ids: Sequence[str], k: int) -> list[BareSlate]:
        """Default slates of customers, or of strangers, ranked: what a bundle stores."""
        news = news_of(self.bundle, self.live, customer_ids)
        queries = [Query(customer_id, k) for customer_id in customer_ids]
        answers = dict(self._ranked(list(enumerate(queries)), news))
        return [answers[number].slate for number in range(len(queries))]

    def rank(self, histories: Histories, rules: Rules) -> list[AnyArray]:
        """Item rows of each customer's slate, best first: the bare ranking, for back-tests."""
        scored, _ = self.score(histories, rules)
        return [scored.pairs.item[chosen] for chosen in self.choose(scored, rules)]

    def score(self, histories: Histories, rules: Rules) -> tuple[Scored, tuple[str, ...]]:
        """Score every candidate of a batch; also which filters took something away."""
        considered, applied = self.scorer.consider(histories, rules, self._house.placing(rules))
        return self.scorer.score(considered), applied

    def customer(self, customer_id: str, *, now: datetime) -> CustomerState:
        """Where a customer stands at `now`.

        Raises
        ------
        UnknownCustomer
        """
        history = histories_now(self.bundle, self.live, [customer_id])
        if not len(history.order_day):
            raise UnknownCustomer(customer_id)
        return self._profiles.of_one(history, day_of(now), self._places(customer_id))

    def similar(self, item_id: str, k: int) -> tuple[SimilarItem, ...]:
        """At most `k` items alike in taste, best first; none for an item outside the catalogue.

        Raises
        ------
        UnknownItem
        """
        row = self.bundle.items.ids.row(item_id)
        self._stock = self.live.stock()
        if row >= self.bundle.items.n_catalogue:
            return ()
        rows, cosines = self.scorer.index.similar(row, k)
        found = enumerate(zip(rows, cosines, strict=True), 1)
        return tuple(SimilarItem(self.bundle.items.ids.id(row), rank, float(cosine)) for rank, (row, cosine) in found)

    def win_back(self, *, after_rank: int, limit: int, states: frozenset[str], now: datetime) -> tuple[WinBackRow, ...]:
        """Part of the list of customers to win back, best first, as of the bundle; `states` empty means all of them."""
        return self._lists.page("win_back_rank", after_rank, limit, states)

    def early_warning(
        self, *, after_rank: int, limit: int, states: frozenset[str], now: datetime
    ) -> tuple[WinBackRow, ...]:
        """Part of the list of valuable customers who are slipping, most at stake first; else as `win_back`."""
        return self._lists.page("early_warning_rank", after_rank, limit, states)

    def item(self, item_id: str) -> Item:
        """What is known of a product.

        Raises
        ------
        UnknownItem
        """
        row = self.bundle.items.ids.row(item_id)
        item, stock = self._item_at(row), self._stock
        price = None if stock is None else stock.price_of(row)
        return item if price is None else replace(item, price=price / MINOR_UNITS)

    def default_explore_slots(self, k: int) -> int:
        """Places of a list of `k` kept for products never bought."""
        return k * self.bundle.manifest.ranking["explore_slots"] // 10

    def _ready(self, queries: Sequence[Query], news: News) -> Iterator[tuple[int, Answered]]:
        """The questions that the bundle holds the answer to ready, by number."""
        if self._stored is None:
            return
        for number, query in enumerate(queries):
            slate = self._stored.get(query, news)
            if slate is not None:
                yield number, Answered(query, slate, self.bundle.items.as_of_day, stored=True)

    def _ranked(self, numbered: Sequence[tuple[int, Query]], news: News) -> Iterator[tuple[int, Answered]]:
        """Rank for each question, by number; those with the same rules together."""
        together = sorted(numbered, key=lambda pair: (repr(_rules(pair[1])), pair[0]))
        for rules, same_rules in groupby(together, key=lambda pair: _rules(pair[1])):
            some = list(same_rules)
            for start in range(0, len(some), BATCH):
                part = some[start : start + BATCH]
                answers = self._ranked_together([query for _, query in part], rules, news)
                yield from zip([number for number, _ in part], answers, strict=True)

    def _ranked_together(self, queries: Sequence[Query], rules: Rules, news: News) -> Iterator[Answered]:
        customer_ids, context = zip(*((query.customer_id, query.context_items) for query in queries), strict=True)
        found = customers_now(self.bundle, news, customer_ids, context)
        scored, applied = self._scored_now(found, rules, news.stock)
        known = np.flatnonzero(found.known)
        course_of = dict(zip(known.tolist(), courses(take(found.histories, known), self.bundle.models), strict=True))
        for position, (query, chosen) in enumerate(zip(queries, self._arranged(scored, rules, queries), strict=True)):
            items = tuple(self._items(scored, chosen))
            yield Answered(
                query=query,
                slate=BareSlate(course_of.get(position), items, applied + chosen.applied),
                clock_day=int(scored.batch.clock_day[position]),
                strategy="session" if len(found.sessions.rows[position]) else "popular",
                explanations=explanations(scored, chosen.positions, self.scorer) if query.explain else (),
            )

    def _items(self, scored: Scored, chosen: Arranged) -> Iterator[BareItem]:
        for position, score in zip(chosen.positions.tolist(), chosen.scores.tolist(), strict=True):
            grounds = self._reasons.grounds(scored.facts, position, scored.pairs, scored.batch)
            yield BareItem(int(scored.pairs.item[position]), score, grounds)

    def _scored_now(self, found: Customers, rules: Rules, stock: Stock | None) -> tuple[Scored, tuple[str, ...]]:
        """Score with what happened since the bundle; what is sold out by now leaves the ranking, and moves nothing."""
        placing, on_sale = self._house.placing(rules), None if stock is None else stock.on_sale
        considered, applied = self.scorer.consider(found.histories, rules, placing, found.sessions, on_sale)
        scored = self.scorer.score(considered)
        if stock is None or not stock.sold_out[: self.bundle.items.n_catalogue].any():
            return scored, applied
        return scored.without(stock.sold_out), tuple(dict.fromkeys((SOLD_OUT, *applied)))

    def _may_be_shown(self, item_id: str) -> bool:
        """Whether an item is known, and not sold out as of the last question."""
        ids, stock = self.bundle.items.ids, self._stock
        return item_id in ids and (stock is None or not stock.sold_out[ids.row(item_id)])

    def choose(self, scored: Scored, rules: Rules) -> Iterable[Counts]:
        """Positions of each customer's slate, customer by customer."""
        queries = [Query(customer_id) for customer_id in scored.batch.histories.customer_ids]
        return (chosen.positions for chosen in self._arranged(scored, rules, queries))

    def _arranged(self, scored: Scored, rules: Rules, queries: Sequence[Query]) -> Iterable[Arranged]:
        """Slate of each customer; `queries` say what they were shown before."""
        explore = self.default_explore_slots(rules.k) if rules.explore_slots is None else rules.explore_slots
        explore, placing = min(explore, rules.k), scored.considered.placing
        in_session = scored.batch.in_session()
        for customer, query in enumerate(queries):
            if placing.moves_nothing and not query.shown and not in_session[customer]:
                ranked = scored.of(customer)
                chosen = choose(ranked, ~scored.facts.bought[ranked], rules.k, explore)
                yield Arranged(chosen, scored.scores[chosen])
            else:
                hand = hand_of(scored, customer, query, self.bundle.items.ids, self.bundle.factors)
                yield arrange(hand, placing, rules.k, explore)

    def _places(self, customer_id: str) -> Places:
        customers = self.bundle.customers
        return Places(customers.win_back_rank(customer_id), customers.early_warning_rank(customer_id))

    def _title(self, row: int) -> str:
        return self._item_at(row).title or self.bundle.items.ids.id(row)


def _rules(query: Query) -> Rules:
    return Rules(
        k=query.k,
        exclude=query.exclude.union(query.context_items),  # they are before the customer's eyes already
        exclude_purchased=query.exclude_purchased,
        categories=query.categories,
        explore_slots=query.explore_slots,
        where=query.where,
        rules=query.rules,
        category_cap=query.category_cap,
    )
