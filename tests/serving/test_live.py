"""What happened since the bundle: in the next answer of everybody concerned, and in nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from recsvc.errors import UnknownCustomer
from recsvc.serving.live_source import LiveSource
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Query, Slate
from recsvc.store.availability import AvailabilityStore, Offer
from recsvc.store.engine import open_store
from recsvc.store.events import Event, EventKind, EventStore
from tests.trained import Trained


@dataclass
class Shop:
    """A bundle served by two workers over one live store, and by one that knows of no events."""

    workers: tuple[Recommender, Recommender]
    without: Recommender
    store: EventStore
    offers: AvailabilityStore
    now: datetime
    sent: int = 0

    def happens(self, customer_id: str, kind: EventKind, item_id: str, at: datetime | None = None) -> None:
        details = {"quantity": 1.0, "price": 4.5} if kind == "purchase" else {}
        self.sent += 1
        event = Event(f"e{self.sent}", customer_id, kind, at or self.now, item_id, details)
        self.store.add([event], received_at=self.now)

    def ask(self, customer_id: str, worker: int = 0, **wishes: object) -> Slate:
        query = replace(Query(customer_id), **wishes)  # type: ignore[arg-type]
        return self.workers[worker].recommend(query, now=self.now)


@pytest.fixture
def shop(trained: Trained, recommender: Recommender, store_url: str) -> Iterator[Shop]:
    engines = [open_store(store_url) for _ in range(2)]
    sources = [LiveSource(engine) for engine in engines]
    first, second = (Recommender(recommender.bundle, source.of_bundle(recommender.bundle)) for source in sources)
    now = recommender.as_of + timedelta(days=9, hours=8)
    yield Shop((first, second), recommender, EventStore(engines[0]), AvailabilityStore(engines[0]), now)
    for source, engine in zip(sources, engines, strict=True):
        source.close()
        engine.dispose()


def items_of(slate: Slate) -> list[str]:
    return [one.item_id for one in slate.items]


def never_bought(shop: Shop, customer_id: str) -> str:
    bought = set(shop.without.bundle.customers.get(customer_id).line_item.tolist())  # type: ignore[union-attr]
    rows = [row for row in range(shop.without.bundle.items.n_catalogue) if row not in bought]
    return shop.without.bundle.items.ids.id(rows[0])


@pytest.mark.parametrize("worker", [0, 1])
def test_a_purchase_counts_in_the_next_answer_of_any_worker(shop: Shop, everybody: list[str], worker: int) -> None:
    customer_id = everybody[0]
    item_id = never_bought(shop, customer_id)
    before = shop.ask(customer_id, worker, k=80)

    shop.happens(customer_id, "purchase", item_id)
    after = shop.ask(customer_id, worker, k=80)
    reasons = {one.item_id: one.reasons[0].code for one in after.items}

    assert before.customer is not None
    assert after.customer is not None
    assert after.customer.orders == before.customer.orders + 1
    assert (after.customer.days_since_last_purchase, after.customer.state) == (1, "active")
    assert reasons[item_id] == "bought_before"
    assert item_id not in items_of(shop.ask(customer_id, worker, k=80, exclude_purchased=True))
    assert shop.workers[worker].customer(customer_id, now=shop.now).orders == before.customer.orders + 1


def test_nobody_elses_answer_changes(shop: Shop, everybody: list[str]) -> None:
    queries = [Query(customer_id, explain=True) for customer_id in [*everybody[:60], "a stranger"]]
    before = shop.without.recommend_many(queries, now=shop.now)

    shop.happens(everybody[3], "purchase", never_bought(shop, everybody[3]))
    shop.happens(everybody[4], "view", never_bought(shop, everybody[4]))
    after = shop.workers[0].recommend_many(queries, now=shop.now)

    same = [one == other for one, other in zip(before, after, strict=True)]
    assert [place for place, is_same in enumerate(same) if not is_same] == [3, 4]
    assert after[3] == shop.ask(everybody[3], 1, explain=True)
    assert after[4] == shop.ask(everybody[4], 1, explain=True)


def test_only_customers_with_steering_events_since_the_bundle_have_changed(shop: Shop, everybody: list[str]) -> None:
    live = shop.workers[1].live
    first, second, third, fourth = everybody[:4]

    shop.happens(first, "purchase", "i", shop.without.as_of - timedelta(microseconds=1))
    shop.happens(second, "purchase", "i", shop.without.as_of)
    shop.happens(third, "cart", "i")
    shop.happens(fourth, "impression", "i")

    assert {*live.news([first, second, third, fourth, "x"]).happened} == {second, third}
    assert shop.ask(first) == shop.without.recommend(Query(first), now=shop.now)


def test_somebody_new_who_buys_becomes_known(shop: Shop) -> None:
    item_id = shop.without.bundle.items.ids.id(0)
    with pytest.raises(UnknownCustomer):
        shop.workers[0].customer("newcomer", now=shop.now)

    shop.happens("newcomer", "purchase", item_id)
    shop.happens("newcomer too", "purchase", "an item no bundle has heard of")

    assert shop.ask("newcomer").strategy == "personal"
    assert shop.workers[0].customer("newcomer", now=shop.now).spend == 450
    assert shop.workers[1].customer("newcomer too", now=shop.now).orders == 1
    assert len(shop.ask("newcomer too").items) == 10


def test_the_clock_of_a_customer_is_the_day_after_the_last_event(shop: Shop, everybody: list[str]) -> None:
    customer_id = everybody[0]
    shop.happens(customer_id, "purchase", never_bought(shop, customer_id), shop.without.as_of + timedelta(days=3))

    slates = [shop.workers[0].recommend(Query(customer_id), now=shop.now + timedelta(days=n)) for n in (0, 40)]

    assert slates[0].items == slates[1].items
    bought = [one.reasons[0].evidence for one in slates[0].items if one.reasons[0].code == "bought_often"]
    before = shop.without.recommend(Query(customer_id), now=shop.now)
    bought_before = [one.reasons[0].evidence for one in before.items if one.reasons[0].code == "bought_often"]
    assert min(int(one["days_since"]) for one in bought) == min(int(one["days_since"]) for one in bought_before) + 4


def related(shop: Shop, item_id: str) -> list[str]:
    """Items that are bought together with one more than with others, and lie near to it in taste."""
    return [one.item_id for one in shop.without.similar(item_id, 5)]


def mean_place(slate: Slate, item_ids: list[str]) -> float:
    places = {one.item_id: one.rank for one in slate.items}
    return float(np.mean([places.get(item_id, len(places) + 1) for item_id in item_ids]))


def test_what_a_stranger_looks_at_brings_related_items_up(shop: Shop) -> None:
    moved = []
    for row in range(8):
        item_id = shop.without.bundle.items.ids.id(row)
        plain, steered = (
            shop.ask("a stranger", k=80),
            shop.ask("a stranger", k=80, context_items=(item_id, "unheard of")),
        )
        moved.append(mean_place(plain, related(shop, item_id)) - mean_place(steered, related(shop, item_id)))

        assert (plain.strategy, steered.strategy, steered.customer) == ("popular", "session", None)
        assert item_id not in items_of(steered)
        assert {"session"} <= {reason.code for one in steered.items for reason in one.reasons}

    assert np.mean(moved) > 10
    assert np.mean(np.array(moved) > 0) > 0.8


def test_what_a_customer_looks_at_brings_related_items_up(shop: Shop, everybody: list[str]) -> None:
    moved = []
    for customer_id in everybody[:15]:
        item_id = never_bought(shop, customer_id)
        plain, steered = shop.ask(customer_id, k=80), shop.ask(customer_id, k=80, context_items=(item_id,))
        moved.append(mean_place(plain, related(shop, item_id)) - mean_place(steered, related(shop, item_id)))

    assert np.mean(moved) > 2
    assert np.mean(np.array(moved) > 0) > 0.7


def test_a_view_steers_as_the_context_of_a_request_does_until_it_is_bought(shop: Shop) -> None:
    item_id = shop.without.bundle.items.ids.id(0)
    popular = shop.ask("visitor")

    shop.happens("visitor", "view", item_id)
    steered = shop.ask("visitor", 1, exclude=frozenset({item_id}))
    asked_for = shop.ask("other visitor", 1, context_items=(item_id,))
    shop.happens("visitor", "purchase", item_id, shop.now + timedelta(minutes=1))
    shop.happens("buyer", "purchase", item_id, shop.now + timedelta(minutes=1))

    assert items_of(steered) == items_of(asked_for) != items_of(popular)
    assert steered.strategy == "session"
    assert items_of(shop.ask("visitor")) == items_of(shop.ask("buyer"))


def test_what_was_looked_at_long_before_the_last_event_steers_nothing(shop: Shop) -> None:
    items = [shop.without.bundle.items.ids.id(row) for row in (0, 9)]

    shop.happens("visitor", "view", items[0], shop.now - timedelta(days=2))
    shop.happens("visitor", "view", items[1])
    shop.happens("other", "view", items[1])

    assert items_of(shop.ask("visitor")) == items_of(shop.ask("other"))


@pytest.mark.parametrize("worker", [0, 1])
def test_what_is_sold_out_leaves_the_next_answer_and_the_rest_stays_in_its_order(
    shop: Shop, everybody: list[str], worker: int
) -> None:
    before = shop.ask(everybody[0], worker, k=14, explore_slots=0)
    gone = items_of(before)[2:4]

    shop.offers.put([Offer(item_id, available=False) for item_id in gone], changed_at=shop.now)
    after = shop.ask(everybody[0], worker, k=12, explore_slots=0)
    shop.offers.put([Offer(item_id, available=True) for item_id in gone], changed_at=shop.now)
    back = shop.ask(everybody[0], worker, k=14, explore_slots=0)

    assert items_of(after) == [item_id for item_id in items_of(before) if item_id not in gone]
    assert [one.score for one in after.items] == [one.score for one in before.items if one.item_id not in gone]
    assert after.filters_applied == ("availability",)
    assert back == before


def test_a_price_is_shown_from_the_next_answer_on_until_it_is_taken_back(shop: Shop) -> None:
    (item_id,) = items_of(shop.ask("a stranger", k=1))
    before = shop.workers[1].item(item_id).price

    shop.offers.put([Offer(item_id, True, 12_345), Offer("unheard of", False, 1)], changed_at=shop.now)
    shop.ask("a stranger", 1)
    during = shop.workers[1].item(item_id).price
    shop.offers.put([Offer(item_id, available=True)], changed_at=shop.now)
    shop.ask("a stranger", 1)

    assert during == 123.45
    assert shop.workers[1].item(item_id).price == before


def test_saying_the_same_again_changes_nothing(shop: Shop) -> None:
    offers = [Offer("a", False, 100), Offer("b", True), Offer("a", True, 200)]

    changed = [shop.offers.put(offers, changed_at=shop.now) for _ in range(2)]

    assert changed == [2, 0]
    assert shop.offers.changed_after(0) == (2, (Offer("a", True, 200), Offer("b", True)))
