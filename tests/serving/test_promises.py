from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from recsvc.serving.live_campaigns import EVERY
from recsvc.serving.live_source import LiveSource
from recsvc.serving.recommender import Recommender
from recsvc.serving.slate import Query, Slate
from recsvc.store.availability import AvailabilityStore, Offer
from recsvc.store.campaigns import CampaignStore, Launch, Member
from recsvc.store.engine import open_store
from recsvc.store.events import Event, EventStore

OFFER = {
    "name": "ten",
    "text": "10 % off",
    "discount": 0.1,
    "code": "AB",
    "valid_until": "2026-02-01",
    "eligible_item_ids": [],
}


@dataclass
class Shop:
    """A worker, and a campaign that began a day ago: a customer is contacted, another one held out."""

    engine: sa.Engine
    worker: Recommender
    now: datetime
    contacted: str
    held_out: str
    items: list[str]

    def ask(self, customer_id: str, now: datetime | None = None, **wishes: object) -> Slate:
        return self.worker.recommend(replace(Query(customer_id), **wishes), now=now or self.now)  # type: ignore[arg-type]


@pytest.fixture
def shop(recommender: Recommender, everybody: list[str], store_url: str) -> Iterator[Shop]:
    engine = open_store(store_url)
    source = LiveSource(engine)
    now = recommender.as_of + timedelta(days=5, hours=9)
    contacted, held_out = everybody[:2]
    usual = recommender.recommend(Query(contacted, k=30), now=now)
    items = [usual.items[place].item_id for place in (20, 4)]
    launch_campaign(engine, contacted, held_out, items, now - timedelta(days=1))
    yield Shop(
        engine, Recommender(recommender.bundle, source.of_bundle(recommender.bundle)), now, contacted, held_out, items
    )
    source.close()
    engine.dispose()


def launch_campaign(
    engine: sa.Engine, contacted: str, held_out: str, items: list[str], begins: datetime, name: str = "spring"
) -> None:
    reasons = [{"code": "taste", "text": "goes well", "evidence": {}}]
    products = [{"item_id": one, "score": 1.0, "reasons": reasons} for one in items]
    details = {"spend_before": 1.0, "products": products, "offer": OFFER, "text": "come back"}
    store = CampaignStore(engine)
    store.begin(Launch(name, "b", {}, begins, begins, begins + timedelta(days=30)))
    store.add(
        name,
        [
            Member(contacted, "contacted", "high_lost", "ten", "email", begins, f"{name}-1", details),
            Member(held_out, "held_out", "high_lost", "ten", details={"spend_before": 1.0}),
        ],
    )
    store.launch(name, at=begins)


def ids_of(slate: Slate) -> list[str]:
    return [one.item_id for one in slate.items]


def test_the_list_begins_with_the_products_of_the_message_and_goes_on_as_ever(
    shop: Shop, recommender: Recommender
) -> None:
    usual = recommender.recommend(Query(shop.contacted), now=shop.now)

    slate = shop.ask(shop.contacted)

    rest = [one for one in ids_of(usual) if one not in shop.items]
    assert ids_of(slate) == [*shop.items, *rest][:10]
    assert [one.rank for one in slate.items] == list(range(1, 11))
    assert slate.strategy == "campaign"
    assert slate.promise is not None
    assert (slate.promise.campaign_id, slate.promise.slate_id) == ("spring", "spring-1")
    assert slate.promise.offer == OFFER
    assert slate.items[0].reasons[0].text == "goes well"


def test_who_is_held_out_and_who_is_in_no_campaign_are_treated_as_usual(
    shop: Shop, recommender: Recommender, everybody: list[str]
) -> None:
    held_out, other = shop.ask(shop.held_out), shop.ask(everybody[5])

    assert replace(held_out, promise=None) == recommender.recommend(Query(shop.held_out), now=shop.now)
    assert held_out.promise is not None
    assert (held_out.promise.arm, held_out.promise.offer, held_out.promise.slate_id) == ("held_out", None, None)
    assert other == recommender.recommend(Query(everybody[5]), now=shop.now)


@pytest.mark.parametrize(
    "wish", [{"exclude_purchased": True}, {"where": "price > 0"}, {"category_cap": 3}, {"explain": True}]
)
def test_a_question_with_wishes_keeps_its_answer(shop: Shop, recommender: Recommender, wish: dict[str, object]) -> None:
    usual = recommender.recommend(replace(Query(shop.contacted), **wish), now=shop.now)  # type: ignore[arg-type]

    assert ids_of(shop.ask(shop.contacted, **wish)) == ids_of(usual)


@pytest.mark.parametrize("kind", ["purchase", "view"])
def test_whoever_did_something_since_the_launch_is_answered_by_that(shop: Shop, kind: str) -> None:
    bought = shop.items[0]
    event = Event("1", shop.contacted, kind, shop.now, bought, {"price": 5.0})  # type: ignore[arg-type]
    EventStore(shop.engine).add([event], received_at=shop.now)

    slate = shop.ask(shop.contacted)

    assert slate.strategy == "personal"
    assert ids_of(slate)[:2] != shop.items
    assert slate.promise is not None  # the offer still stands


def test_what_is_sold_out_is_left_out(shop: Shop) -> None:
    AvailabilityStore(shop.engine).put([Offer(shop.items[0], available=False)], changed_at=shop.now)

    assert shop.items[0] not in ids_of(shop.ask(shop.contacted))
    assert ids_of(shop.ask(shop.contacted))[0] == shop.items[1]


def test_a_campaign_is_seen_and_gone_within_seconds_and_outside_its_days_not_at_all(shop: Shop) -> None:
    store = CampaignStore(shop.engine)
    assert shop.ask(shop.contacted).strategy == "campaign"

    store.close("spring", at=shop.now)
    closed = shop.ask(shop.contacted, now=shop.now + EVERY)
    launch_campaign(shop.engine, shop.contacted, shop.held_out, shop.items[:1], shop.now, name="summer")
    later = shop.now + 3 * EVERY
    summer = shop.ask(shop.contacted, now=later)
    over = shop.ask(shop.contacted, now=later + timedelta(days=30))

    assert closed.strategy == "personal"
    assert (summer.strategy, summer.promise and summer.promise.campaign_id) == ("campaign", "summer")
    assert (over.strategy, over.promise) == ("personal", None)


def test_of_two_campaigns_the_later_one_counts(shop: Shop) -> None:
    launch_campaign(shop.engine, shop.contacted, shop.held_out, shop.items[1:], shop.now - timedelta(hours=1), "late")

    slate = shop.ask(shop.contacted)

    assert slate.promise is not None
    assert slate.promise.campaign_id == "late"
    assert ids_of(slate)[0] == shop.items[1]
